// Restarts, and what they hide. Counters are read from the first minute on: a service that is killed at minutes 2 and 4 of its
// life is in a loop at minute 4, although nobody knows what its counters were an hour ago.

import { alertLabels, alerts } from "../../catalog/alerts.ts";
import { exporterLabels, groupLabels, listed } from "../../catalog/labels.ts";
import { groupMetrics, selfMetrics } from "../../catalog/metrics.ts";
import { groupRecordings as group } from "../../catalog/recordings.ts";
import type { Rules } from "../../detection/rules.ts";
import { groupText, oomText } from "../annotations.ts";
import { ago, all, bySteps, distinct, duration, greatest, round, withVerdict } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

const ofTarget = `on (${listed(exporterLabels)})`;
const ofGroup = `on (${listed(groupLabels)})`;

/** What must be known within a minute. */
export const restartRules = (d: Rules): RuleGroup => ({
  name: "leakwatch-restarts",
  interval: d.evaluation.fast,
  rules: [
    { record: group.newInHour.name, expr: newWithin(d.restarts.step) },
    ...Object.entries(incidents).map(([kind, expr]) => ({ record: group.incidents.name, expr, labels: { kind } })),
    { record: group.incidentsGained.name, expr: gained(d) },
    { record: group.incidentsInHour.name, expr: incidentsInHour(d) },
    { record: group.incidentsForLoop.name, expr: incidentsForLoop(d) },
    { record: group.oomKills.name, expr: oomKills(group.incidentsInHour.name) },
    {
      record: group.restarts.name,
      expr: `sum without (kind) (${group.incidentsInHour.name}{kind=~"oom_restart|restart"})`,
    },
    { record: group.podsEndedGrowing.name, expr: podsEndedGrowing(d) },
    oomLoopAlert(d),
    oomKilledAlert(),
    restartLoopAlert(d),
  ],
});

/** What takes days to be seen. */
export const lives = (d: Rules): RuleGroup => ({
  name: "leakwatch-lives",
  interval: d.evaluation.slow,
  rules: [
    { record: group.livesEnded.name, expr: livesInHour(d, groupMetrics.livesEnded.name) },
    { record: group.livesEndedGrowing.name, expr: livesInHour(d, groupMetrics.livesEndedGrowing.name) },
    ...d.restarts.recurring.map((one) => recurringAlert(d, one)),
  ],
});

/** Restarts of a service by reason, summed. */
function restartsFor(matcher: string): string {
  return `sum without (reason) (${groupMetrics.restarts.name}{${matcher}})`;
}

/**
 * Three counters under one name: kills that restarted the service, suspected ones too; certain kills of any of its processes, mostly
 * the same ones; and restarts for which nobody and nothing else is known to be the reason.
 */
const incidents = {
  oom_restart: restartsFor('reason=~"oom|suspected_oom"'),
  oom_kill: groupMetrics.oomKills.name,
  restart: restartsFor('reason!~"scheduled|oom|suspected_oom"'),
};

/** Restarts after a kill or kills of any process, whichever are more. */
const oomKills = (gain: string) => `max without (kind) (${gain}{kind=~"oom_.+"})`;

const counter = group.incidents.name;

/** What the incidents gained since the last evaluation. */
const gained = ({ evaluation }: Rules) => `${counter} - ${ago(counter, evaluation.fast)} > 0`;

/** Each line says at least a part of what the incidents gained in an hour, and none more than all of it. */
function incidentsInHour({ restarts: { step }, evaluation }: Rules): string {
  // filtered before they are joined: nearly all are 0
  return greatest(
    // all of it, but for counters that were reset, or were not there an hour ago
    `${counter} - ${ago(counter, step)} > 0`,
    // those too, but for what happened while the server was down; not of what is gone
    `sum_over_time(${all(group.incidentsGained.name, step, evaluation.fast)}) and ${ofGroup} ${groupMetrics.livesEnded.name}`,
    // and what was there in the first scrape, if nobody had counted before
    `(${counter} > 0) and ${ofGroup} ${group.newInHour.name}`,
  );
}

/** Hour by hour, each of which begins where another ends; not of what is gone. */
function incidentsForLoop({ restarts: { oomLoop, step } }: Rules): string {
  const hours = Array.from({ length: Math.round(oomLoop.over / step) }, (_, i) =>
    ago(group.incidentsInHour.name, i * step),
  );
  return `sum without (of) (\n  ${distinct(hours)}\n) and ${ofGroup} ${groupMetrics.livesEnded.name}`;
}

