// Small pieces of PromQL that many rules share. Everything else is written out, so that rules read as they will run.

import type { Metric } from "../catalog/metric.ts";
import type { Verdict } from "../catalog/verdicts.ts";
import type { Rules } from "../detection/rules.ts";

/** `90 * 60` seconds is `1h30m`; a compressed clock has milliseconds. */
export function duration(seconds: number): string {
  let rest = Math.round(seconds * 1000);
  let text = "";
  for (const [unit, size] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
    ["ms", 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || "0s";
}

/** A series so many seconds ago. */
export const ago = (series: string, seconds: number) =>
  seconds === 0 ? series : `${series} offset ${duration(seconds)}`;

/**
 * All that was recorded in so many seconds, one value for each interval. Half an interval less, so that they are as many on every
 * server: Prometheus 2 takes in the moment at the far end of a range, 3 does not.
 */
export const all = (recorded: string, seconds: number, interval: number) =>
  `${recorded}[${duration(seconds - interval / 2)}]`;

/** The same as `all` of a subquery, which reads few of the samples. */
export const bySteps = ({ evaluation }: Rules, expr: string, over: number, step: number) =>
  `${expr}[${duration(over - evaluation.fast)}:${duration(step)}]`;

/** The greatest of several vectors, element by element; each may lack some of the elements. */
export const greatest = (...exprs: readonly string[]) => `max without (of) (\n  ${distinct(exprs)}\n)`;

/** All elements of several vectors, kept apart by the label `of`. */
export const distinct = (exprs: readonly string[]) =>
  exprs.map((expr, i) => `label_replace(${expr}, "of", "${i}", "", "")`).join("\n  or ");

/** Those with one of these verdicts, without the word: one that changes is not another alert. */
export const withVerdict = ({ name }: Metric, ...words: readonly Verdict[]) =>
  `max without (verdict) (${name}{verdict${words.length > 1 ? "=~" : "="}"${words.join("|")}"})`;

/** Enough digits to tell 0.65 of a window from 0.651: thresholds are no exacter than that. */
export const round = (x: number) => String(Number(x.toPrecision(6)));
