// `leakwatch detect`: watches some processes for a while, and tells whether they leak.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { type Config, defaultConfig } from "../config/config.ts";
import { Pattern } from "../config/pattern.ts";
import { heapSettingOf } from "../discovery/heap-setting.ts";
import { readEnvironment } from "../discovery/runtimes/environment.ts";
import { type HeapLimit, heapLimitOf } from "../discovery/runtimes/heap-limit.ts";
import { KernelFiles, type KernelRoots } from "../kernel/files.ts";
import { ranOutOfHeap } from "../ledger/container-state.ts";
import { isKernelThread, parseStat } from "../procfs/stat.ts";
import { processFolder } from "../samplers/process-folder.ts";
import { wantsColour } from "../terminal/colour.ts";
import { statusLine } from "../terminal/progress.ts";
import { humanBytes, humanDuration } from "../text/human.ts";
import { withoutSecretWords } from "../text/secrets.ts";
import { version } from "../version.ts";
import { systemClock } from "../watch/boot-clock.ts";
import { DetectRun } from "./detect-run.ts";
import { ProcessTree } from "./process-tree.ts";
import { asJson, type ExitCode, exitCodeOf, type Outcome, renderText } from "./report.ts";
import { passInterval, wholeRun, windowsAt } from "./windows.ts";

export interface DetectPlan {
  readonly target: { pid: number } | { group: string } | { command: readonly [string, ...string[]] };
  /** Seconds. */
  readonly seconds: number;
  readonly speed: number;
  /** Bytes. */
  readonly limit: number | undefined;
  readonly json: boolean;
}

/** It cannot be done as asked; the message is for the user. */
export class DetectError extends Error {
  override readonly name = "DetectError";
}

const roots: KernelRoots = { procfs: "/proc", cgroupfs: "/sys/fs/cgroup" };

/** A leak that is claimed for this share of the run without a break is certain, and the rest need not be waited for. */
const certainShare = 1 / 3;

/** How long a command may take to end after SIGTERM, in milliseconds. */
const endsWithin = 10_000;

/** Ctrl-C at a terminal reaches the command by itself. */
const forwarded = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

export async function detect(plan: DetectPlan): Promise<ExitCode> {
  const interruption = new AbortController();
  let child: ChildProcess | undefined;
  const release = listenToSignals(() => child, interruption); // before there is a command that a signal could orphan
  try {
    if ("command" in plan.target) child = await start(plan.target.command);
    const { files, config } = targetOf(plan, child);
    const outcome = await watch(plan, files, config, child, interruption.signal);
    if (child !== undefined) await end(child, files as ProcessTree);
    process.stdout.write(
      plan.json
        ? `${JSON.stringify(asJson(outcome, version), null, 2)}\n`
        : renderText(outcome, { colour: wantsColour() }),
    );
    return exitCodeOf(outcome);
  } finally {
    child?.kill("SIGKILL"); // only when something went wrong before it was ended
    release();
  }
}

async function watch(
  plan: DetectPlan,
  files: KernelFiles,
  config: Config,
  child: ChildProcess | undefined,
  interrupted: AbortSignal,
): Promise<Outcome> {
  const windows = windowsAt(plan.speed);
  const clock = systemClock;
  const run = new DetectRun({ files, config, clock, windows });
  const line = statusLine();
  const started = clock.monotonic();
  /** Most that its processes held, in bytes. */
  let held = 0;
  const took = () => clock.monotonic() - started;
  const outcome = async (endedEarly?: string): Promise<Outcome> => {
    const seconds = took();
    const isWhole = seconds >= Math.min(plan.seconds, wholeRun(windows));
    // on a machine that is starved the windows have holes
    const often = run.watcher.passes * windows.floors.hour >= 2 * seconds;
    const early = isWhole ? (often ? undefined : "the machine was too busy to look often enough") : endedEarly;
    return { seen: await run.finish(), endedEarly: early, planned: plan.seconds, took: seconds, windows };
  };
  try {
    for (;;) {
      await run.step();
      if (interrupted.aborted) return await outcome(`stopped by ${String(interrupted.reason)}`);
      if (run.watcher.watched.size === 0) {
        if ("group" in plan.target && run.watcher.passes === 1) throw new DetectError(noSuchGroup(plan.target.group));
        // a group may have processes again
        if (!("group" in plan.target)) return await outcome(howItEnded(child, plan.target, held));
      } else held = Math.max(held, run.soFar.memory);
      if (took() >= plan.seconds || run.leakingFor >= plan.seconds * certainShare) return await outcome();
      line.draw(() => statusText(took(), plan.seconds, run));
      await wait(passInterval(windows) * 1000, undefined, { signal: interrupted }).catch(() => undefined);
    }
  } finally {
    line.clear();
    run.close();
  }
}

