// A backtest from its options to its result.

import fs from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { PrometheusApi } from "../prometheus/api.ts";
import { CommandError } from "../terminal/command-error.ts";
import { type Progress, progressBar } from "../terminal/progress.ts";
import { printError, shownValues } from "../terminal/shown-text.ts";
import { counted } from "../text/words.ts";
import { backtestHistory } from "./history.ts";
import { bearerToken, historyOptions } from "./history-options.ts";
import { newJudges } from "./judged.ts";
import type { BacktestOptions } from "./options.ts";
import { notes, renderEpisodes, renderHistory, renderScore } from "./print.ts";
import type { Report, TraceReport } from "./report.ts";
import { medianStep, score, seenSeconds, type TraceLabels } from "./score.ts";
import { judgeTrace } from "./trace-run.ts";
import { listTraces, readTrace, TraceError, type TraceGaps } from "./traces.ts";

const newJudge = newJudges();

/** Prints and writes what was found. A failure ends with a plain message and its exit code. */
export async function backtest(options: BacktestOptions): Promise<void> {
  try {
    const text = await (options.prometheusUrl === undefined
      ? overTraces({ ...options, traces: options.traces as string })
      : overHistory({ ...options, prometheusUrl: options.prometheusUrl }));
    if (options.json !== "-") process.stdout.write(text);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    printError(error.message);
    process.exitCode = error.exitCode;
  }
}

/** One trace after another: only what was found stays. */
async function overTraces(options: BacktestOptions & { traces: string }): Promise<string> {
  checkWritable(options.json);
  const listed = listTraces(options.traces);
  const labels = readLabels(options, new Set(listed.map(({ id }) => id)));
  const gaps: TraceGaps[] = [];
  const seen = new Map<string, number>();
  const traces: TraceReport[] = [];
  let step = Number.POSITIVE_INFINITY;
  await withProgress("traces", async (start) => {
    const advance = start(listed.length);
    for (const one of listed) {
      const trace = readTrace(one);
      gaps.push(trace.gaps);
      seen.set(trace.id, seenSeconds(trace));
      for (const { times } of trace.members) step = Math.min(step, medianStep(times) || step);
      traces.push(judgeTrace(trace, newJudge(), options.json !== undefined || labels !== undefined));
      advance();
      await nextTurn(); // so that Ctrl-C and the progress are heard
    }
  });
  const report: Report = { step_seconds: Number.isFinite(step) ? step : 0, engine: "judge", traces };
  await writeJson(options.json, report);
  const missing = gapNotes(gaps);
  if (labels !== undefined) return [renderScore(score(report, seen, labels)), ...notes(missing)].join("\n");
  const seconds = [...seen.values()].reduce((sum, one) => sum + one, 0);
  return renderEpisodes(report, seconds, missing);
}

function gapNotes(gaps: readonly TraceGaps[]): string[] {
  const sum = (of: keyof TraceGaps) => gaps.reduce((total, one) => total + one[of], 0);
  const [empty, zero, withoutStart, falls] = [sum("empty"), sum("zero"), sum("withoutStart"), sum("falls")];
  const rows = (n: number) => counted(n, "row");
  return [
    ...(empty > 0 ? [`${rows(empty)} without a value of memory left out`] : []),
    ...(zero > 0 ? [`${rows(zero)} of 0 bytes left out: a process that is just exiting`] : []),
    ...(withoutStart > 0
      ? [`${counted(withoutStart, "file")} without start times: ${counted(falls, "restart")} from falls of memory`]
      : []),
  ];
}

async function overHistory(options: BacktestOptions & { prometheusUrl: string }): Promise<string> {
  checkWritable(options.json);
  const wanted = historyOptions(options, Date.now() / 1000);
  const api = new PrometheusApi(options.prometheusUrl, { bearerToken: bearerToken(options) });
  const report = await withProgress("days", (start) => backtestHistory(api, newJudge, wanted, start));
  await writeJson(options.json, report);
  return renderHistory(report);
}

/** `work` says how much there is as soon as it knows. */
async function withProgress<T>(
  what: string,
  work: (start: (total: number) => () => void) => T | Promise<T>,
): Promise<T> {
  let bar: Progress | undefined;
  try {
    return await work((total) => {
      bar = progressBar(what, total);
      return bar.advance;
    });
  } finally {
    bar?.end();
  }
}

/** Before the work, not after it. */
function checkWritable(file: string | undefined): void {
  if (file === undefined || file === "-") return;
  try {
    fs.closeSync(fs.openSync(file, "a"));
  } catch (error) {
    throw cannotWrite(file, error as Error);
  }
}

const cannotWrite = (file: string, error: Error) =>
  new CommandError(`${file}: cannot be written: ${error.message}`, 2, { cause: error });

/** A report, as far as it matters here. Estimates over time are numbers only, and many. */
interface Written {
  readonly traces: readonly (object & { readonly time_to_oom?: unknown })[];
}

async function writeJson(file: string | undefined, report: Written): Promise<void> {
  if (file === undefined) return;
  const isStandard = file === "-";
  try {
    const stream = isStandard ? process.stdout : fs.createWriteStream(file);
    await pipeline(Readable.from(jsonOf(report)), stream, { end: !isStandard });
  } catch (error) {
    if (isStandard && (error as NodeJS.ErrnoException).code === "EPIPE") return; // whoever reads has read enough
    throw cannotWrite(file, error as Error);
  }
}

/** Trace by trace: all in one text can be longer than a text can be. Names are a server's or a folder's. */
export function* jsonOf({ traces, ...head }: Written): Generator<string> {
  yield `${JSON.stringify(shownValues(head)).slice(0, -1)},"traces":[`;
  for (const [i, { time_to_oom, ...trace }] of traces.entries())
    yield `${i === 0 ? "" : ","}\n${JSON.stringify({ ...shownValues(trace), time_to_oom })}`;
  yield "\n]}\n";
}

/** Undefined when there are none, or none of these traces. */
function readLabels(
  { labels, traces }: { labels?: string; traces: string },
  ids: ReadonlySet<string>,
): TraceLabels[] | undefined {
  const candidates =
    labels === undefined ? ["labels.json", "../labels.json"].map((f) => path.join(traces, f)) : [labels];
  const file = candidates.find((candidate) => fs.existsSync(candidate));
  if (file === undefined) {
    if (labels !== undefined) throw new TraceError(`${labels}: no such file`);
    return undefined;
  }
  let content: { traces?: TraceLabels[] };
  try {
    content = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new TraceError(`${file}: not a file of labels: ${(error as Error).message}`, { cause: error });
  }
  if (!Array.isArray(content?.traces)) throw new TraceError(`${file}: not a file of labels: it has no list "traces"`);
  const odd = content.traces.findIndex((one) => !isLabels(one));
  if (odd >= 0)
    throw new TraceError(
      `${file}: traces[${odd}]: expected id and family as texts, label "leak" or "healthy", oom_times as a list`,
    );
  if (content.traces.some(({ id }) => ids.has(id))) return content.traces;
  if (labels !== undefined) throw new TraceError(`${labels}: knows none of these traces`);
  return undefined;
}

function isLabels(one: Partial<TraceLabels> | null): one is TraceLabels {
  const { id, family, label, oom_times: times } = one ?? {};
  const isKnown = label === "leak" || label === "healthy";
  return typeof id === "string" && typeof family === "string" && isKnown && Array.isArray(times);
}
