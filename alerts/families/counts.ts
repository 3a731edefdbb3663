// Descriptors and threads leak too. Their counts are whole numbers without garbage collection, so a plain least of an
// hour now and half a day ago is enough, with growth in between.

import { processMetrics } from "../../catalog/metrics.ts";
import { countLeak, evaluation } from "../../catalog/windows.ts";
import { countText } from "../annotations.ts";
import { duration, olderThan } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

export const countLeaks = (): RuleGroup => ({
  name: "leakwatch-counts",
  interval: evaluation.slow,
  rules: [
    countAlert("LeakwatchDescriptorLeak", processMetrics.openFds.name, processMetrics.maxFds.name, {
      does: "leaks file descriptors",
      are: "descriptors are open",
    }),
    // the kernel's usual bound of threads per process in a container; none is exposed per process
    countAlert("LeakwatchThreadLeak", processMetrics.threads.name, 4096, {
      does: "leaks threads",
      are: "threads run",
    }),
  ],
});

/** The value is the time left in seconds: what is free, over the pace. */
function countAlert(
  name: string,
  count: string,
  limit: string | number,
  text: { does: string; are: string },
): AlertRule {
  const { over, stretch, gain, minimum, within, for: hold } = countLeak;
  const least = (age: number) =>
    `min_over_time(${count}[${duration(stretch)}]${age === 0 ? "" : ` offset ${duration(age)}`})`;
  const grown = `(${least(0)} - ${least(over)})`;
  return {
    alert: name,
    expr: `(${limit} - ${count}) / (${grown} / ${over} > 0) < ${within}
and ${grown} > ${minimum} and ${grown} > ${gain} * ${count}
and ${least(0)} > ${least(over / 4)} and ${least(over / 4)} > ${least(over / 2)} and ${least(over / 2)} > ${least((3 * over) / 4)} and ${least((3 * over) / 4)} > ${least(over)}
and ${olderThan(over + stretch)}`,
    for: hold,
    labels: { severity: "warning", class: "leak" },
    annotations: countText(text.does, text.are, { now: count, limit }, name),
  };
}
