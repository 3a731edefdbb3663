// Restarts, and what they hide. Counters are compared with what they were an hour ago, not by increase(): that leaves out
// what happens between the last sample before the hour and the first one in it, and clocks restart things on the hour.

import type { Detection } from "../../catalog/detection.ts";
import { groupMetrics } from "../../catalog/metrics.ts";
import { groupRecordings as group } from "../../catalog/recordings.ts";
import { groupText, maskedText } from "../annotations.ts";
import { ago, bySteps, duration, round } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

/** Which groups there are, by the half hour. */
export const runningGroups = (d: Detection): RuleGroup => ({
  name: "leakwatch-running",
  interval: d.evaluation.rare,
  rules: [{ record: group.ran.name, expr: `${groupMetrics.processes.name} > 0` }],
});

export const lives = (d: Detection): RuleGroup => ({
  name: "leakwatch-lives",
  interval: d.evaluation.slow,
  rules: [
    { record: group.livesEnded.name, expr: lastHour(d, groupMetrics.livesEnded.name) },
    { record: group.livesEndedGrowing.name, expr: lastHour(d, groupMetrics.livesEndedGrowing.name) },
    { record: group.oomRestarts.name, expr: lastHour(d, groupMetrics.restarts.name, 'reason=~"oom|suspected_oom"') },
    { record: group.restarts.name, expr: lastHour(d, groupMetrics.restarts.name, 'reason!="scheduled"') },
    maskedAlert(d),
    oomLoopAlert(d),
    oomKilledAlert(d),
    restartLoopAlert(d),
    recurringAlert(d),
  ],
});

/** What a counter gained in the last hour, from 0 after a reset. Nothing where it gained nothing: few groups ever restart. */
function lastHour({ ledgerStep }: Detection, counter: string, matchers?: string): string {
  const sum = (series: string) => (matchers === undefined ? series : `sum without (reason) (${series})`);
  const selector = matchers === undefined ? counter : `${counter}{${matchers}}`;
  const now = `(${sum(selector)} > 0)`;
  const before = sum(ago(selector, ledgerStep.step));
  return `(${now} - ${before} > 0)\nor (${now} < ${before})`;
}

const byTheHour = (d: Detection, expr: string, over: number, step = d.ledgerStep.step) => bySteps(d, expr, over, step);

/** The sum of the hourly gains. */
const gained = (d: Detection, name: string, over: number) => `sum_over_time(${byTheHour(d, name, over)})`;

/** At least so many; half a one less, since sums of floats are compared. */
const atLeast = (count: number) => `> ${count - 0.5}`;

function maskedAlert(d: Detection): AlertRule {
  const { maskedLeak, maskedByOom, keepFiring } = d;
  const name = "LeakwatchMemoryLeakMasked";
  const most = (over: number, count: number, share: number) =>
    `${gained(d, group.livesEndedGrowing.name, over)} ${atLeast(count)} >= ${share} * ${gained(d, group.livesEnded.name, over)}`;
  const known = maskedLeak.map(
    ({ over, known: since, lives: count, share }) =>
      `(${most(over, count, share)} and ${ago(groupMetrics.livesEnded.name, since)})`,
  );
  const byOom = `(${most(maskedByOom.over, maskedByOom.lives, maskedByOom.share)} and ${gained(d, group.oomRestarts.name, maskedByOom.over)} ${atLeast(maskedByOom.lives)})`;
  return {
    alert: name,
    // known until now: an exporter that is gone has not been watching since
    expr: `((${known.join("\nor ")})\nand ${groupMetrics.livesEnded.name})\nor ${byOom}`,
    for: 0,
    keepFiringFor: keepFiring.masked,
    labels: { severity: "warning", class: "leak" },
    annotations: maskedText("leaks memory, and restarts hide it", "Most of its lives end while they still grow.", name),
  };
}

function oomLoopAlert(d: Detection): AlertRule {
  const { over, count } = d.restarts.oomLoop;
  const name = "LeakwatchOomLoop";
  return {
    alert: name,
    expr: `${gained(d, group.oomRestarts.name, over)} ${atLeast(count)}`,
    for: 0,
    keepFiringFor: d.keepFiring.oomLoop,
    labels: { severity: "critical", class: "restarts" },
    annotations: groupText(
      "is killed for lack of memory, over and over",
      `It was killed at least ${count} times within ${duration(over)}.`,
      name,
      "restart_loop",
    ),
  };
}

function oomKilledAlert({ keepFiring }: Detection): AlertRule {
  const name = "LeakwatchOomKilled";
  return {
    alert: name,
    expr: `${group.oomRestarts.name} ${atLeast(1)}`,
    for: 0,
    keepFiringFor: keepFiring.oomKilled,
    labels: { severity: "info", class: "restarts" },
    annotations: groupText(
      "was killed for lack of memory",
      "In the last hour the kernel killed a process of it, or one near its limit was gone.",
      name,
    ),
  };
}

function restartLoopAlert({ restarts, keepFiring }: Detection): AlertRule {
  const { count, for: hold } = restarts.loop;
  const name = "LeakwatchRestartLoop";
  return {
    alert: name,
    expr: `${group.restarts.name} ${atLeast(count)}`,
    for: hold,
    keepFiringFor: keepFiring.restartLoop,
    labels: { severity: "warning", class: "restarts" },
    annotations: groupText(
      "restarts over and over",
      "{{ $value | humanize }} restarts in the last hour.",
      name,
      "restart_loop",
    ),
  };
}

/** Once is an accident; on several days of a week it is a pattern that nobody looked at. */
function recurringAlert(d: Detection): AlertRule {
  const { over, count, step, for: hold } = d.restarts.recurring;
  const name = "LeakwatchRestartsRecur";
  return {
    alert: name,
    expr: `${gained(d, group.restarts.name, over)} ${atLeast(count)}
and count_over_time(${byTheHour(d, `(${gained(d, group.restarts.name, step)} ${atLeast(1)})`, over, step)}) >= ${round(count)}`,
    for: hold,
    labels: { severity: "info", class: "restarts" },
    annotations: groupText(
      "restarts now and then, week after week",
      `{{ $value | humanize }} restarts in the last ${duration(over)}, on several days.`,
      name,
    ),
  };
}
