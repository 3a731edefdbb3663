// A backtest's result as text for a terminal.

import { shownLine, shownName, shownText } from "../terminal/shown-text.ts";
import { humanDuration, humanGrowth } from "../text/human.ts";
import { counted, tally } from "../text/words.ts";
import type { HistoryReport } from "./history.ts";
import type { FoundReport, Report, SlotFoundReport } from "./report.ts";
import type { Score } from "./score.ts";

/** Traces begin at 0 or in our time; a year from 0 is none of both. Seconds. */
const firstDate = 365 * 86_400;

const week = 7 * 86_400;

/** A cell of a table, in bytes: two names, and a word. */
const cellBytes = 300;

/**
 * What was found, and every alert, by trace. `seconds` is how long processes were seen, all together; `gaps` says what could
 * not be read.
 */
export function renderEpisodes(report: Report, seconds: number, gaps: readonly string[]): string {
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
  const found = report.traces.flatMap(({ id, found: says }) => foundRows(id, says, {}));
  const quiet = report.traces.filter(({ episodes }) => episodes.length === 0).length;
  return [
    ...(found.length > 0 ? [table(found)] : []),
    ...(rows.length > 0 ? [table([["trace", "slot", "alert", "severity", "start", ""], ...rows])] : []),
    `${quiet} of ${report.traces.length} traces without an alert.${perProcessWeek(rows.length, seconds)}\n`,
    ...notes(gaps),
  ].join("\n");
}

/** What was found, every alert, how often each comes, and how many processes they name. */
export function renderHistory(report: HistoryReport): string {
  const { what, url, from, to, processes, named, alerts, traces } = report;
  const episodes = traces.flatMap(({ id, episodes: own, processes: slots, names }) =>
    own.map((episode) => ({ name: processName(id, episode.slot, slots, names), ...episode })),
  );
  const rows = [...episodes]
    .sort((a, b) => a.start - b.start)
    .map(({ name, alert, severity, start, end }) => [name, alert, severity, moment(start), lasted(start, end)]);
  const perWeek = alerts.map((one) => [one.alert, one.severity, one.class, `${one.per_week.toFixed(1)} a week`]);
  const all = alerts.reduce((sum, { per_week }) => sum + per_week, 0);
  const found = traces.flatMap(({ id, found: says, names }) => foundRows(id, says, names));
  const where = Number.isFinite(from) ? `, ${moment(from)} to ${moment(to)} UTC` : "";
  return [
    `${shownLine(what)}\n${shownLine(url)}${where}\n`,
    ...(found.length > 0 ? [table(found)] : []),
    ...(rows.length > 0 ? [table([["process", "alert", "severity", "start (UTC)", ""], ...rows]), table(perWeek)] : []),
    `${all.toFixed(1)} alerts a week. ${named} of ${processes} processes would have been named as leaking.\n`,
    ...notes(report.notes),
  ].join("\n");
}

function perProcessWeek(alerts: number, seconds: number): string {
  if (alerts === 0 || !(seconds > 0)) return "";
  return ` ${counted(alerts, "alert")}, ${(alerts / (seconds / week)).toFixed(1)} a week and process.`;
}

/** Lines on what could not be read; empty for none. */
export const notes = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`Limits of this run\n${lines.map((line) => `${shownLine(`  ${line}`)}\n`).join("")}`];

/** A slot, as a person calls it: by its own name where it has one. */
function processName(id: string, slot: string | null, slots: number, names: Readonly<Record<string, string>>): string {
  const own = slot === null ? undefined : names[slot];
  if (own !== undefined && slots > 1) return `${shownName(id)} ${shownName(own)}`;
  return slot !== null && slots > 1 ? `${shownName(id)} slot ${shownName(slot)}` : shownName(id);
}

/** Words that a reader must act on, the gravest first; all others are no news. */
const news = new Set(["leaking", "masked_leak", "restart_loop", "growing"]);
/** Rows of a table for one service. */
const mostSlots = 10;

/** What is found of a service at the end of the recording: `web  leaking since 2026-03-02 14:10 (+12 MiB/h, OOM in about 9 h)`. */
function foundRows(
  id: string,
  { word, since, slots }: FoundReport,
  names: Readonly<Record<string, string>>,
): string[][] {
  const running = slots.filter((slot) => slot.last_seen === null);
  // what holds of the service as a whole; what its processes do is said of them
  const rows =
    word === "masked_leak" || word === "restart_loop" ? [[shownName(id), `${words(word)} since ${when(since)}`]] : [];
  const telling = running.filter((slot) => news.has(slot.word)).sort((a, b) => b.severity - a.severity);
  for (const slot of telling.slice(0, mostSlots)) {
    rows.push([
      processName(id, slot.slot, slots.length, names),
      `${words(slot.word)} since ${when(slot.since)}${numbers(slot)}`,
      ...slot.reasons.slice(0, 1),
    ]);
  }
  if (telling.length > mostSlots)
    rows.push([shownName(id), `and ${telling.length - mostSlots} more of ${slots.length}`]);
  if (rows.length > 0) return rows;
  if (slots.length === 0) return [[shownName(id), "no samples"]];
  const said = tally(running.map((slot) => words(slot.word)));
  return [[shownName(id), said.length > 0 ? said.join(", ") : "not running at the end"]];
}

const words = (word: string) => word.replaceAll("_", " ");

function numbers({ growth_bytes_per_second: growth, time_to_oom_seconds: left }: SlotFoundReport): string {
  const parts = [
    growth === null ? "" : `${humanGrowth(growth)}/h`,
    left === null || !Number.isFinite(left) ? "" : `OOM in about ${humanDuration(left)}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** A date, or the distance from the beginning of a clock that begins at 0. */
function moment(seconds: number): string {
  return seconds < firstDate ? `at ${when(seconds)}` : when(seconds);
}

function when(seconds: number | null): string {
  if (seconds === null) return "the beginning";
  if (seconds < firstDate) return humanDuration(seconds);
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
