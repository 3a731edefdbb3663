// A backtest's result as text for a terminal.

import { shownLine, shownName, shownText } from "../terminal/shown-text.ts";
import { humanDuration } from "../text/human.ts";
import type { HistoryReport } from "./history.ts";
import type { Report } from "./report.ts";
import type { Score } from "./score.ts";

/** Traces begin at 0 or in our time; a year from 0 is none of both. Seconds. */
const firstDate = 365 * 86_400;

/** A cell of a table, in bytes: two names, and a word. */
const cellBytes = 300;

/** Every episode, by trace. */
export function renderEpisodes(report: Report): string {
  const rows = report.traces.flatMap(({ id, episodes }) =>
    episodes.map(({ alert, severity, slot, start, end }) => [
      shownName(id),
      shownName(slot ?? ""),
      alert,
      severity,
      moment(start),
      lasted(start, end),
    ]),
  );
  const quiet = report.traces.filter(({ episodes }) => episodes.length === 0).length;
  return `${table([["trace", "slot", "alert", "severity", "start", ""], ...rows])}${quiet} of ${report.traces.length} traces without an alert.\n`;
}

/** Every episode, how often each alert comes, and how many processes they name. */
export function renderHistory(report: HistoryReport): string {
  const { what, url, from, to, processes, named, alerts, traces } = report;
  const episodes = traces.flatMap(({ id, episodes: own, processes: slots }) =>
    own.map((episode) => ({ id, slots, ...episode })),
  );
  const rows = [...episodes]
    .sort((a, b) => a.start - b.start)
    .map(({ id, slots, slot, alert, severity, start, end }) => [
      slots > 1 && slot !== null ? `${shownName(id)} slot ${shownName(slot)}` : shownName(id),
      alert,
      severity,
      moment(start),
      lasted(start, end),
    ]);
  const perWeek = alerts.map((one) => [one.alert, one.severity, one.class, `${one.per_week.toFixed(1)} a week`]);
  const all = alerts.reduce((sum, { per_week }) => sum + per_week, 0);
  return [
    `${shownLine(what)}\n${shownLine(url)}, ${moment(from)} to ${moment(to)} UTC\n`,
    ...(rows.length > 0 ? [table([["process", "alert", "severity", "start (UTC)", ""], ...rows]), table(perWeek)] : []),
    `${all.toFixed(1)} alerts a week. ${named} of ${processes} processes would have been named as leaking.\n`,
  ].join("\n");
}

/** A date, or the distance from the beginning of a clock that begins at 0. */
function moment(seconds: number): string {
  if (seconds < firstDate) return `at ${humanDuration(seconds)}`;
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

const lasted = (start: number, end: number | null) =>
  end === null ? "still firing" : `for ${humanDuration(end - start)}`;

/** The measures, and a line per family. */
export function renderScore(score: Score): string {
  const share = (x: number) => (Number.isNaN(x) ? "–" : x.toFixed(3));
  const hours = (x: number) => (Number.isFinite(x) ? `${x.toFixed(1)} h` : "–");
  const measures = [
    ["F1", share(score.f1)],
    ["precision", share(score.precision)],
    ["recall", share(score.recall)],
    ["worst leak family", `${share(score.worstFamily.recall)} (${shownName(score.worstFamily.family)})`],
    ["false alerts per healthy process-week", share(score.falseAlerts.all)],
    ["  of severity critical", share(score.falseAlerts.critical)],
    ["first OOM warned 30 min ahead", share(score.warnedBeforeOom)],
    ["median delay, at least 1 MiB/min", hours(score.delayHours.fast)],
    ["median delay, 5 to 60 MiB/h", hours(score.delayHours.medium)],
    ["median delay, slower", hours(score.delayHours.slow)],
    ["time to OOM, median error at 50 %", share(score.timeToOomError["50"])],
    ["time to OOM, median error at 75 %", share(score.timeToOomError["75"])],
    ["time to OOM, median error at 90 %", share(score.timeToOomError["90"])],
  ];
  const families = score.families.map(({ family, label, traces, hit, medianDelayHours }) => [
    label,
    shownName(family),
    `${hit} of ${traces} ${label === "leak" ? "found" : "false"}`,
    medianDelayHours === undefined ? "" : `after ${hours(medianDelayHours)}`,
  ]);
  return `${score.leaks} leaks, ${score.healthy} healthy\n\n${table(measures)}\n${table(families)}`;
}

/** Cells hold names of others: all of them are cut and made visible here. */
function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map((cell) => shownText(cell, cellBytes)));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ");
  return rows.map((row) => `${shownLine(line(row).trimEnd())}\n`).join("");
}
