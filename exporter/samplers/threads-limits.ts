// What limits threads beyond the process' own limit: the pids controller of its cgroup, and the whole kernel. Both are
// the same for many processes and seldom change, so they are read once and kept for a while.

import { type CgroupFolder, CgroupLayout, locateThroughTarget } from "../cgroupfs/layout.ts";
import { readThreadsLimit } from "../cgroupfs/threads-limit.ts";
import type { Failures } from "../failures.ts";
import { failureReason, type KernelFiles } from "../kernel/files.ts";
import { parseCgroup } from "../procfs/cgroup.ts";
import type { WatchedCgroup } from "./cgroups.ts";

/** A new limit shows this much later at most, in seconds, beside the time between two refreshes of a process. */
const keptForSeconds = 60;

/** `threads-max` bounds the threads of the machine, and each of them needs one of the `pid_max` ids. */
const kernelLimits = ["threads-max", "pid_max"] as const;

export class ThreadsLimits {
  private readonly files: KernelFiles;
  private readonly failures: Failures;
  /** Made when it is needed: only version 1 has a hierarchy of its own for pids. */
  private layout: CgroupLayout | undefined;
  private readonly ofCgroup = new Map<string, number>();
  private ofKernel = Number.POSITIVE_INFINITY;
  private keptUntil = Number.NEGATIVE_INFINITY;

  constructor(files: KernelFiles, failures: Failures) {
    this.files = files;
    this.failures = failures;
  }

  /** Infinity where none is known. `memory` is the cgroup that counts its memory; `now` is on the monotonic clock. */
  least(pid: number, memory: WatchedCgroup | undefined, now: number): number {
    if (now >= this.keptUntil) this.startAnew(now);
    return Math.min(this.ofKernel, memory?.version === 2 ? this.ofVersion2(memory) : this.ofOwnHierarchy(pid));
  }

  private startAnew(now: number): void {
    this.keptUntil = now + keptForSeconds;
    this.ofCgroup.clear();
    this.ofKernel = Math.min(...kernelLimits.map((name) => this.readKernelLimit(name)));
  }

  private readKernelLimit(name: string): number {
    return this.orNone(name, () => {
      const text = this.files.textIfPresent(this.files.proc("sys/kernel", name)) ?? "";
      return /^\d+\n?$/.test(text) ? Number(text) : undefined;
    });
  }

  private ofVersion2({ path, at }: WatchedCgroup): number {
    return this.kept(path, () => at);
  }

  private ofOwnHierarchy(pid: number): number {
    const pids = parseCgroup(this.files.textIfPresent(this.files.proc(pid, "cgroup")) ?? "", "pids");
    if (pids === undefined) return Number.POSITIVE_INFINITY;
    this.layout ??= CgroupLayout.detect(this.files, process.pid, "pids");
    const { layout } = this;
    return this.kept(pids.path, () => layout.locate(pids) ?? locateThroughTarget(this.files, pid, pids, "pids"));
  }

  private kept(path: string, locate: () => CgroupFolder | undefined): number {
    let limit = this.ofCgroup.get(path);
    if (limit === undefined) {
      limit = this.orNone("pids.max", () => {
        const at = locate();
        return at && readThreadsLimit(this.files, at);
      });
      this.ofCgroup.set(path, limit);
    }
    return limit;
  }

  private orNone(file: string, read: () => number | undefined): number {
    try {
      return read() ?? Number.POSITIVE_INFINITY;
    } catch (error) {
      // another user's mounts cannot be seen, which is ordinary, and a cgroup may be gone by now
      if (failureReason(error) === "format") this.failures.add(file, error, "the limit of threads");
      return Number.POSITIVE_INFINITY;
    }
  }
}
