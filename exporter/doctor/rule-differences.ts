// Are the rules that a server has loaded those that we ship? Servers write expressions in their own way, so trees are
// compared and not texts; annotations may differ, since `leakwatch rules` puts other links into them.

import { isDeepStrictEqual } from "node:util";
import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import type { Expr } from "../promql/ast.ts";
import { parsePromql } from "../promql/parse.ts";
import type { LoadedGroup, LoadedRule } from "./prometheus.ts";

export interface RuleDifferences {
  /** Names of groups that are not loaded at all. */
  readonly missingGroups: readonly string[];
  /** `group: rule` of loaded groups. */
  readonly missingRules: readonly string[];
  /** `group: rule` whose expression, labels or times are others. */
  readonly changed: readonly string[];
}

export function ruleDifferences(shipped: readonly RuleGroup[], loaded: readonly LoadedGroup[]): RuleDifferences {
  const missingGroups: string[] = [];
  const missingRules: string[] = [];
  const changed: string[] = [];
  for (const { name, rules } of shipped) {
    const found = loaded.filter((group) => group.name === name);
    if (found.length === 0) {
      missingGroups.push(name);
      continue;
    }
    const candidates = found.flatMap((group) => group.rules);
    for (const rule of rules) {
      const named = candidates.filter((candidate) => candidate.name === nameOf(rule));
      if (named.length === 0) missingRules.push(`${name}: ${nameOf(rule)}`);
      else if (!named.some((candidate) => isSame(rule, candidate))) changed.push(`${name}: ${nameOf(rule)}`);
    }
  }
  return { missingGroups, missingRules: unique(missingRules), changed: unique(changed) };
}

export const nameOf = (rule: Rule): string => (isAlert(rule) ? rule.alert : rule.record);

function isSame(rule: Rule, loaded: LoadedRule): boolean {
  return (
    isDeepStrictEqual({ ...rule.labels }, { ...loaded.labels }) &&
    (!isAlert(rule) || (rule.for === loaded.for && (rule.keepFiringFor ?? 0) === loaded.keepFiringFor)) &&
    isSameExpression(rule.expr, loaded.query)
  );
}

function isSameExpression(ours: string, theirs: string): boolean {
  try {
    return canonical(parsePromql(ours)) === canonical(parsePromql(theirs));
  } catch {
    return false; // uses what none of our rules use
  }
}

/** The tree as text; servers sort the matchers of a selector. */
const canonical = (expr: Expr): string =>
  JSON.stringify(expr, (key, value) =>
    key === "matchers" ? (value as object[]).map((matcher) => JSON.stringify(matcher)).sort() : value,
  );

const unique = (names: readonly string[]) => [...new Set(names)];
