// Small pieces of PromQL that many rules share. Everything else is written out, so that rules read as they will run.

import { processMetrics } from "../catalog/metrics.ts";

/** `90 * 60` seconds is `1h30m`. */
export function duration(seconds: number): string {
  let rest = seconds;
  let text = "";
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || "0s";
}

/** The process is at least this old: nothing looks across a restart. */
export const olderThan = (seconds: number) => `(time() - ${processMetrics.startTime.name} >= ${seconds})`;

export const youngerThan = (seconds: number) => `(time() - ${processMetrics.startTime.name} < ${seconds})`;

/** At most five significant digits: thresholds are no exacter than that. */
export const round = (x: number) => String(Number(x.toPrecision(5)));
