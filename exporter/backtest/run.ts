// A backtest from its options to its result.

import fs from "node:fs";
import path from "node:path";
import { ruleGroups } from "../../alerts/index.ts";
import type { BacktestOptions } from "../cli/backtest.ts";
import { progressBar } from "../cli/progress.ts";
import { builtinEngine } from "./builtin.ts";
import { renderEpisodes, renderScore } from "./print.ts";
import type { Report } from "./report.ts";
import { medianStep, score, type TraceLabels } from "./score.ts";
import { listTraces, readTrace, type Trace, TraceError } from "./traces.ts";

/** Prints and writes what was found. What cannot be read ends with a plain message and exit code 2. */
export async function backtest(options: BacktestOptions): Promise<void> {
  try {
    const traces = listTraces(options.traces).map(readTrace);
    const report = runBuiltin(traces);
    if (options.json !== undefined) writeJson(options.json, report);
    const labels = readLabels(options);
    if (options.json === "-") return;
    process.stdout.write(labels === undefined ? renderEpisodes(report) : renderScore(score(report, traces, labels)));
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    process.stderr.write(`leakwatch: ${error.message}\n`);
    process.exitCode = 2;
  }
}

function runBuiltin(traces: readonly Trace[]): Report {
  const run = builtinEngine(ruleGroups());
  const progress = progressBar("traces", traces.length);
  const reports = traces.map((trace) => {
    const report = run(trace);
    progress.advance();
    return report;
  });
  progress.end();
  const steps = traces.flatMap(({ members }) => members.map(({ times }) => medianStep(times)));
  return { step_seconds: Math.min(...steps), engine: "builtin", traces: reports };
}

function writeJson(file: string, report: Report): void {
  const text = `${JSON.stringify(report)}\n`;
  if (file === "-") process.stdout.write(text);
  else fs.writeFileSync(file, text);
}

function readLabels({ labels, traces }: BacktestOptions): TraceLabels[] | undefined {
  const candidates =
    labels === undefined ? ["labels.json", "../labels.json"].map((f) => path.join(traces, f)) : [labels];
  const file = candidates.find((candidate) => fs.existsSync(candidate));
  if (file === undefined) {
    if (labels !== undefined) throw new TraceError(`${labels}: no such file`);
    return undefined;
  }
  try {
    return (JSON.parse(fs.readFileSync(file, "utf8")) as { traces: TraceLabels[] }).traces;
  } catch (error) {
    throw new TraceError(`${file}: not a file of labels: ${(error as Error).message}`, { cause: error });
  }
}
