// Descriptors and threads leak too. The exporter tells what the least of some minutes gained in a quarter of half a day; four of
// those in a row are a leak. Gains are there only where there are any, so that half a day is a few series.

import { alertLabels, alerts, type DeclaredAlert } from "../../catalog/alerts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { processMetrics, recentMetrics as recent } from "../../catalog/metrics.ts";
import { sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { countText } from "../annotations.ts";
import { ago, round } from "../promql.ts";
import type { AlertRule, RecordingRule, RuleGroup } from "../rule.ts";

export const countLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-counts",
  interval: d.evaluation.slow,
  rules: [
    wholeRise(d, sparse.fdRise.name, recent.fdRise.name),
    wholeRise(d, sparse.threadRise.name, recent.threadRise.name),
    countAlert(d, alerts.descriptorLeak, sparse.fdRise.name, processMetrics.openFds.name, processMetrics.maxFds.name, {
      does: "leaks file descriptors",
      are: "descriptors are open",
    }),
    countAlert(
      d,
      alerts.threadLeak,
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

/** What the quarters gained together, where each did. */
function wholeRise({ countLeak: { over, quarters, minimum } }: Detection, record: string, rise: string): RecordingRule {
  const rises = Array.from({ length: quarters }, (_, quarter) => ago(rise, (quarter * over) / quarters));
  return { record, expr: `${rises.join(" + ")} > ${minimum}` };
}

/** The value is the time left in seconds: what is free, over the pace. */
function countAlert(
  { countLeak: { over, gain, within, for: hold } }: Detection,
  alert: DeclaredAlert,
  rise: string,
  count: string,
  limit: string,
  text: { does: string; are: string },
): AlertRule {
  return {
    alert: alert.name,
    expr: `${round(over)} * ((${limit} and ${rise}) - ${count}) / (${rise} > ${gain} * ${count}) < ${round(within)}`,
    for: hold,
    labels: alertLabels(alert),
    annotations: countText(text.does, text.are, { now: count, limit }, alert.name),
  };
}
