// Rules in an order in which each finds what it reads. A Prometheus server gets there over some evaluations; a backtest
// takes each rule for the whole stretch at once, so the order matters.

import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import { type Expr, type Matcher, selectorsOf } from "../promql/ast.ts";
import { matches } from "../promql/matcher.ts";
import { parsePromql } from "../promql/parse.ts";
import type { LabelSet } from "../promql/series.ts";

export interface PlannedRule {
  readonly rule: Rule;
  readonly expr: Expr;
  /** Seconds. */
  readonly interval: number;
  /** Rules whose series this one looks at, as it was planned before. */
  readonly reads: readonly PlannedRule[];
}

export const nameOf = (rule: Rule) => (isAlert(rule) ? rule.alert : rule.record);

/** Depth first by what each rule reads. Throws for rules that read each other in a circle, and PromqlError. */
export function planRules(groups: readonly RuleGroup[]): PlannedRule[] {
  const parsed = groups.flatMap(({ rules, interval }) =>
    rules.map((rule) => ({ rule, interval, expr: parsePromql(rule.expr) })),
  );
  const ordered: PlannedRule[] = [];
  const planned = new Map<Rule, PlannedRule | "visiting">();
  const plan = (one: (typeof parsed)[number]): PlannedRule => {
    const known = planned.get(one.rule);
    if (known === "visiting") throw new Error(`the rule ${nameOf(one.rule)} reads itself, directly or through others`);
    if (known !== undefined) return known;
    planned.set(one.rule, "visiting");
    const done = { ...one, reads: parsed.filter(({ rule }) => reads(one.expr, rule)).map(plan) };
    planned.set(one.rule, done);
    ordered.push(done);
    return done;
  };
  for (const one of parsed) plan(one);
  return ordered;
}

/** The same in rounds: what one round reads was made in the rounds before. */
export function roundsOf(plan: readonly PlannedRule[]): PlannedRule[][] {
  const round = new Map<PlannedRule, number>();
  const rounds: PlannedRule[][] = [];
  for (const planned of plan) {
    const number = Math.max(-1, ...planned.reads.map((other) => round.get(other) as number)) + 1;
    round.set(planned, number);
    rounds[number] = [...(rounds[number] ?? []), planned];
  }
  return rounds;
}

/** Does an expression look at the series of this rule? */
export function reads(expr: Expr, rule: Rule): boolean {
  for (const { name, matchers } of selectorsOf(expr)) {
    if (!isAlert(rule)) {
      if (name === rule.record) return true;
    } else if (name === "ALERTS" && canBe(matchers, { ...rule.labels, alertname: rule.alert, alertstate: "firing" })) {
      return true;
    }
  }
  return false;
}

/** Matchers of labels that are the series', not the alert's, exclude nothing. */
const canBe = (matchers: readonly Matcher[], labels: LabelSet) =>
  matchers.every((matcher) => labels[matcher.label] === undefined || matches(matcher, labels));
