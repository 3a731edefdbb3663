// Descriptors and threads leak too. Their counts are whole numbers without garbage collection, so a plain least of an
// hour now and half a day ago is enough, with growth in between.

import type { Detection } from "../../catalog/detection.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { countText } from "../annotations.ts";
import { ago, duration, round, youngerThan } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

export const countLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-counts",
  interval: d.evaluation.slow,
  rules: [
    countAlert(d, "LeakwatchDescriptorLeak", processMetrics.openFds.name, processMetrics.maxFds.name, {
      does: "leaks file descriptors",
      are: "descriptors are open",
    }),
    countAlert(d, "LeakwatchThreadLeak", processMetrics.threads.name, processMetrics.maxThreads.name, {
      does: "leaks threads",
      are: "threads run",
    }),
  ],
});

/** The value is the time left in seconds: what is free, over the pace. */
function countAlert(
  { countLeak }: Detection,
  name: string,
  count: string,
  limit: string,
  text: { does: string; are: string },
): AlertRule {
  const { over, stretch, gain, minimum, within, for: hold } = countLeak;
  const least = (age: number) => `min_over_time(${ago(`${count}[${duration(stretch)}]`, age)})`;
  const [now, ...before] = [0, 1, 2, 3, 4].map((quarter) => least((quarter * over) / 4)) as [string, ...string[]];
  const rising = `${now} > (${before.join(" > (")}${")".repeat(before.length)}`;
  return {
    alert: name,
    expr: `${round(over)} * (${limit} - ${count}) / (
  (${rising}) - ${least(over)}
  > ${minimum}
  > ${gain} * ${count}
) < ${round(within)}
unless ${youngerThan(over + stretch)}`,
    for: hold,
    labels: { severity: "warning", class: "leak" },
    annotations: countText(text.does, text.are, { now: count, limit }, name),
  };
}
