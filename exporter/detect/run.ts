// `leakwatch detect`: watches, prints what it found in every form that was asked for, and exits with a code that says it.

import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { wantsColour } from "../terminal/colour.ts";
import { statusLine } from "../terminal/progress.ts";
import { reportColumns } from "../terminal/wrap.ts";
import { humanBytes, humanDuration } from "../text/human.ts";
import { version } from "../version.ts";
import { systemClock } from "../watch/boot-clock.ts";
import { annotation } from "./annotation.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import { asJson } from "./json.ts";
import { junit } from "./junit.ts";
import { type DetectPlan, type Outcome, observe, type Progress } from "./observe.ts";
import { renderText } from "./report.ts";
import { DetectError } from "./target.ts";

export interface DetectOutput {
  readonly json: boolean;
  /** Where the JUnit report goes. */
  readonly junit: string | undefined;
}

/** Ctrl-C at a terminal reaches the command by itself. */
const forwarded = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

export async function detect(plan: DetectPlan, output: DetectOutput): Promise<ExitCode> {
  if (output.junit !== undefined) mustBeWritable(output.junit); // not after minutes
  const interruption = new AbortController();
  let child: ChildProcess | undefined;
  const release = listenToSignals(() => child, interruption); // before there is a command that a signal could orphan
  const line = statusLine();
  try {
    const outcome = await observe(plan, {
      clock: systemClock,
      interrupted: interruption.signal,
      progress: (progress) => line.draw(() => statusText(progress)),
      started: (started) => {
        child = started;
      },
    });
    line.clear();
    await print(outcome, output);
    return exitCodeOf(outcome);
  } finally {
    line.clear();
    release();
  }
}

async function print(outcome: Outcome, { json, junit: file }: DetectOutput): Promise<void> {
  if (file !== undefined) writeReport(file, junit(outcome));
  await written(
    process.stdout,
    json
      ? `${JSON.stringify(asJson(outcome, version), null, 2)}\n`
      : renderText(outcome, { colour: wantsColour(), columns: reportColumns() }),
  );
  // GitHub reads it from either stream, and JSON must stay JSON
  if (process.env["GITHUB_ACTIONS"] === "true") await written(process.stderr, annotation(outcome));
}

/** Who read it may have gone (`| head -1`); the exit code says the same. */
function written(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) =>
      error && (error as NodeJS.ErrnoException).code !== "EPIPE" ? reject(error) : resolve();
    stream.once("error", settle);
    stream.write(text, settle);
  });
}

function mustBeWritable(file: string): void {
  try {
    fs.accessSync(path.dirname(file), fs.constants.W_OK);
  } catch (error) {
    throw new DetectError(`--junit: ${(error as Error).message}`);
  }
}

function writeReport(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new DetectError(`--junit: ${(error as Error).message}`);
  }
}

/** Passes signals on to the command. Those that mean the end also end the run; returns what takes the listeners away. */
function listenToSignals(child: () => ChildProcess | undefined, interruption: AbortController): () => void {
  const listeners = forwarded.map((signal) => {
    const listener = () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child()?.kill(signal);
      if (!signal.startsWith("SIGUSR")) interruption.abort(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const release of listeners) release();
  };
}

/** How it stands, in one line. */
export function statusText({ took, planned, memory, phase }: Progress): string {
  const of = `${humanDuration(took)} of ${humanDuration(phase === "again" ? 2 * planned : planned)}`;
  const what = {
    first: `${of}, ${humanBytes(memory)}`,
    again: `${of}, ${humanBytes(memory)}: the first result is weak, observing for as long again`,
    load: `${humanDuration(took)}, ${humanBytes(memory)}: under load`,
    drain: `${humanDuration(took)}, ${humanBytes(memory)}: waiting for the load to be forgotten`,
  };
  return `leakwatch: ${what[phase]}`;
}