/** What a counter of exits gained in the last hour: by the hour, so that the sum over days is exact. */
function livesInHour({ restarts: { step } }: Rules, exits: string): string {
  return `${exits} - ${ago(exits, step)} > 0\nor (${exits} > 0) and ${ofGroup} ${group.newInHour.name}`;
}

/** What was there an interval ago, and is gone with its exporter. Pods that end together count once. */
function podsEndedGrowing({ evaluation }: Rules): string {
  const before = ago(groupMetrics.growing.name, evaluation.fast);
  const gone = `${before} unless ${ofTarget} ${selfMetrics.buildInfo.name}`;
  return `avg by (${listed(groupLabels.filter((label) => label !== "instance"))}) ((${gone}) > bool 0) >= bool 0.5`;
}

/**
 * The groups all of whose counts are of this time: their exporter was scraped before and did not have them, or was itself started
 * since and remembers nothing. A Prometheus that is new beside an old exporter knows neither, and takes its counts for history.
 */
function newWithin(over: number): string {
  const known = groupMetrics.livesEnded.name;
  return `${known} unless ${ofGroup} ${ago(known, over)} and ${ofTarget} ${ago(selfMetrics.buildInfo.name, over)}
or ${known} and ${ofTarget} (process_start_time_seconds > time() - ${round(over)} unless ${ofTarget} ${selfMetrics.stateSaved.name})`;
}

/** At least so many; half a one less, since sums of floats are compared. */
const atLeast = (count: number) => `> ${count - 0.5}`;

function oomLoopAlert(d: Rules): AlertRule {
  const { over, count } = d.restarts.oomLoop;
  return {
    alert: alerts.oomLoop.name,
    expr: `${oomKills(group.incidentsForLoop.name)} ${atLeast(count)}`,
    for: 0,
    keepFiringFor: d.keepFiring.oomLoop,
    labels: alertLabels(alerts.oomLoop),
    annotations: oomText(
      `OOM-killed {{ $value | humanize }} times within ${duration(over)}`,
      "First: undo the last deploy or change of the limit; if there was none, raise the limit to get through.",
      alerts.oomLoop.name,
      "restart_loop",
    ),
  };
}

/** Not kept firing: an hour is long enough, and the second kill makes another alert of it. */
function oomKilledAlert(): AlertRule {
  return {
    alert: alerts.oomKilled.name,
    expr: `${group.oomKills.name} unless ${ofGroup} ALERTS{alertname="${alerts.oomLoop.name}",alertstate="firing"}`,
    for: 0,
    labels: alertLabels(alerts.oomKilled),
    annotations: oomText(
      "OOM-killed in the last hour",
      "First: see whether it grew up to its limit or jumped to it.",
      alerts.oomKilled.name,
    ),
  };
}

/** A deploy restarts each process once. A loop restarts more often than there are processes, or one of them again and again. */
function restartLoopAlert({ restarts, keepFiring }: Rules): AlertRule {
  const { count } = restarts.loop;
  const many = `(max without (kind) (${group.incidentsInHour.name}{kind="restart"}) ${atLeast(count)})`;
  return {
    alert: alerts.restartLoop.name,
    expr: `${many} > ${groupMetrics.processes.name}
or ${many} and ${ofGroup} ${withVerdict(groupMetrics.verdict, "restart_loop")}`,
    for: 0,
    keepFiringFor: keepFiring.restartLoop,
    labels: alertLabels(alerts.restartLoop),
    annotations: groupText(
      "restarted {{ $value | humanize }} times in the last hour",
      "Neither a clock nor an OOM kill restarted it.",
      "First: read the last log lines before an exit; roll back if it began with a deploy.",
      alerts.restartLoop.name,
      "restart_loop",
    ),
  };
}

const week = 7 * 86_400;

/** Once is an accident; on several days of a week it is a pattern that nobody looked at. */
function recurringAlert(d: Rules, { over, count, step, for: hold }: Rules["restarts"]["recurring"][number]): AlertRule {
  const total = (time: number) => `sum_over_time(${bySteps(d, group.restarts.name, time, d.restarts.step)})`;
  return {
    alert: alerts.restartsRecur.name,
    expr: `${total(over)} ${atLeast(count)}
and count_over_time(${bySteps(d, `(${total(step)} ${atLeast(1)})`, over, step)}) >= ${round(count)}`,
    for: hold,
    labels: { ...alertLabels(alerts.restartsRecur), over: duration(over) },
    annotations: groupText(
      `restarts recurrently, {{ $value | humanize }} times in the last ${duration(over)}`,
      `On ${count} or more ${step >= week ? "weeks" : "days"}, and no clock restarted it.`,
      "First: compare the times with those of your deploys.",
      alerts.restartsRecur.name,
    ),
  };
}
