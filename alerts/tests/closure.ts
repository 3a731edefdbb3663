// The rules that a test needs, and no others: promtool evaluates all that it is given at every step of hours or days.

import { isAlert, type Rule, type RuleGroup } from "../rule.ts";
import type { Expectation, RuleTestFile } from "./rule-test.ts";

/** What the test asks for, what that reads, and what the texts of its alerts ask for. */
export function rulesFor(test: RuleTestFile, groups: readonly RuleGroup[]): RuleGroup[] {
  const rules = groups.flatMap((group) => group.rules);
  const expectations = test.tests.flatMap(({ expect }) => expect);
  const needed = new Set<Rule>();
  const need = (rule: Rule) => {
    if (needed.has(rule)) return;
    needed.add(rule);
    for (const other of rules) if (textsOf(rule).some((text) => names(text, other))) need(other);
  };
  for (const rule of rules) if (expectations.some((expected) => isAskedFor(rule, expected))) need(rule);
  return groups
    .map((group) => ({ ...group, rules: group.rules.filter((rule) => needed.has(rule)) }))
    .filter(({ rules }) => rules.length > 0);
}

function isAskedFor(rule: Rule, expected: Expectation): boolean {
  if ("alert" in expected) return isAlert(rule) && rule.alert === expected.alert;
  const { query } = expected;
  if (!isAlert(rule)) return query.includes(rule.record);
  if (!query.includes("ALERTS")) return false;
  const [, name] = /[{,]alertname=~?"([^"]+)"/.exec(query) ?? [];
  if (name !== undefined) return new RegExp(`^(${name})$`).test(rule.alert);
  const [, only] = /[{,]class="(\w+)"/.exec(query) ?? [];
  return only === undefined || only === rule.labels.class;
}

const textsOf = (rule: Rule) => [rule.expr, ...(isAlert(rule) ? Object.values(rule.annotations) : [])];

/** Whether the text asks for what the rule makes. No recorded name is the beginning of another's that is not needed anyway. */
const names = (text: string, rule: Rule) =>
  isAlert(rule) ? text.includes(`ALERTS{alertname="${rule.alert}"`) : text.includes(rule.record);
