// Descriptors and threads leak too. Their counts are whole numbers without the teeth of memory: what the least of some minutes
// gains in each quarter of half a day is enough. Gains are recorded only where there are any, so that half a day is a few series.

import type { Detection } from "../../catalog/detection.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { countText } from "../annotations.ts";
import { ago, duration, round, youngerThan } from "../promql.ts";
import type { AlertRule, RecordingRule, RuleGroup } from "../rule.ts";

const quarters = 4;

export const countLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-counts",
  interval: d.evaluation.slow,
  rules: [
    countRise(d, sparse.fdRise.name, processMetrics.openFds.name),
    countRise(d, sparse.threadRise.name, processMetrics.threads.name),
    countAlert(
      d,
      "LeakwatchDescriptorLeak",
      sparse.fdRise.name,
      processMetrics.openFds.name,
      processMetrics.maxFds.name,
      {
        does: "leaks file descriptors",
        are: "descriptors are open",
      },
    ),
    countAlert(
      d,
      "LeakwatchThreadLeak",
      sparse.threadRise.name,
      processMetrics.threads.name,
      processMetrics.maxThreads.name,
      {
        does: "leaks threads",
        are: "threads run",
      },
    ),
  ],
});

/** What the count gained in the last quarter, where that may be one of a leak. */
function countRise(d: Detection, record: string, count: string): RecordingRule {
  const { over, stretch, minimum, slowest } = d.countLeak;
  const quarter = over / quarters;
  const least = (age: number) => `min_over_time(${ago(`${count}[${duration(stretch)}]`, age)})`;
  return {
    record,
    expr: `(${least(0)} - ${least(quarter)} > ${round((minimum * slowest) / quarters)}) unless ${youngerThan(quarter + stretch, d)}`,
  };
}

/** The value is the time left in seconds: what is free, over the pace. */
function countAlert(
  { countLeak: { over, gain, minimum, within, for: hold } }: Detection,
  name: string,
  rise: string,
  count: string,
  limit: string,
  text: { does: string; are: string },
): AlertRule {
  const rises = Array.from({ length: quarters }, (_, quarter) => ago(rise, (quarter * over) / quarters));
  return {
    alert: name,
    expr: `${round(over)} * (${limit} - ${count}) / (
  (${rises.join(" + ")})
  > ${minimum}
  > ${gain} * ${count}
) < ${round(within)}`,
    for: hold,
    labels: { severity: "warning", class: "leak" },
    annotations: countText(text.does, text.are, { now: count, limit }, name),
  };
}
