// The bundle watches itself: alerts that cannot fire because their data is missing are worse than none, and so are those that
// fire at each start of a server, each deploy and each move of a pod.

import { alertLabels, alerts, type DeclaredAlert, type Severity } from "../../catalog/alerts.ts";
import { exporterLabels, groupLabels, listed, serviceLabels } from "../../catalog/labels.ts";
import { groupMetrics, selfMetrics } from "../../catalog/metrics.ts";
import { groupRecordings as group } from "../../catalog/recordings.ts";
import type { Rules } from "../../detection/rules.ts";
import { goneText, healthText } from "../annotations.ts";
import { ago, all, duration, round } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

/** The target of a scrape, whatever its job is called. */
const onTarget = `on (${listed(exporterLabels)})`;
const onGroup = `on (${listed(groupLabels)})`;
const processes = groupMetrics.processes.name;
const { buildInfo, lastSample, podsListed, unreadable } = selfMetrics;

/** Which groups there are, by the half hour. */
export const runningGroups = (d: Rules): RuleGroup => ({
  name: "leakwatch-running",
  interval: d.evaluation.rare,
  rules: [{ record: group.running.name, expr: `${processes} > 0` }],
});

/** Services that are missed. */
export const goneServices = (d: Rules): RuleGroup => ({
  name: "leakwatch-gone",
  interval: d.evaluation.slow,
  rules: [
    { record: group.went.name, expr: wentLately(d) },
    { record: group.dropped.name, expr: droppedGroups(d) },
    targetGoneAlert(d),
  ],
});

/** Two evaluations see a group go, on any phase. */
const seenFor = ({ evaluation }: Rules) => 2 * evaluation.slow;

function wentLately(d: Rules): string {
  const gone = d.health.targetGone;
  return `max_over_time(${processes}[${duration(seenFor(d))}] offset ${duration(gone)}) > 0
unless ${onGroup} max_over_time(${processes}[${duration(gone)}]) > 0`;
}

/**
 * Judged once, shortly after a group went, when it can still be seen what else changed at that time: processes of the same service
 * that came elsewhere, a name that came on the same target, other groups that went with it.
 */
function droppedGroups(d: Rules): string {
  const { ran, targetGone, together } = d.health;
  const { slow, rare } = d.evaluation;
  /** When all of what is compared was still as it had been, a slow deploy included. */
  const before = targetGone + seenFor(d) + targetGone + slow;
  const ofService = `by (${listed(serviceLabels)})`;
  return [
    group.went.name,
    `and ${onGroup} ${processes} == 0`,
    `and ${onGroup} count_over_time(${all(group.running.name, ran.over, rare)}) >= ${Math.round((ran.share * ran.over) / rare)}`,
    // all hosts together lost what it had: it came nowhere else
    `and ${onGroup} (${ago(processes, before)} <= on (${listed(serviceLabels)}) group_left () (sum ${ofService} (${ago(processes, before)}) - sum ${ofService} (${processes})))`,
    `unless ${onTarget} (${processes} > 0 unless ${onGroup} ${ago(processes, before)})`,
    `unless ${onTarget} (count by (${listed(exporterLabels)}) (${group.went.name}) >= ${together})`,
  ].join("\n");
}

function targetGoneAlert({ evaluation, health }: Rules): AlertRule {
  const { ran, targetGone, missed } = health;
  return {
    alert: alerts.targetGone.name,
    expr: `${processes} == 0 and ${onGroup} count_over_time(${all(group.dropped.name, missed, evaluation.slow)}) > 0`,
    for: 0,
    labels: alertLabels(alerts.targetGone),
    annotations: goneText(
      `not running for ${duration(targetGone)} or longer`,
      `It ran for most of the last ${duration(ran.over)}, and nothing else on this host took its place.`,
      `First: start it, unless it was stopped on purpose. This alert resolves ${duration(missed)} after the exit in any case.`,
      alerts.targetGone.name,
    ),
  };
}

