// What detect watches: processes that run already, or a command of its own, which it starts and ends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { type Config, defaultConfig } from "../config/config.ts";
import { Pattern } from "../config/pattern.ts";
import type { HeapLimit } from "../discovery/runtimes/heap-limit.ts";
import { KernelFiles, type KernelRoots } from "../kernel/files.ts";
import { ranOutOfHeap } from "../ledger/container-state.ts";
import { isKernelThread, parseStat } from "../procfs/stat.ts";
import { processFolder } from "../samplers/process-folder.ts";
import { humanBytes } from "../text/human.ts";
import { withoutSecretWords } from "../text/secrets.ts";
import { withInspector } from "./live/inspector.ts";
import { ProcessTree } from "./process-tree.ts";

export type Target = { pid: number } | { group: string } | { command: readonly [string, ...string[]] };

/** It cannot be done as asked; the message is for the user. */
export class DetectError extends Error {
  override readonly name = "DetectError";
}

const roots: KernelRoots = { procfs: "/proc", cgroupfs: "/sys/fs/cgroup" };

/** How long a command may take to end after SIGTERM, in milliseconds. */
const endsWithin = 10_000;

/** The files that show the target and nothing else, and how it is named. `limit` in bytes. */
export function watchedFiles(
  target: Target,
  limit: number | undefined,
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
    throw new DetectError(`process ${pid} (${stat.comm}) has exited already`);
}

export const noSuchGroup = (group: string) =>
  `no process here is named ${group}. leakwatch names a process by its script or program, such as server.js or nginx`;

/** Its output goes to standard error: standard output is for the report. With `collect` its Node.js processes have an inspector. */
export async function start(
  [program, ...args]: readonly [string, ...string[]],
  { collect, started }: { collect: boolean; started?: ((child: ChildProcess) => void) | undefined },
): Promise<ChildProcess> {
  try {
    const env = collect ? withInspector(process.env) : process.env;
    const child = spawn(program, args, { env, stdio: ["inherit", 2, 2] });
    started?.(child); // at once: it may be running before this is told so, and a signal that comes then is for it too
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

/** The end of what is watched, before its time. */
export interface End {
  /** For a sentence: `the command exited with code 3`. */
  readonly how: string;
  /** Was it its memory that ended it? */
  readonly isOutOfMemory: boolean;
}

/** What a process had when it was last seen. */
export interface LastSeen {
  readonly heapLimit: HeapLimit | undefined;
  /** In bytes; the most that was seen. */
  readonly memory: number;
  readonly limit: number | undefined;
}

/** A process that the kernel kills has reached most of its limit. */
const nearLimit = 0.8;

export function endOf(child: ChildProcess | undefined, { heapLimit, memory, limit }: LastSeen): End {
  if (child === undefined) return { how: "the process exited", isOutOfMemory: false };
  const { exitCode, signalCode } = child;
  const status = { exitCode: exitCode ?? undefined, signal: signalCode ? constants.signals[signalCode] : undefined };
  if (heapLimit !== undefined && ranOutOfHeap(status, heapLimit, memory)) {
    return { how: `the command ran out of its heap limit of ${humanBytes(heapLimit.bytes)}`, isOutOfMemory: true };
  }
  if (signalCode !== null) {
    const isOutOfMemory = signalCode === "SIGKILL" && limit !== undefined && memory >= nearLimit * limit;
    return { how: `the command was killed by ${signalCode}${isOutOfMemory ? " near its limit" : ""}`, isOutOfMemory };
  }
  return { how: `the command exited${exitCode === null ? "" : ` with code ${exitCode}`}`, isOutOfMemory: false };
}

/** First the command, so that it can end its own; then what it left behind. */
export async function stopCommand(child: ChildProcess, tree: ProcessTree): Promise<void> {
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
      // exited since
    }
  }
}
