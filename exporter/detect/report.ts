// What a run of detect found, as text for a person and as JSON for programs.

import { alerts } from "../../catalog/alerts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { defaultBases, links } from "../../catalog/links.ts";
import { verdicts } from "../../catalog/verdicts.ts";
import { painter } from "../terminal/colour.ts";
import { shownName } from "../terminal/shown-text.ts";
import { columns, wrap } from "../terminal/wrap.ts";
import { humanBytes, humanDuration, humanGrowth, humanShare } from "../text/human.ts";
import { listed, processes, someOf } from "../text/words.ts";
import type { Kind, Seen } from "./detect-run.ts";
import { sparkline } from "./sparkline.ts";
import { leastGrowth } from "./windows.ts";

export interface Outcome {
  /** The gravest first. */
  readonly seen: readonly Seen[];
  /** Why the run ended before its time; undefined when it did not, or when the verdict was certain. */
  readonly endedEarly: string | undefined;
  /** How long it should have taken, and how long it took, in seconds. */
  readonly planned: number;
  readonly took: number;
  readonly windows: Detection;
}

export type ExitCode = 0 | 1 | 2;

/** 1 for a leak; 2 where too little was seen to say that there is none. */
export function exitCodeOf({ seen, endedEarly }: Outcome): ExitCode {
  const gravest = seen[0]?.verdict ?? "insufficient_data";
  if (gravest === "leaking") return 1;
  return gravest === "insufficient_data" || endedEarly !== undefined ? 2 : 0;
}

const gutter = 10;

export function renderText(outcome: Outcome, { colour }: { colour: boolean }): string {
  const [first, ...others] = outcome.seen;
  const code = exitCodeOf(outcome);
  const paint = painter(colour);
  if (first === undefined)
    return `${paint("yellow", "It cannot be told")}: ${outcome.endedEarly ?? "no process ran"}.\n`;
  const row = (name: string, text: string) =>
    wrap(text, columns - gutter).map((line, i) => paint("bold", (i === 0 ? name : "").padEnd(gutter)) + line);
  const style = ({ 0: "green", 1: "red", 2: "yellow" } as const)[code];
  const word = code === 2 && first.verdict !== "insufficient_data" ? `${first.verdict} so far` : first.verdict;
  return [
    `${paint([style, "bold"], word)}  ${nameOf(first)}, seen for ${humanDuration(outcome.took)}`,
    ...wrap(code === 2 ? whyUnsure(outcome) : meaningOf(first), columns),
    "",
    ...memoryRow(first).map((line, i) => paint("bold", (i === 0 ? "Memory" : "").padEnd(gutter)) + line),
    ...row("Growth", growthOf(first)),
    ...row("Limit", limitOf(first)),
    ...row("Grew", whatGrew(first)),
    ...(others.length === 0 ? [] : row("Others", othersOf(others))),
    "",
    ...row("Next", nextOf(first, outcome)),
    ...row("Not seen", unseen(first, outcome)),
    "",
  ].join("\n");
}

export function asJson(outcome: Outcome, version: string) {
  const { seen, endedEarly, took, planned, windows } = outcome;
  return {
    version,
    exit_code: exitCodeOf(outcome),
    verdict: seen[0]?.verdict ?? "insufficient_data",
    seconds: Number(took.toFixed(1)),
    planned_seconds: planned,
    ended_early: endedEarly ?? null,
    processes: seen.map((one) => ({
      group: shownName(one.group),
      pid: one.pid,
      verdict: one.verdict,
      growth_bytes_per_second: one.growth ?? null,
      confidence_ratio: one.confidence ?? null,
      time_to_limit_seconds: one.timeToLimit ?? null,
      limit_bytes: one.limit ?? null,
      limit_source: one.limitSource,
      least_growth_bytes_per_second: leastGrowth(windows, levelOf(one)),
      changes: one.changes,
      runbook: one.alert === undefined ? null : links.runbook(one.alert),
    })),
  };
}

const nameOf = ({ group, pid }: Seen) => `${shownName(group)} (pid ${pid})`;
const inShort = (one: Seen) => `${nameOf(one)} ${one.verdict}`;

function othersOf(others: readonly Seen[]): string {
  const judged = others.filter(({ verdict }) => verdict !== "insufficient_data");
  const short = others.length - judged.length;
  return listed([
    ...(judged.length > 0 ? [someOf(judged.map(inShort))] : []),
    ...(short > 0 ? [`${processes(short)} too short-lived to judge`] : []),
  ]);
}

const levelOf = ({ changes }: Seen) => changes.memory?.to ?? 0;

