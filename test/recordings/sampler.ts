// What the kernel says about one process, and which processes a service has.

import { execFileSync } from "node:child_process";
import fs from "node:fs";

export interface Sample {
  /** Seconds since the kernel started. */
  startTime: number;
  /** KiB, all. */
  resident: number;
  anon: number;
  shmem: number;
  swap: number;
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Seconds since the kernel started, on the clock of the start times. */
export function uptime(): number {
  return Number.parseFloat(fs.readFileSync("/proc/uptime", "utf8"));
}

/** Undefined when the process has ended. */
export function sampleOf(pid: number): Sample | undefined {
  const status = read(pid, "status");
  const stat = read(pid, "stat");
  if (status === undefined || stat === undefined) return undefined;
  const kib = (field: string) => new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
  const resident = kib("VmRSS");
  if (resident === undefined) return undefined; // a zombie has none
  const ticks = stat.replace(/^.*\) /s, "").split(" ")[19];
  return {
    startTime: Number(ticks) / ticksPerSecond,
    resident: Number(resident),
    anon: Number(kib("RssAnon")),
    shmem: Number(kib("RssShmem")),
    swap: Number(kib("VmSwap")),
  };
}

/** Those of the main thread, with such a title if one is given. */
export function childrenOf(pid: number, title = /^/): number[] {
  const pids = (read(pid, `task/${pid}/children`) ?? "").split(" ").filter(Boolean).map(Number);
  return pids.filter((child) => title.test(read(child, "cmdline")?.replaceAll("\0", " ") ?? "\0"));
}

function read(pid: number, name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}
