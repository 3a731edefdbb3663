// The one place that knows what rules look like as YAML.

import { dump } from "js-yaml";
import { duration } from "./promql.ts";
import { isAlert, type Rule, type RuleGroup } from "./rule.ts";

/** A rule file for Prometheus. */
export function renderRules(groups: readonly RuleGroup[]): string {
  return toYaml({ groups: groups.map(groupObject) });
}

/** The same as an object of the Prometheus operator. */
export function renderPrometheusRule(
  groups: readonly RuleGroup[],
  labels: Readonly<Record<string, string>>,
  { name = "leakwatch", namespace }: { name?: string; namespace?: string | undefined } = {},
): string {
  return toYaml({
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels },
    spec: { groups: groups.map(groupObject) },
  });
}

function groupObject({ name, interval, rules }: RuleGroup): object {
  return { name, interval: duration(interval), rules: rules.map(ruleObject) };
}

function ruleObject(rule: Rule): object {
  if (!isAlert(rule)) return { ...rule };
  const { alert, expr, for: hold, keepFiringFor, labels, annotations } = rule;
  return {
    alert,
    expr,
    ...(hold === 0 ? {} : { for: duration(hold) }),
    ...(keepFiringFor === undefined ? {} : { keep_firing_for: duration(keepFiringFor) }),
    labels,
    annotations,
  };
}

const toYaml = (value: object) => dump(value, { lineWidth: -1, noRefs: true });
