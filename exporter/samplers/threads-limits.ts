// What limits threads beyond the process' own limit: the pids controller of its cgroup, and the whole kernel. Both are
// the same for many processes and seldom change, so they are read once and kept for a while.

import { targetReads } from "../../catalog/defaults.ts";
import { CgroupLayout } from "../cgroupfs/layout.ts";
import { readThreadsLimit, threadsLimitFile } from "../cgroupfs/threads-limit.ts";
import type { Failures } from "../failures.ts";
import { failureReason, type KernelFiles } from "../kernel/files.ts";
import { TargetFiles } from "../kernel/target-files.ts";
import { parseCgroup } from "../procfs/cgroup.ts";
import type { WatchedCgroup } from "./cgroups.ts";
import { readThroughTarget } from "./target-cgroup.ts";

/** A new limit shows this much later at most, in seconds, beside the time between two refreshes of a process. */
const keptForSeconds = 60;

/** `threads-max` bounds the threads of the machine, and each of them needs one of the `pid_max` ids. */
const kernelLimits = ["threads-max", "pid_max"] as const;

export class ThreadsLimits {
  private readonly files: KernelFiles;
  private readonly targetFiles: TargetFiles;
  private readonly failures: Failures;
  /** Made when it is needed: only version 1 has a hierarchy of its own for pids. */
  private layout: CgroupLayout | undefined;
  private readonly ofCgroup = new Map<string, number>();
  /** Cgroups that only a process in them shows: that process, and which processes wait for the limit. */
  private readonly wanted = new Map<string, number[]>();
  private ofKernel = Number.POSITIVE_INFINITY;
  private keptUntil = Number.NEGATIVE_INFINITY;

  constructor(files: KernelFiles, failures: Failures, targetFiles: TargetFiles = new TargetFiles(files)) {
    this.files = files;
    this.failures = failures;
    this.targetFiles = targetFiles;
  }

  /** Infinity where none is known. `memory` is the cgroup that counts its memory; `now` is on the monotonic clock. */
  least(pid: number, memory: WatchedCgroup | undefined, now: number): number {
    if (now >= this.keptUntil) this.startAgain(now);
    return Math.min(this.ofKernel, memory?.version === 2 ? this.ofVersion2(pid, memory) : this.ofOwnHierarchy(pid));
  }

  /** Asks processes for those limits that our mounts do not show. Returns the pids whose limit may be another than `least` said. */
  async askProcesses(): Promise<number[]> {
    const answered: number[] = [];
    const end = performance.now() + targetReads.secondsInPass * 1000;
    for (const [path, pids] of this.wanted) {
      if (performance.now() > end) break;
      this.wanted.delete(path);
      const limit = await this.limitShownBy(pids[0] as number, path);
      this.ofCgroup.set(path, limit);
      if (Number.isFinite(limit)) answered.push(...pids);
    }
    return answered;
  }

  private async limitShownBy(pid: number, path: string): Promise<number> {
    const wanted = { controller: "pids", counting: [], eachLevel: [threadsLimitFile] } as const;
    try {
      const snapshot = await readThroughTarget(
        { files: this.files, targetFiles: this.targetFiles },
        pid,
        { version: 1, path },
        wanted,
      );
      return this.orNone("pids.max", () => snapshot && readThreadsLimit(snapshot, snapshot.at));
    } catch (error) {
      this.failures.add("pids.max", error, "the limit of threads");
      return Number.POSITIVE_INFINITY;
    }
  }

  private startAgain(now: number): void {
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

  /** The process may sit below the cgroup that counts its memory: threaded cgroups have a pids.max of their own. */
  private ofVersion2(pid: number, { holders, snapshot }: WatchedCgroup): number {
    const at = holders.get(pid);
    if (at !== undefined) return this.kept(at.folder, () => readThreadsLimit(this.files, at));
    return this.orNone("pids.max", () => snapshot && readThreadsLimit(snapshot, snapshot.at));
  }

  private ofOwnHierarchy(pid: number): number {
    const pids = parseCgroup(this.files.textIfPresent(this.files.proc(pid, "cgroup")) ?? "", "pids");
    if (pids === undefined) return Number.POSITIVE_INFINITY;
    this.layout ??= CgroupLayout.detect(this.files, process.pid, "pids");
    const at = this.layout.locate(pids);
    if (at !== undefined) return this.kept(pids.path, () => readThreadsLimit(this.files, at));
    const known = this.ofCgroup.get(pids.path);
    if (known === undefined) this.wanted.set(pids.path, [...(this.wanted.get(pids.path) ?? []), pid]);
    return known ?? Number.POSITIVE_INFINITY;
  }

  private kept(cgroup: string, read: () => number | undefined): number {
    const limit = this.ofCgroup.get(cgroup) ?? this.orNone("pids.max", read);
    this.ofCgroup.set(cgroup, limit);
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
