// Restarts, and what they hide. Counters are compared with what they were an hour ago, not by increase(): that leaves out
// what happens between the last sample before the hour and the first one in it, and clocks restart things on the hour.

import { groupMetrics } from "../../catalog/metrics.ts";
import { groupRecordings as group } from "../../catalog/recordings.ts";
import { evaluation, keepFiring, maskedByOom, maskedLeak, restarts } from "../../catalog/windows.ts";
import { groupText, maskedText } from "../annotations.ts";
import { duration, round } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

const hour = 3600;

export const lives = (): RuleGroup => ({
  name: "leakwatch-lives",
  interval: evaluation.slow,
  rules: [
    { record: group.livesEnded.name, expr: lastHour(groupMetrics.livesEnded.name) },
    { record: group.livesEndedGrowing.name, expr: lastHour(groupMetrics.livesEndedGrowing.name) },
    { record: group.oomRestarts.name, expr: lastHour(groupMetrics.restarts.name, 'reason=~"oom|suspected_oom"') },
    { record: group.restarts.name, expr: lastHour(groupMetrics.restarts.name, 'reason!="scheduled"') },
    maskedAlert(),
    oomLoopAlert(),
    oomKilledAlert(),
    restartLoopAlert(),
    recurringAlert(),
  ],
});

/** What a counter gained in the last hour: from 0 after a reset, and 0 where the past is not known. */
function lastHour(counter: string, matchers?: string): string {
  const sum = (series: string) => (matchers === undefined ? series : `sum without (reason) (${series})`);
  const selector = matchers === undefined ? counter : `${counter}{${matchers}}`;
  const now = sum(selector);
  const before = sum(`last_over_time(${selector}[10m] offset 1h)`);
  return `(${now} - ${before} >= 0)\nor (${now} < ${before})\nor 0 * ${now}`;
}

/** The sum of the hourly gains. */
const gained = (name: string, over: number) => `sum_over_time(${name}[${duration(over)}:1h])`;

/** At least so many; half a one less, since sums of floats are compared. */
const atLeast = (count: number) => `> ${count - 0.5}`;

function maskedAlert(): AlertRule {
  const name = "LeakwatchMemoryLeakMasked";
  const most = (over: number, count: number, share: number) =>
    `${gained(group.livesEndedGrowing.name, over)} ${atLeast(count)} >= ${share} * ${gained(group.livesEnded.name, over)}`;
  const known = maskedLeak.map(
    ({ over, known: since, lives: count, share }) =>
      `(${most(over, count, share)} and count_over_time(${group.livesEnded.name}[${duration(over)}:1h]) >= ${since / hour})`,
  );
  const byOom = `(${most(maskedByOom.over, maskedByOom.lives, maskedByOom.share)} and ${gained(group.oomRestarts.name, maskedByOom.over)} ${atLeast(maskedByOom.lives)})`;
  return {
    alert: name,
    expr: [...known, byOom].join("\nor "),
    for: 0,
    keepFiringFor: keepFiring.masked,
    labels: { severity: "warning", class: "leak" },
    annotations: maskedText("leaks memory, and restarts hide it", "Most of its lives end while they still grow.", name),
  };
}

function oomLoopAlert(): AlertRule {
  const { over, count } = restarts.oomLoop;
  const name = "LeakwatchOomLoop";
  return {
    alert: name,
    expr: `${gained(group.oomRestarts.name, over)} ${atLeast(count)}`,
    for: 0,
    keepFiringFor: hour,
    labels: { severity: "critical", class: "restarts" },
    annotations: groupText(
      "is killed for lack of memory, over and over",
      `It was killed at least ${count} times within ${duration(over)}.`,
      name,
      "restart_loop",
    ),
  };
}

function oomKilledAlert(): AlertRule {
  const name = "LeakwatchOomKilled";
  return {
    alert: name,
    expr: `${group.oomRestarts.name} ${atLeast(1)}`,
    for: 0,
    keepFiringFor: hour,
    labels: { severity: "info", class: "restarts" },
    annotations: groupText(
      "was killed for lack of memory",
      "In the last hour the kernel killed a process of it, or one near its limit was gone.",
      name,
    ),
  };
}

function restartLoopAlert(): AlertRule {
  const { count, for: hold } = restarts.loop;
  const name = "LeakwatchRestartLoop";
  return {
    alert: name,
    expr: `${group.restarts.name} ${atLeast(count)}`,
    for: hold,
    keepFiringFor: hour,
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
function recurringAlert(): AlertRule {
  const { over, count } = restarts.recurring;
  const name = "LeakwatchRestartsRecur";
  return {
    alert: name,
    expr: `${gained(group.restarts.name, over)} ${atLeast(count)}
and count_over_time((${gained(group.restarts.name, 24 * hour)} ${atLeast(1)})[${duration(over)}:1d]) >= ${round(count)}`,
    for: hour,
    labels: { severity: "info", class: "restarts" },
    annotations: groupText(
      "restarts now and then, week after week",
      `{{ $value | humanize }} restarts in the last ${duration(over)}, on several days.`,
      name,
    ),
  };
}