export const healthAlerts = ({ evaluation, health }: Rules): RuleGroup => {
  return {
    name: "leakwatch-health",
    interval: evaluation.fast,
    rules: [
      healthAlert(alerts.exporterDown, {
        // the second half keeps it on when the memory of the first has run out
        expr: `up == 0
and ${onTarget} (last_over_time(${buildInfo.name}[${duration(health.rememberExporter)}]) or ${down("critical")})`,
        for: health.down,
        what: "cannot be scraped",
        facts: "Nothing on it is watched, and its alerts have resolved: missing alerts do not mean healthy.",
        first: "First: see whether only the exporter is down, or the host too.",
      }),
      healthAlert(
        alerts.exporterDown,
        {
          expr: `up{job=~"${ourJobs}"} == 0
unless ${onTarget} (last_over_time(${buildInfo.name}[${duration(health.rememberExporter)}]) or ${down("critical")})`,
          for: health.absent,
          what: "has never been scraped",
          facts: "The target is there, but no exporter has answered on it yet: nothing on it is watched.",
          first: "First: read why its container or service does not start.",
        },
        "warning",
      ),
      healthAlert(alerts.exporterAbsent, {
        expr: `absent(${buildInfo.name})`,
        for: health.absent,
        who: "leakwatch",
        what: "no exporter is scraped",
        facts: "The rules are loaded, but there is nothing that they could judge.",
        first: "First: look at the targets of Prometheus.",
      }),
      healthAlert(alerts.samplesStale, {
        expr: `time() - ${lastSample.name} > ${round(health.staleSample)}`,
        for: health.down,
        what: "last sample {{ $value | humanizeDuration }} ago",
        facts: "It answers, but has stopped sampling; missing alerts do not mean healthy.",
        first: "First: restart it.",
      }),
      healthAlert(alerts.podsStale, {
        expr: `time() - ${podsListed.name} > ${round(health.podsStale)}`,
        for: health.down,
        what: `the list of pods is ${listAge}`,
        facts:
          "New containers are watched under the names of their programs, and services of different pods may share one.",
        first: "First: check that its service account may list pods.",
      }),
      healthAlert(alerts.targetsUnreadable, {
        expr: `${unreadable.name} > 0`,
        for: health.unreadable,
        what: "cannot read {{ $labels.file }} of {{ $value }} processes",
        facts: "The reason is: {{ $labels.reason }}. What cannot be read has no series, and no alert.",
        first: "First: compare the privileges of the exporter with those that this file needs.",
      }),
      healthAlert(alerts.rulesNotEvaluated, {
        expr: rulesNotEvaluated(health, evaluation),
        for: health.down,
        who: "Prometheus on {{ $labels.instance }}",
        what: 'rule group {{ $labels.rule_group | reReplaceAll ".*;" "" }} is late or fails',
        facts: `${lastEvaluation} Alerts that depend on it cannot fire.`,
        first: "First: look for an error on the rules page of Prometheus.",
      }),
      healthAlert(alerts.exporterLeaks, {
        expr: `${selfMetrics.ownSeverity.name} > ${health.ownLeak}`,
        for: health.down,
        what: "its own memory is leaking",
        facts: "It judges itself as it judges others.",
        first: "First: restart it, and report it to its developers.",
      }),
    ],
  };
};

/** Targets that are exporters by their job, as all that is shipped calls it, whether they have ever answered or not. */
const ourJobs = ".*leakwatch.*";

const down = (severity: Severity) => `ALERTS{alertname="${alerts.exporterDown.name}",severity="${severity}"}`;

/** 0 stands for never. */
const listAge = "{{ if gt $value 1e9 }}not there yet{{ else }}{{ $value | humanizeDuration }} old{{ end }}";

const lastEvaluation = `{{ if lt $value 0.0 }}It has not been evaluated yet.{{ else }}Its last evaluation was {{ $value | humanizeDuration }} ago.{{ end }}`;

/**
 * Late, never evaluated, or failing. A server says 0 for a group whose first turn has not come: it spreads first turns over the
 * interval, so that a group of 30 minutes is due up to 30 minutes after a start or a reload. Less than 0 stands for never.
 */
function rulesNotEvaluated({ rulesLate, rulesFail }: Rules["health"], { rare }: Rules["evaluation"]): string {
  const ours = `{rule_group=~".*;leakwatch-.*"}`;
  const last = `prometheus_rule_group_last_evaluation_timestamp_seconds${ours}`;
  /** At each of these times, further apart than no turn is. */
  const neverSince = Array.from({ length: rulesLate + 1 }, (_, i) => `${ago(last, i * rare)} == 0`).join(" and ");
  return `time() - (${last} > 0) > ${rulesLate} * prometheus_rule_group_interval_seconds
or (${neverSince}) - 1
or time() - (${last} > 0)
and increase(prometheus_rule_evaluation_failures_total${ours}[${duration(rulesFail.over)}]) > ${rulesFail.count}`;
}

/** An alert of an exporter, unless another is named. */
function healthAlert(
  alert: DeclaredAlert,
  rule: { expr: string; for: number; who?: string; what: string; facts: string; first: string },
  severity: Severity = alert.severities[0],
): AlertRule {
  const { who = "leakwatch on {{ $labels.instance }}", what, facts, first } = rule;
  return {
    alert: alert.name,
    expr: rule.expr,
    for: rule.for,
    labels: alertLabels(alert, severity),
    annotations: healthText(who, what, `${facts} ${first}`, alert.name),
  };
}
