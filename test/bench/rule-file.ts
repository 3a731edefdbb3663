// A rule file as it is shipped, read back: what it records, and how far back it looks.

import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import { load } from "js-yaml";
import { type Decoder, duration } from "../../exporter/config/decode.ts";

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

/** What one selector reads: `range` of it at once, and `back` into the past with all that is around it, in seconds. */
interface Look {
  readonly name: string;
  readonly range: number;
  readonly back: number;
}

/** A sample holds for so long. */
const lookback = 300;

function looksOf(expr: string): Look[] {
  const looks: Look[] = [];
  const text = ({ from, to }: SyntaxNode) => expr.slice(from, to);
  /** The first duration behind what the node is about. */
  const behind = (node: SyntaxNode) =>
    seconds(/(?:\d+(?:ms|[smhdwy]))+/.exec(text(node).slice(text(node.firstChild as SyntaxNode).length))?.[0] ?? "0s");
  parser.parse(expr).iterate({
    enter: ({ node }) => {
      if (node.name !== "VectorSelector") return;
      const identifier = node.getChild("Identifier");
      let [back, range] = [lookback, 0];
      for (let up = node.parent; up !== null; up = up.parent) {
        if (up.name === "MatrixSelector") range = behind(up);
        if (["MatrixSelector", "OffsetExpr", "SubqueryExpr"].includes(up.name)) back += behind(up);
      }
      looks.push({ name: identifier ? text(identifier) : "", range, back });
    },
  });
  return looks;
}

/** How far back the rules look for each series that they name, in seconds. */
export function reaches(groups: readonly FileGroup[]): Map<string, number> {
  const reach = new Map<string, number>();
  for (const { expr } of groups.flatMap(({ rules }) => rules)) {
    for (const { name, back } of looksOf(expr)) reach.set(name, Math.max(reach.get(name) ?? 0, back));
  }
  return reach;
}

/** The longest range over series that no rule records. */
export function longestRawRange(groups: readonly FileGroup[]): { seconds: number; series: string; rule: string } {
  const rules = groups.flatMap((group) => group.rules);
  const recorded = new Set(rules.map(({ record }) => record));
  let longest = { seconds: 0, series: "", rule: "" };
  for (const { record, alert, expr } of rules) {
    for (const { name, range } of looksOf(expr)) {
      if (recorded.has(name) || name === "ALERTS" || range <= longest.seconds) continue;
      longest = { seconds: range, series: name, rule: record ?? alert ?? "" };
    }
  }
  return longest;
}