function targetOf(
  { target, limit }: DetectPlan,
  child: ChildProcess | undefined,
): { files: KernelFiles; config: Config } {
  const config: Config = { ...defaultConfig, memoryLimit: limit };
  if ("group" in target) {
    const name = Pattern.exactly(target.group);
    const groups = [{ name: target.group, match: { name }, memoryLimit: limit }];
    return { files: new KernelFiles(roots), config: { ...config, groups, unmatched: "ignore" } };
  }
  const pid = "pid" in target ? target.pid : (child?.pid as number);
  const files = new ProcessTree(roots, pid);
  if ("pid" in target) mustBeWatchable(files, pid);
  return { files, config };
}

function mustBeWatchable(files: KernelFiles, pid: number): void {
  const text = files.textIfPresent(files.proc(pid, "stat"));
  if (text === undefined) throw new DetectError(`there is no process ${pid}`);
  const stat = parseStat(text);
  if (pid === process.pid) throw new DetectError(`process ${pid} is leakwatch itself`);
  if (isKernelThread(stat)) throw new DetectError(`process ${pid} (${stat.comm}) is a thread of the kernel`);
  if (processFolder(files, pid, stat) === undefined)
    throw new DetectError(`process ${pid} (${stat.comm}) has ended already`);
}

const noSuchGroup = (group: string) =>
  `no process here is named ${group}. leakwatch names a process by its script or program, such as server.js or nginx`;

/** Its output goes to standard error: standard output is for the report. */
async function start([program, ...args]: readonly [string, ...string[]]): Promise<ChildProcess> {
  try {
    const child = spawn(program, args, { stdio: ["inherit", process.stderr, process.stderr] });
    await once(child, "spawn");
    return child;
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: "no such command",
      EACCES: "it may not be executed",
      ENOTDIR: "a part of its path is no folder",
      E2BIG: "its arguments are too long",
    };
    const { code } = error as NodeJS.ErrnoException;
    // not the error's own message, which repeats the name; and a whole command line in quotes is taken for a name
    throw new DetectError(
      `cannot start ${withoutSecretWords(program)}: ${reasons[code ?? ""] ?? code ?? "the reason is not known"}`,
    );
  }
}

function howItEnded(child: ChildProcess | undefined, target: DetectPlan["target"], held: number): string {
  if (child === undefined) return "the process ended";
  const heap = "command" in target ? heapLimitOfCommand(target.command) : undefined;
  if (heap !== undefined && ranOutOfHeap(exitStatusOf(child), heap, held)) {
    return `the command ran out of its heap limit of ${humanBytes(heap.bytes)}`;
  }
  if (child.signalCode !== null) return `the command was ended by ${child.signalCode}`;
  return child.exitCode === null ? "the command ended" : `the command ended with exit code ${child.exitCode}`;
}

/** By its arguments and the environment that it has from us; undefined where it depends on a memory that is not known any more. */
function heapLimitOfCommand(command: readonly string[]): HeapLimit | undefined {
  const variables = Object.entries(process.env).map(([name, value]) => `${name}=${value}\0`);
  const environment = readEnvironment(variables.join(""));
  const setting = heapSettingOf(command, { exe: undefined, environment });
  const unknown = { machine: undefined, limit: undefined, limitIsOwn: false, isKnown: false };
  return setting && heapLimitOf(setting, unknown);
}

const exitStatusOf = ({ exitCode, signalCode }: ChildProcess) => ({
  exitCode: exitCode ?? undefined,
  signal: signalCode === null ? undefined : constants.signals[signalCode],
});

/** First the command, so that it can end its own; then what it left behind. */
async function end(child: ChildProcess, tree: ProcessTree): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), endsWithin);
    await ended;
    clearTimeout(force);
  }
  for (const pid of await tree.pids()) {
    if (pid === child.pid) continue;
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // ended since
    }
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
function statusText(took: number, seconds: number, { soFar: { memory, verdict } }: DetectRun): string {
  const word = verdict === "insufficient_data" ? "too early to tell" : `${verdict} so far`;
  return `${humanDuration(took)} of ${humanDuration(seconds)}, ${humanBytes(memory)}, ${word}`;
}