function meaningOf({ verdict, alert }: Seen): string {
  const cache = "A cache that is still filling looks the same: then look until it is full.";
  if (alert === alerts.descriptorLeak.name) return "Open descriptors grew in every quarter of the look.";
  if (alert === alerts.threadLeak.name) return "Threads grew in every quarter of the look.";
  const meaning = verdicts.find(({ word }) => word === verdict)?.meaning ?? "";
  return verdict === "leaking" ? `${meaning} ${cache}` : meaning;
}

function whyUnsure({ seen, endedEarly, planned, took }: Outcome): string {
  if (endedEarly !== undefined)
    return `It cannot be told: ${endedEarly}, ${humanDuration(took)} of ${humanDuration(planned)} were seen.`;
  return `Too little was seen: no process lived long enough (the longest ${humanDuration(Math.max(...seen.map(({ seconds }) => seconds)))}).`;
}

/** The curve must not be broken into lines. */
function memoryRow({ changes: { memory }, curve }: Seen): string[] {
  if (memory === undefined) return ["unknown"];
  return [`${humanBytes(memory.from)} → ${humanBytes(memory.to)}  ${sparkline(curve)}`];
}

function growthOf({ growth, confidence, verdict }: Seen): string {
  if (growth === undefined) return "unknown: too little was seen";
  const sure = confidence === undefined || verdict !== "leaking" ? "" : `, confidence ${humanShare(confidence)}`;
  return `${humanGrowth(growth)}/h at this load${sure}`;
}

function limitOf({ limit, limitSource, timeToLimit, verdict }: Seen): string {
  if (limit === undefined) return "unknown; --limit says what production will allow";
  const source = limitSource === "node" ? "all memory of this machine; --limit says what production will allow" : "";
  const reached =
    timeToLimit === undefined || verdict !== "leaking" ? "" : `reached in ${humanDuration(timeToLimit)} at this pace`;
  return [humanBytes(limit), source, reached].filter((part) => part !== "").join(", ");
}

function whatGrew({ changes }: Seen): string {
  const bytes = (["anonymous", "file", "shared"] as const).flatMap((kind) => {
    const change = changes[kind];
    return change === undefined ? [] : [`${kind} ${signed(change.to - change.from)}`];
  });
  const counts = (["descriptors", "threads"] as const).flatMap((kind) => {
    const change = changes[kind];
    return change === undefined ? [] : [`${kind} ${change.from} → ${change.to}`];
  });
  return [...bytes, ...counts].join(", ") || "unknown";
}

const signed = (bytes: number) => (bytes > 0 ? `+${humanBytes(bytes)}` : humanBytes(bytes));

/** What to look into for each kind, and where the guide tells how. */
const causes: Partial<Record<Kind, { what: string; anchor: string }>> = {
  anonymous: { what: "Take two heap snapshots under this load and compare them", anchor: "heap" },
  file: { what: "Find out which files are mapped", anchor: "cache" },
  shared: { what: "Look into /dev/shm and shared segments", anchor: "cache" },
  descriptors: { what: "List what is open (/proc/PID/fd) twice and compare", anchor: "descriptors" },
  threads: { what: "List the threads twice and compare", anchor: "threads" },
};

function nextOf(one: Seen, outcome: Outcome): string {
  if (one.verdict === "leaking") {
    const { what = "", anchor } = causes[grewMost(one)] ?? {};
    const inProduction = one.alert === undefined ? "" : ` Its alert in production: ${links.runbook(one.alert)}`;
    return `${what}: ${defaultBases.runbooks}/finding-the-cause.md#${anchor}${inProduction}`;
  }
  const { planned, windows } = outcome;
  if (exitCodeOf(outcome) === 2) return `Look again for ${humanDuration(planned)}, under load all the while.`;
  const longer = Math.ceil(Math.max(3600, 6 * planned) / 3600);
  const least = (leastGrowth(windows, levelOf(one)) * planned) / (longer * 3600);
  return `A longer look sees slower leaks: --for ${longer}h those from ${perHour(least)} on. In production the exporter sees the rest.`;
}

function grewMost({ alert, changes }: Seen): Kind {
  if (alert === alerts.descriptorLeak.name) return "descriptors";
  if (alert === alerts.threadLeak.name) return "threads";
  const growth = (kind: Kind) => (changes[kind]?.to ?? 0) - (changes[kind]?.from ?? 0);
  return (["anonymous", "file", "shared"] as const).reduce((a, b) => (growth(b) > growth(a) ? b : a));
}

function unseen(one: Seen, { planned, windows }: Outcome): string {
  const least = perHour(leastGrowth(windows, levelOf(one)));
  return `A short look finds fast leaks only: growth slower than ${least} cannot be seen in ${humanDuration(planned)}, nor can what this load did not touch.`;
}

const perHour = (bytesPerSecond: number) => `${humanBytes(bytesPerSecond * 3600)}/h`;
