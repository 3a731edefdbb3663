// The load of a round: a command line, which has a process group of its own so that all of it can be stopped, or a function of a test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** Time to finish after SIGTERM, in milliseconds. */
const endsWithin = 3000;

/** A function is called once for each round, with a signal that says when its time is over. */
export type Load = string | ((signal: AbortSignal) => unknown);

/** Runs until it ends, at most so many seconds; resolves with what went wrong, if anything. */
export function runLoad(load: Load, seconds: number, interrupted: AbortSignal): Promise<string | undefined> {
  return typeof load === "string" ? runCommand(load, seconds, interrupted) : callLoad(load, seconds, interrupted);
}

async function callLoad(
  load: Exclude<Load, string>,
  seconds: number,
  interrupted: AbortSignal,
): Promise<string | undefined> {
  const over = AbortSignal.any([interrupted, AbortSignal.timeout(seconds * 1000)]);
  // its own error of being aborted is none
  const settled = Promise.resolve(over)
    .then(load)
    .then(
      () => undefined,
      (error: unknown) => (over.aborted ? undefined : `the load failed: ${messageOf(error)}`),
    );
  const overdue = aborted(over).then(() => wait(endsWithin, "the load did not end in time", { ref: false }));
  return Promise.race([settled, overdue]);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function runCommand(command: string, seconds: number, interrupted: AbortSignal): Promise<string | undefined> {
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", 2, 2], detached: true });
  const exited = once(child, "exit");
  let stopped = false;
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid as number), signal);
    } catch {
      // exited since
    }
  };
  const stop = () => {
    stopped = true;
    kill("SIGTERM");
    setTimeout(() => kill("SIGKILL"), endsWithin).unref();
  };
  const timer = setTimeout(stop, seconds * 1000);
  interrupted.addEventListener("abort", stop, { once: true });
  try {
    const [code, signal] = (await exited) as [number | null, NodeJS.Signals | null];
    if (stopped || code === 0) return undefined;
    return code === null ? `the load was killed by ${signal}` : `the load exited with code ${code}`;
  } finally {
    clearTimeout(timer);
    interrupted.removeEventListener("abort", stop);
    kill("SIGKILL"); // what it left in the background would go on loading
  }
}
