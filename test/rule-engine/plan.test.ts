import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import type { AlertRule, RecordingRule, Rule } from "../../alerts/rule.ts";
import { tracedGroups } from "../../exporter/backtest/builtin.ts";
import { nameOf, planRules, roundsOf } from "../../exporter/rule-engine/plan.ts";

const record = (name: string, expr: string): RecordingRule => ({ record: name, expr });

const alert = (name: string, expr: string): AlertRule => ({
  alert: name,
  expr,
  for: 0,
  labels: { severity: "warning", class: "leak" },
  annotations: { summary: "", description: "" },
});

const planned = (...rules: Rule[]) => planRules([{ name: "g", interval: 60, rules }]);
const names = (...rules: Rule[]) => planned(...rules).map(({ rule }) => nameOf(rule));

describe("rules are planned after what they read", () => {
  test.each<[string, Rule[], string[]]>([
    ["what stands in order stays in order", [record("a", "x"), record("b", "a")], ["a", "b"]],
    ["what stands too early comes later", [record("c", "b"), record("b", "a"), record("a", "x")], ["a", "b", "c"]],
    [
      "also what is read over a range, with an offset",
      [record("b", "max_over_time(a[1h] offset 1d)"), record("a", "x")],
      ["a", "b"],
    ],
    ["an alert that is read by its name", [record("v", 'ALERTS{alertname="L"}'), alert("L", "x")], ["L", "v"]],
    ["alerts that are read by a pattern", [record("v", 'ALERTS{alertname=~"L.*"}'), alert("Leak", "x")], ["Leak", "v"]],
    ["alerts that are read with a label of the series", [record("v", 'ALERTS{slot!=""}'), alert("L", "x")], ["L", "v"]],
    ["another alert does not matter", [record("v", 'ALERTS{alertname="L"}'), alert("M", "v")], ["v", "M"]],
    ["nor one of another class", [record("v", 'ALERTS{class="restarts"}'), alert("L", "v")], ["v", "L"]],
    ["nor one that is only pending", [record("v", 'ALERTS{alertstate="pending"}'), alert("L", "v")], ["v", "L"]],
  ])("%s", (_, rules, order) => {
    expect(names(...rules)).toEqual(order);
  });

  test("also across groups, with the interval of their own group", () => {
    const plan = planRules([
      { name: "slow", interval: 300, rules: [record("b", "a")] },
      { name: "fast", interval: 60, rules: [record("a", "x")] },
    ]);
    expect(plan.map(({ rule, interval }) => [nameOf(rule), interval])).toEqual([
      ["a", 60],
      ["b", 300],
    ]);
  });
});

test.each<[string, Rule[], string]>([
  ["a rule that reads itself", [record("a", "a offset 1m")], "the rule a reads itself"],
  [
    "two that read each other",
    [record("a", "b"), record("b", "a")],
    "the rule a reads itself, directly or through others",
  ],
  ["an alert that waits for itself", [record("a", "ALERTS"), alert("L", "a")], "the rule a reads itself"],
])("%s is refused", (_, rules, message) => {
  expect(() => names(...rules)).toThrow(message);
});

test("rounds: each holds what reads only the rounds before", () => {
  const plan = planned(
    record("a", "x"),
    record("b", "y"),
    record("c", "a + b"),
    record("d", "c + x"),
    record("e", "b"),
  );
  expect(roundsOf(plan).map((round) => round.map(({ rule }) => nameOf(rule)))).toEqual([["a", "b"], ["c", "e"], ["d"]]);
});

test("the shipped rules can be planned, and none reads a later one", () => {
  const plan = planRules(tracedGroups(ruleGroups()));
  expect(plan.length).toBe(tracedGroups(ruleGroups()).flatMap(({ rules }) => rules).length);
  for (const [i, { rule, reads }] of plan.entries()) {
    for (const other of reads) expect(plan.indexOf(other), nameOf(rule)).toBeLessThan(i);
  }
});
