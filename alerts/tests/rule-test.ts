// A test file for promtool as values, and its text. A test is a little fleet: several processes, each of them a situation
// with a name, and what the rules say about them at some time.
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/

import { dump } from "js-yaml";
import { duration } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";
import type { InputSeries, Labels } from "./series.ts";

export interface RuleTestFile {
  /** Seconds between two evaluations: as rarely as the rules in question allow, since each costs some milliseconds. */
  readonly evaluation: number;
  readonly tests: readonly RuleTest[];
}

export interface RuleTest {
  readonly name: string;
  readonly situations: readonly Situation[];
  readonly expect: readonly Expectation[];
}

/** Series, and a sentence that says what they are. */
export interface Situation {
  readonly what: string;
  readonly series: readonly InputSeries[];
}

/** Everything that one alert says at a time, or the result of any query. */
export type Expectation = { readonly why: string /** Minutes. */; readonly at: number } & (
  | { readonly alert: string; readonly firing: readonly ExpectedAlert[] }
  | { readonly query: string; readonly samples: readonly ExpectedSample[] }
);

export interface ExpectedAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface ExpectedSample {
  /** As PromQL writes them. */
  readonly labels: string;
  readonly value: number;
}

export const situation = (what: string, ...series: readonly (InputSeries | readonly InputSeries[])[]): Situation => ({
  what,
  series: series.flat(),
});

export const fires = (why: string, at: number, alert: string, ...firing: readonly ExpectedAlert[]): Expectation => ({
  why,
  at,
  alert,
  firing,
});

export const isSilent = (why: string, at: number, alert: string): Expectation => ({ why, at, alert, firing: [] });

export const holds = (why: string, at: number, query: string, ...samples: readonly ExpectedSample[]): Expectation => ({
  why,
  at,
  query,
  samples,
});

/** Looks back to the beginning, so that no moment is missed. */
export const neverFired = (why: string, at: number, matchers: string): Expectation =>
  holds(why, at, `count_over_time(ALERTS{alertstate="firing",${matchers}}[${duration(at * 60)}])`);

/** Nothing fires at this moment, whatever fired before. */
export const neverNow = (why: string, at: number, matchers: string): Expectation =>
  holds(why, at, `ALERTS{alertstate="firing",${matchers}}`);

/** The groups of which an alert fires or has fired, by the matchers of ALERTS. */
export const firedFor = (why: string, at: number, matchers: string, ...groups: readonly string[]): Expectation =>
  holds(
    why,
    at,
    `group by (group) (count_over_time(ALERTS{alertstate="firing",${matchers}}[${duration(at * 60)}]))`,
    ...groups.map((group) => ({ labels: `{group="${group}"}`, value: 1 })),
  );

export function renderRuleTest(
  { evaluation, tests }: RuleTestFile,
  rulesFile: string,
  groups: readonly RuleGroup[],
): string {
  const head = {
    rule_files: [rulesFile],
    evaluation_interval: duration(evaluation),
    // promtool takes groups in any order otherwise, and a text then has numbers of the evaluation before
    group_eval_order: groups.map((group) => group.name),
  };
  return `${yaml(head)}tests:\n${tests.map(testText).join("\n")}`;
}

function testText({ name, situations, expect }: RuleTest): string {
  const alerts = expect.filter((expected) => "alert" in expected);
  const queries = expect.filter((expected) => "query" in expected);
  return [
    indent("  ", `- name: ${JSON.stringify(name)}\n  interval: 1m\n  input_series:\n`),
    ...situations.map(({ what, series }) => indent("      ", `# ${what}\n${yaml(series)}`)),
    ...(alerts.length === 0 ? [] : ["    alert_rule_test:\n"]),
    ...alerts.map((expected) => indent("      ", `# ${expected.why}\n${yaml([alertItem(expected)])}`)),
    ...(queries.length === 0 ? [] : ["    promql_expr_test:\n"]),
    ...queries.map((expected) => indent("      ", `# ${expected.why}\n${yaml([queryItem(expected)])}`)),
  ].join("");
}

const alertItem = ({ at, alert, firing }: Extract<Expectation, { alert: string }>) => ({
  eval_time: duration(at * 60),
  alertname: alert,
  exp_alerts: firing.map(({ labels, annotations }) => ({ exp_labels: labels, exp_annotations: annotations })),
});

const queryItem = ({ at, query, samples }: Extract<Expectation, { query: string }>) => ({
  expr: query,
  eval_time: duration(at * 60),
  exp_samples: samples,
});

const yaml = (value: object) => dump(value, { lineWidth: -1, noRefs: true });

const indent = (by: string, text: string) => text.replaceAll(/^(?=.)/gm, by);
