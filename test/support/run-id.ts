// What a run of the tests leaves behind carries its id, so that a later one may remove it once the run is over.

import fs from "node:fs";
import process from "node:process";

/** Of this process: its pid, and when it started, since another may get that pid, at the latest after the machine has started again. */
export const ownRunId = (): string => `${process.pid}-${startOf(process.pid)}`;

/** Does the process of this id still run? */
export function isRunning(runId: string): boolean {
  const [pid, start] = runId.split("-");
  return start !== undefined && startOf(Number(pid)) === start;
}

/** Boot and clock ticks since then, from proc_pid_stat(5); undefined where there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    const afterName = fs
      .readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return `${fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8)}x${afterName[19]}`;
  } catch {
    return undefined; // it has ended
  }
}
