// The bundle watches itself: alerts that cannot fire because their data is missing are worse than none.

import { groupMetrics, selfMetrics } from "../../catalog/metrics.ts";
import { evaluation, health, type Severity } from "../../catalog/windows.ts";
import { healthText } from "../annotations.ts";
import { duration } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

/** The target of a scrape, whatever its job is called. */
const target = "on (cluster, namespace, job, instance)";
const { buildInfo, lastSample, unreadable } = selfMetrics;

export const healthAlerts = (): RuleGroup => ({
  name: "leakwatch-health",
  interval: evaluation.fast,
  rules: [
    alert("LeakwatchExporterDown", "critical", {
      // the second half keeps it on when the memory of the first has run out
      expr: `up == 0
and ${target} (last_over_time(${buildInfo.name}[${duration(health.rememberExporter)}]) or ALERTS{alertname="LeakwatchExporterDown"})`,
      for: health.down,
      summary: "leakwatch on {{ $labels.instance }} cannot be scraped.",
      description: "Nothing on it is watched. Verdicts and alerts about it are gone, not good.",
    }),
    alert("LeakwatchExporterAbsent", "warning", {
      expr: `absent(${buildInfo.name})`,
      for: health.absent,
      summary: "No leakwatch exporter is scraped.",
      description: "The rules are loaded, but there is nothing that they could judge.",
    }),
    alert("LeakwatchTargetGone", "warning", {
      // it ran at each of these moments, so it is no job that comes and goes
      expr: [
        `${groupMetrics.processes.name} == 0`,
        ...health.ranBefore.map((ago) => `and ${groupMetrics.processes.name} offset ${duration(ago)} > 0`),
      ].join("\n"),
      for: health.targetGone,
      summary: "{{ $labels.group }} is gone.",
      description: "It ran an hour, six hours and a day ago, and has no process now.",
    }),
    alert("LeakwatchSamplesStale", "warning", {
      expr: `time() - ${lastSample.name} > ${health.staleSample}`,
      for: health.down,
      summary: "leakwatch on {{ $labels.instance }} has stopped looking.",
      description: "Its last look at the processes was {{ $value | humanizeDuration }} ago.",
    }),
    alert("LeakwatchTargetsUnreadable", "info", {
      expr: `${unreadable.name} > 0`,
      for: 6 * health.down,
      summary: "leakwatch on {{ $labels.instance }} cannot read {{ $labels.file }} of {{ $value }} processes.",
      description: "The reason is: {{ $labels.reason }}. What cannot be read has no series, and no alert.",
    }),
    alert("LeakwatchRulesNotEvaluated", "warning", {
      expr: `time() - prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group=~".*;leakwatch-.*"}
> ${health.rulesLate} * prometheus_rule_group_interval_seconds`,
      for: health.down,
      summary: "The rule group {{ $labels.rule_group }} is not evaluated.",
      description: "Its last evaluation was {{ $value | humanizeDuration }} ago. Alerts that depend on it cannot fire.",
    }),
    alert("LeakwatchExporterLeaks", "warning", {
      expr: `${ownFloor(0)} - ${ownFloor(health.ownGrowth.over)} > ${health.ownGrowth.bytes}
and ${ownFloor(0)} > ${ownFloor(health.ownGrowth.over / 2)} > ${ownFloor(health.ownGrowth.over)}
and (time() - process_start_time_seconds >= ${health.ownGrowth.over + 3600})
and ${target} ${buildInfo.name}`,
      for: health.ownGrowth.for,
      summary: "leakwatch on {{ $labels.instance }} itself grows.",
      description: `It took {{ $value | humanize1024 }}B more over ${duration(health.ownGrowth.over)}. Restart it and tell its developers.`,
    }),
  ],
});

/** Least memory of the exporter in an hour, so long ago. */
const ownFloor = (ago: number) =>
  `min_over_time(process_resident_memory_bytes[1h]${ago === 0 ? "" : ` offset ${duration(ago)}`})`;

function alert(
  name: string,
  severity: Severity,
  rule: { expr: string; for: number; summary: string; description: string },
): AlertRule {
  return {
    alert: name,
    expr: rule.expr,
    for: rule.for,
    labels: { severity, class: "health" },
    annotations: healthText(rule.summary, rule.description, name),
  };
}
