// The bundle watches itself: alerts that cannot fire because their data is missing are worse than none.

import type { Severity } from "../../catalog/alerts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { exporterLabels, listed } from "../../catalog/labels.ts";
import { groupMetrics, selfMetrics } from "../../catalog/metrics.ts";
import { exporterRecordings as exporter, groupRecordings as group } from "../../catalog/recordings.ts";
import { healthText } from "../annotations.ts";
import { ago, all, duration, round } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

/** The target of a scrape, whatever its job is called. */
const target = `on (${listed(exporterLabels)})`;
const { buildInfo, lastSample, unreadable } = selfMetrics;

export const healthAlerts = ({ evaluation, health }: Detection): RuleGroup => {
  const { ran } = health;
  const { over, stretch } = health.ownGrowth;
  /** Least memory of the exporter in an hour, so long ago. */
  const floor = (before: number) => `min_over_time(${ago(`${exporter.memory.name}[${duration(stretch)}]`, before)})`;
  return {
    name: "leakwatch-health",
    interval: evaluation.fast,
    rules: [
      {
        record: exporter.memory.name,
        expr: `process_resident_memory_bytes and ${target} ${buildInfo.name}`,
      },
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
        expr: `${groupMetrics.processes.name} == 0
and count_over_time(${all(group.ran.name, ran.over, evaluation.rare)}) >= ${Math.round((ran.share * ran.over) / evaluation.rare)}`,
        for: health.targetGone,
        summary: "{{ $labels.group }} is gone.",
        description: `It ran for most of the last ${duration(ran.over)}, and has no process now. This alert ends by itself after ${duration((1 - ran.share) * ran.over)}.`,
      }),
      alert("LeakwatchSamplesStale", "warning", {
        expr: `time() - ${lastSample.name} > ${round(health.staleSample)}`,
        for: health.down,
        summary: "leakwatch on {{ $labels.instance }} has stopped looking.",
        description: "Its last look at the processes was {{ $value | humanizeDuration }} ago.",
      }),
      alert("LeakwatchTargetsUnreadable", "info", {
        expr: `${unreadable.name} > 0`,
        for: health.unreadable,
        summary: "leakwatch on {{ $labels.instance }} cannot read {{ $labels.file }} of {{ $value }} processes.",
        description: "The reason is: {{ $labels.reason }}. What cannot be read has no series, and no alert.",
      }),
      alert("LeakwatchRulesNotEvaluated", "warning", {
        expr: `time() - prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group=~".*;leakwatch-.*"}
> ${health.rulesLate} * prometheus_rule_group_interval_seconds
or time() - prometheus_rule_group_last_evaluation_timestamp_seconds
and increase(prometheus_rule_evaluation_failures_total{rule_group=~".*;leakwatch-.*"}[${duration(health.rulesFail.over)}]) > ${health.rulesFail.count}`,
        for: health.down,
        summary: "The rule group {{ $labels.rule_group }} is late, or its evaluation fails.",
        description:
          "Its last evaluation was {{ $value | humanizeDuration }} ago. Alerts that depend on it cannot fire.",
      }),
      alert("LeakwatchExporterLeaks", "warning", {
        expr: `(${floor(0)} > (${floor(over / 2)} > ${floor(over)})) - ${floor(over)} > ${health.ownGrowth.bytes}
unless ${target} (time() - process_start_time_seconds < ${round(over + stretch)})`,
        for: health.ownGrowth.for,
        summary: "leakwatch on {{ $labels.instance }} itself grows.",
        description: `It took {{ $value | humanize1024 }}B more over ${duration(over)}. Restart it and tell its developers.`,
      }),
    ],
  };
};

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
