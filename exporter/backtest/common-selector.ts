// One selector for many series: what they have in common, and the few values in which they differ.

import type { LabelSet } from "../prometheus/labels.ts";
import { literalPattern, matcherText, selectorText } from "../prometheus/selector.ts";

/** Values are listed as long as these bounds allow; otherwise their common beginning is asked for. */
const mostValues = 50;
const longestList = 1500;

/** Finds at least these series. There is no way to say that there are no other labels, so it may find more. */
export function commonSelector(name: string, series: readonly LabelSet[], matchers = ""): string {
  const [first = {}, ...others] = series;
  const same: Record<string, string> = {};
  const lists: string[] = [];
  for (const [label, value] of Object.entries(first)) {
    if (label === "__name__" || others.some((labels) => labels[label] === undefined)) continue;
    const values = [...new Set(series.map((labels) => labels[label] as string))];
    if (values.length === 1) same[label] = value;
    else lists.push(matcherText(label, "=~", anyOf(values)));
  }
  return selectorText(name, same, [...lists, ...(matchers === "" ? [] : [matchers])].join(","));
}

function anyOf(values: readonly string[]): string {
  const list = values.map(literalPattern).join("|");
  if (values.length <= mostValues && list.length <= longestList) return list;
  return `${literalPattern(values.reduce(commonBeginning))}.*`;
}

function commonBeginning(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return one.slice(0, length);
}
