// `import { detect } from "leakwatch"`: the judgement of `leakwatch detect` in a test of one's own. docs/library.md is its manual.

import type { ChildProcess } from "node:child_process";
import { shortRun } from "../../detection/short-run.ts";
import { wordOf, wordText } from "../detect/exit-code.ts";
import { guideFor } from "../detect/figures.ts";
import { asJson } from "../detect/json.ts";
import { meaningOf } from "../detect/meaning.ts";
import { type Outcome, observe } from "../detect/observe.ts";
import { observeFunction } from "../detect/observe-function.ts";
import { planOf, secondsOf } from "../detect/plan.ts";
import type { DetectResult } from "../detect/result.ts";
import { shownName } from "../terminal/shown-text.ts";
import { version } from "../version.ts";
import { systemClock } from "../watch/boot-clock.ts";

export type { DetectResult, EvidenceKind, ProcessResult, Verdict } from "../detect/result.ts";

/** A function of this process, which is called again and again; a promise is awaited before the next call. */
export type FunctionTarget = () => unknown;

/** A command to run, a process that runs already, or all processes of a name; with their children. Linux only. */
export type ProcessTarget =
  | { readonly command: readonly [program: string, ...args: string[]] }
  | { readonly pid: number }
  | { readonly group: string };

export interface FunctionOptions {
  /** How long the first of two or three loads calls the function, such as `"30s"`; the others have as many calls. 5s by default. */
  readonly for?: string;
  /** How many calls a load has instead. */
  readonly calls?: number;
  /** What messages call the function; its own name by default. */
  readonly name?: string;
  /** Ends the run early, without a verdict. */
  readonly signal?: AbortSignal;
}

export interface ProcessOptions {
  /** How long to observe, such as `"3m"`, the default; as long again where the result is weak. With `load`: the most that a load may take. */
  readonly for?: string;
  /** Puts the target under load, two or three times: a shell command, or a function, whose signal says when its time is over. */
  readonly load?: string | ((signal: AbortSignal) => unknown);
  /** The memory that it may use in production, with its unit: `"512MiB"`. */
  readonly limit?: string;
  /** May Node.js and Java be asked to collect garbage and report what is in use? `true` by default; `false` gives weaker results. */
  readonly collect?: boolean;
  /** Ends the run early, without a verdict. */
  readonly signal?: AbortSignal;
}

/** Thrown by `assertNoLeak`; the message says why. */
export class LeakError extends Error {
  override readonly name = "LeakError";
  readonly result: DetectResult;

  constructor(message: string, result: DetectResult) {
    super(message);
    this.result = result;
  }
}

/**
 * Does this leak memory, descriptors or threads? Resolves with what `leakwatch detect --json` prints. Rejects with what the function throws, and
 * where it cannot be done as asked: a wrong option, or no such process.
 */
export function detect(target: FunctionTarget, options?: FunctionOptions): Promise<DetectResult>;
export function detect(target: ProcessTarget, options?: ProcessOptions): Promise<DetectResult>;
export async function detect(target: FunctionTarget | ProcessTarget, options: FunctionOptions & ProcessOptions = {}) {
  return asJson(await outcomeOf(target, options), version);
}

/** The same, and rejects with a `LeakError` unless no leak was seen. */
export function assertNoLeak(target: FunctionTarget, options?: FunctionOptions): Promise<DetectResult>;
export function assertNoLeak(target: ProcessTarget, options?: ProcessOptions): Promise<DetectResult>;
export async function assertNoLeak(
  target: FunctionTarget | ProcessTarget,
  options: FunctionOptions & ProcessOptions = {},
) {
  const outcome = await outcomeOf(target, options);
  const result = asJson(outcome, version);
  if (result.verdict !== "no_leak_seen") throw new LeakError(messageOf(outcome), result);
  return result;
}

const functionRun = { seconds: 5, shortest: 0.1, longest: shortRun.longest };

const never = new AbortController().signal;

function outcomeOf(
  target: FunctionTarget | ProcessTarget,
  { signal = never, calls, collect = true, name, ...options }: FunctionOptions & ProcessOptions,
): Promise<Outcome> {
  if (typeof target === "function") {
    if (calls !== undefined && !(Number.isInteger(calls) && calls > 0))
      throw new RangeError(`expected calls to be a whole number from 1 on, got ${calls}`);
    return observeFunction({
      run: target,
      name: name ?? (target.name || "function"),
      seconds: secondsOf(options.for, "for", functionRun),
      calls,
      interrupted: signal,
    });
  }
  if (process.platform !== "linux")
    throw new Error("leakwatch needs Linux to watch a process; functions are judged on every system");
  if ("pid" in target && target.pid === process.pid)
    throw new Error(
      "this process cannot watch itself: give a function of it, or start what is to be watched as a command",
    );
  const plan = planOf({ ...options, target, collect }, (option) => option);
  let child: ChildProcess | undefined;
  const endCommand = () => child?.kill("SIGKILL");
  process.once("exit", endCommand); // a test runner that is stopped must not leave it behind
  return observe(plan, {
    clock: systemClock,
    interrupted: signal,
    progress: () => undefined,
    started: (started) => {
      child = started;
    },
  }).finally(() => process.off("exit", endCommand));
}

function messageOf(outcome: Outcome): string {
  const word = wordOf(outcome);
  const [first] = outcome.processes;
  if (first === undefined) return `${wordText(word)}: ${outcome.endedEarly ?? "no process was seen"}`;
  if (word === "no_verdict") return `${shownName(first.observed.group)}: ${meaningOf(first, outcome)}`;
  return [
    `${wordText(word)}: ${shownName(first.observed.group)}. ${meaningOf(first, outcome)}`,
    `What to do next: ${guideFor(first.answer.kind)}`,
  ].join("\n");
}
