// A rule file as it is shipped, read back: what it records, and how far back it looks.

import { load } from "js-yaml";
import type { RuleGroup } from "../../alerts/rule.ts";
import { type Decoder, duration } from "../../exporter/config/decode.ts";
import { type Expr, selectorsOf } from "../../exporter/promql/ast.ts";
import { lookback } from "../../exporter/promql/evaluate.ts";
import { parsePromql } from "../../exporter/promql/parse.ts";

/** One rule as the file has it. */
export interface FileRule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
}

export interface FileGroup {
  name: string;
  interval: string;
  rules: FileRule[];
}

export const parseRuleFile = (text: string): FileGroup[] => (load(text) as { groups: FileGroup[] }).groups;

export const seconds = (text: string) => (duration as Decoder<number>)(text, []);

/** The same, evaluated so often. A file for Prometheus; JSON is YAML. */
export const withInterval = (groups: readonly FileGroup[], interval: number): string =>
  JSON.stringify({ groups: groups.map((group) => ({ ...group, interval: `${interval}s` })) });

/** The recording rules, for the builtin engine. */
export const recordingGroups = (groups: readonly FileGroup[]): RuleGroup[] =>
  groups.map(({ name, interval, rules }) => ({
    name,
    interval: seconds(interval),
    rules: rules.flatMap(({ record, expr, labels = {} }) => (record === undefined ? [] : [{ record, expr, labels }])),
  }));

/** How far back the rules look for each series that they name, in seconds. */
export function reaches(groups: readonly FileGroup[]): Map<string, number> {
  const reach = new Map<string, number>();
  for (const { expr } of groups.flatMap(({ rules }) => rules)) {
    for (const { name, back } of looks(parsePromql(expr), 0)) reach.set(name, Math.max(reach.get(name) ?? 0, back));
  }
  return reach;
}

function* looks(expr: Expr, before: number): Generator<{ name: string; back: number }> {
  switch (expr.kind) {
    case "number":
    case "text":
      return;
    case "selector":
      yield { name: expr.name, back: before + expr.offset + (expr.range ?? 0) + lookback };
      return;
    case "subquery":
      yield* looks(expr.of, before + expr.offset + expr.range);
      return;
    case "call":
      for (const argument of expr.args) yield* looks(argument, before);
      return;
    case "binary":
      yield* looks(expr.left, before);
      yield* looks(expr.right, before);
      return;
    default:
      yield* looks(expr.of, before);
  }
}

/** The longest range over series that no rule records; the floor may have any. */
export function longestRawRange(groups: readonly FileGroup[]): { seconds: number; series: string; rule: string } {
  const rules = groups.flatMap((group) => group.rules);
  const recorded = new Set(rules.map(({ record }) => record));
  let longest = { seconds: 0, series: "", rule: "" };
  for (const { record, alert, expr } of rules) {
    if (record?.includes("_floor_")) continue;
    for (const { name, range = 0 } of selectorsOf(parsePromql(expr))) {
      if (recorded.has(name) || name === "ALERTS" || range <= longest.seconds) continue;
      longest = { seconds: range, series: name, rule: record ?? alert ?? "" };
    }
  }
  return longest;
}
