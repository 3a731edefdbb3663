// The load of `--load`: a command line that is run once for each round. It has a process group of its own, so that all of it can be stopped.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** Time to finish after SIGTERM, in milliseconds. */
const endsWithin = 3000;

/** Runs until it exits, at most so many seconds; resolves with what went wrong, if anything. */
export async function runLoad(command: string, seconds: number, interrupted: AbortSignal): Promise<string | undefined> {
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", process.stderr, process.stderr], detached: true });
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
