// The machine as a whole: its memory, its OOM kills, when it was booted.

import type { Failures } from "../failures.ts";
import type { KernelFiles } from "../kernel/files.ts";
import { parseMeminfo } from "../procfs/meminfo.ts";
import { parseBootTime } from "../procfs/system-stat.ts";
import { parseOomKills } from "../procfs/vmstat.ts";

export class Node {
  /** Memory and swap in bytes, and OOM kills since boot; undefined where the kernel does not say. */
  memory: number | undefined;
  swap: number | undefined;
  oomKills: number | undefined;
  /** Memory that is in use and could not be reclaimed, in bytes. */
  used: number | undefined;
  /** Share of its memory that is in use; NaN where the kernel does not say. */
  usedRatio = Number.NaN;
  private readonly files: KernelFiles;
  private readonly failures: Failures;

  constructor(files: KernelFiles, failures: Failures) {
    this.files = files;
    this.failures = failures;
  }

  readMemory(): void {
    const memory = this.read("meminfo", parseMeminfo);
    this.memory = memory?.total;
    this.swap = memory?.swap;
    this.used = memory?.available === undefined ? undefined : memory.total - memory.available;
    this.usedRatio = memory?.available === undefined ? Number.NaN : 1 - memory.available / memory.total;
  }

  /** OOM kills since the last look; undefined where the kernel does not say. */
  countOomKills(): number | undefined {
    const before = this.oomKills;
    this.oomKills = this.read("vmstat", parseOomKills);
    if (before === undefined || this.oomKills === undefined) return undefined;
    return Math.max(0, this.oomKills - before);
  }

  /** Unix time of the boot by the time of day as it is now, in seconds; NaN where the kernel does not say. */
  bootTime(): number {
    return this.read("stat", parseBootTime) ?? Number.NaN;
  }

  private read<T>(file: string, parse: (text: string) => T): T | undefined {
    try {
      return parse(this.files.text(this.files.proc(file)));
    } catch (error) {
      this.failures.add(file, error, "the machine");
      return undefined;
    }
  }
}
