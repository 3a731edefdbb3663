// What a run of detect found, as text for a person.

import { shortRun } from "../../detection/short-run.ts";
import { painter } from "../terminal/colour.ts";
import { shownName } from "../terminal/shown-text.ts";
import { widest, wrap } from "../terminal/wrap.ts";
import { humanBytes, humanDuration, humanGrowth } from "../text/human.ts";
import { listed, processes, someOf } from "../text/words.ts";
import type { Kind, Word } from "./answer.ts";
import { wordOf, wordText } from "./exit-code.ts";
import { growthOf, guideFor, isCount } from "./figures.ts";
import { amount, meaningOf } from "./meaning.ts";
import type { Outcome, ProcessOutcome } from "./observe.ts";
import { sparkline } from "./sparkline.ts";

const gutter = 10;

/** Bars of a curve; with fewer it shows nothing. */
const longestCurve = 40;
const shortestCurve = 8;

const styles = { leaking: "red", suspicious: "yellow", no_leak_seen: "green", no_verdict: "yellow" } as const;

export interface TextOptions {
  readonly colour: boolean;
  /** Of the terminal. */
  readonly columns?: number;
}

export function renderText(outcome: Outcome, { colour, columns = widest }: TextOptions): string {
  const paint = painter(colour);
  const [first, ...others] = outcome.processes;
  const word = wordOf(outcome);
  const title = paint([styles[word], "bold"], wordText(word));
  if (first === undefined) return `${title}: ${outcome.endedEarly ?? "no process was seen"}.\n`;
  const row = (name: string, lines: readonly string[]) =>
    lines.map((line, i) => paint("bold", (i === 0 ? name : "").padEnd(gutter)) + line);
  const wrapped = (name: string, text: string) => row(name, wrap(text, columns - gutter));
  // a word that is painted has another length
  const [firstLine = "", ...titleLines] = wrap(
    `${wordText(word)}  ${nameOf(first)}, observed for ${humanDuration(outcome.took)}`,
    columns,
  );
  return [
    firstLine.replace(wordText(word), title),
    ...titleLines,
    ...wrap(meaningOf(first, outcome), columns),
    "",
    ...row("Memory", [curveOf(first.observed.series.memory.values, columns)]),
    ...(first.observed.runtime === "none" ? [] : row("In use", inUseOf(first, columns))),
    ...growthRow(first).flatMap((text) => wrapped("Growth", text)),
    ...wrapped("Limit", limitOf(first)),
    ...(others.length === 0 ? [] : wrapped("Others", othersOf(others))),
    "",
    ...wrapped("Next", nextOf(first, outcome)),
    ...limitsOfRun(first, outcome).flatMap((text) => wrapped("Limits", text)),
    "",
  ].join("\n");
}

const nameOf = ({ observed }: ProcessOutcome) => `${shownName(observed.group)} (pid ${observed.pid})`;

function othersOf(others: readonly ProcessOutcome[]): string {
  const judged = others.filter(({ answer }) => answer.word !== "no_verdict");
  const short = others.length - judged.length;
  return listed([
    ...(judged.length > 0 ? [someOf(judged.map((target) => `${nameOf(target)} ${wordText(target.answer.word)}`))] : []),
    ...(short > 0 ? [`${processes(short)} too short-lived to judge`] : []),
  ]);
}

/** `reserved`: columns that the line needs behind it. The curve must not be broken into lines. */
function curveOf(values: readonly number[], columns: number, reserved = 0): string {
  const known = values.filter((value) => !Number.isNaN(value));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return "unknown";
  const range = `${humanBytes(first)} → ${humanBytes(last)}`;
  const room = Math.min(longestCurve, columns - gutter - range.length - 2 - reserved);
  return room < shortestCurve ? range : `${range}  ${sparkline(known, room)}`;
}

function inUseOf({ observed }: ProcessOutcome, columns: number): string[] {
  const { runtime, series, unavailable } = observed;
  if (runtime === "silent") return wrap(`unknown: ${unavailable ?? "the runtime was not asked"}`, columns - gutter);
  const how = runtime === "collected" ? "after collections" : "with garbage in it";
  const line = `${curveOf(series.live.values, columns, how.length + 2)}  ${how}`;
  return line.length <= columns - gutter ? [line] : [curveOf(series.live.values, columns), how];
}

/** Only of growth that is reported. */
function growthRow(target: ProcessOutcome): string[] {
  const growth = growthOf(target);
  if (growth === undefined) return [];
  return [
    isCount(target.answer.kind)
      ? `${Math.round(growth * 3600)} an hour at this load`
      : `${humanGrowth(growth)}/h at this load`,
  ];
}

function limitOf({ observed }: ProcessOutcome): string {
  const { limit, limitSource, heapMaximum } = observed;
  const advice = "; --limit sets what production will allow";
  const memory =
    limit === undefined
      ? `unknown${advice}`
      : `${humanBytes(limit)}${limitSource === "node" ? `, all memory of this machine${advice}` : ""}`;
  return heapMaximum === undefined ? memory : `${memory}; the heap may hold ${humanBytes(heapMaximum)}`;
}

const whatNext: Record<Kind, string> = {
  live: "Take two heap snapshots under this load and compare them",
  outside: "Look for native memory: buffers, extensions, threads",
  memory: "Find out which memory grows",
  descriptors: "List what is open (/proc/PID/fd) twice and compare",
  threads: "List the threads twice and compare",
};

function nextOf({ answer, observed, loads }: ProcessOutcome, { planned }: Outcome): string {
  const actions: Record<Word, () => string> = {
    leaking: () => `${whatNext[answer.kind]}: ${guideFor(answer.kind)}`,
    suspicious: () => {
      const isUnasked = observed.runtime === "passive" || observed.runtime === "silent";
      const better =
        isUnasked && observed.unavailable === undefined ? "out --no-collect" : ` --for ${inWords(4 * planned)}`;
      return `Run again with${better}${loads === undefined ? ', or with --load "command"' : ""}. If it leaks: ${guideFor(answer.kind)}`;
    },
    no_leak_seen: () => {
      if (loads !== undefined || answer.visibleFrom === undefined) return "A longer load finds slower leaks.";
      const longer = Math.min(shortRun.longest, Math.max(3600, 6 * planned));
      const least = perHour(answer.kind, (answer.visibleFrom * planned) / longer);
      return `Run longer to find slower leaks: --for ${inWords(longer)} detects from ${least}.`;
    },
    no_verdict: () => `Run again with a --for that the process outlives, under load all the while.`,
  };
  return actions[answer.word]();
}

function limitsOfRun({ answer, loads }: ProcessOutcome, { loads: count }: Outcome): string[] {
  const code = "only in code that your load exercised";
  if (answer.word === "no_verdict") return [];
  if (loads !== undefined) {
    return [
      `These ${count} loads can only show leaks of ${amount(loads.kind, loads.visibleFrom).slice(1)} or more for each load, and ${code}.`,
    ];
  }
  if (answer.visibleFrom === undefined) return [];
  const visible = isCount(answer.kind) ? "" : ` faster than ${perHour(answer.kind, answer.visibleFrom)}`;
  return [`This run can only show leaks${visible}, and ${code}.`];
}

const perHour = (kind: Kind, perSecond: number) =>
  isCount(kind) ? `${Math.ceil(perSecond * 3600)} an hour` : `${humanBytes(perSecond * 3600)}/h`;

/** For `--for`. */
const inWords = (seconds: number) =>
  seconds % 3600 === 0
    ? `${seconds / 3600}h`
    : seconds >= 60
      ? `${Math.round(seconds / 60)}m`
      : `${Math.round(seconds)}s`;
