// The cgroups of the watched processes: read once per cgroup, however many processes it holds.

import {
  type CgroupMemory,
  type EffectiveLimit,
  readCgroupMemory,
  readEffectiveLimit,
  readEvents,
} from "../cgroupfs/cgroup-memory.ts";
import { type CgroupIdentity, identifyCgroup } from "../cgroupfs/identity.ts";
import { type CgroupFolder, CgroupLayout, locateThroughTarget } from "../cgroupfs/layout.ts";
import type { Failures } from "../failures.ts";
import { failureReason, type KernelFiles } from "../kernel/files.ts";
import { type DescriptorBudget, KeptFiles } from "../kernel/kept-files.ts";
import type { MemoryCgroup } from "../procfs/cgroup.ts";

/** A cgroup that holds watched processes. */
export interface WatchedCgroup extends CgroupIdentity {
  readonly version: 1 | 2;
  readonly path: string;
  /** Where its files are; undefined where no mount shows it. */
  readonly at: CgroupFolder | undefined;
  /** Undefined until it was read, and where it cannot be. */
  memory: CgroupMemory | undefined;
  limit: EffectiveLimit | undefined;
  /** OOM kills in it since the last look. */
  newOomKills: number;
  /** The cgroup above it, whose events count those below it too (version 2 only). */
  readonly parent: string | undefined;
}

/** OOM kill counter of a folder, and the folder's identity: one made anew under the same path starts at 0. */
interface Counted {
  inode: number;
  oomKills: number;
}

export class Cgroups {
  private readonly files: KernelFiles;
  private readonly failures: Failures;
  private readonly layout: CgroupLayout;
  private readonly kept: KeptFiles;
  private readonly known = new Map<string, WatchedCgroup & { holders: number }>();
  private readonly counted = new Map<string, Counted>();
  /** OOM kills since the last look, per parent folder. */
  private readonly newOomKillsBelow = new Map<string, number>();
  /** Limits that this round of readings has met, by folder: many cgroups have the same ones above them. */
  private readonly limits = new Map<string, number | undefined>();

  constructor(
    files: KernelFiles,
    failures: Failures,
    layout: CgroupLayout = CgroupLayout.detect(files),
    budget: DescriptorBudget = { maxKept: 0, kept: 0 },
  ) {
    this.kept = new KeptFiles(files, budget);
    this.files = files;
    this.failures = failures;
    this.layout = layout;
  }

  /** Can the files of any cgroup be reached through our own mounts? */
  get mounted(): boolean {
    return this.layout.mounts.length > 0;
  }

  /** The cgroup of a process that starts to be watched. Each call wants a `drop`. */
  hold(cgroup: MemoryCgroup, pid: number): WatchedCgroup {
    const key = `${cgroup.version}${cgroup.path}`;
    let found = this.known.get(key);
    if (found === undefined) {
      found = { ...this.locate(cgroup, pid), holders: 0 };
      this.known.set(key, found);
      this.readLimit(found);
      // what was counted before we looked is no news
      if (found.at) this.countOomKills(found.version, found.at.folder);
      if (found.parent) this.countOomKills(found.version, found.parent);
    }
    found.holders++;
    return found;
  }

  drop(cgroup: WatchedCgroup): void {
    const found = this.known.get(`${cgroup.version}${cgroup.path}`);
    if (found === undefined || --found.holders > 0) return;
    this.known.delete(`${cgroup.version}${cgroup.path}`);
    if (found.at) this.kept.releaseFolder(found.at.folder);
    this.forgetCounts();
  }

  *[Symbol.iterator](): Iterator<WatchedCgroup> {
    yield* this.known.values();
  }

  /** Lets go of every descriptor. */
  close(): void {
    this.kept.close();
  }

  /** A round of readings begins. */
  startReading(): void {
    this.limits.clear();
    this.kept.startRound();
  }

  /** Everything about one cgroup: for scrapes. */
  read(cgroup: WatchedCgroup): void {
    cgroup.memory = undefined;
    if (cgroup.at === undefined) return;
    try {
      // through a target's mounts nothing is kept: it would hold those mounts
      const files = cgroup.at.folder.startsWith(this.files.cgroupfs) ? this.kept : this.files;
      const memory = readCgroupMemory(files, cgroup.version, cgroup.at.folder);
      this.limits.set(cgroup.at.folder, memory.limit);
      cgroup.memory = memory;
      cgroup.limit = readEffectiveLimit(this.files, cgroup.version, cgroup.at, { own: this.limits, memory });
    } catch (error) {
      const reason = failureReason(error);
      if (reason !== "gone" && reason !== "absent") this.failures.add("cgroup", error, cgroup.path);
    }
    if (cgroup.memory === undefined) this.readLimit(cgroup); // those above it may still be told
  }

  /** As after a look that found nothing. */
  noOomKills(): void {
    this.newOomKillsBelow.clear();
    for (const cgroup of this.known.values()) cgroup.newOomKills = 0;
  }

  /** Looks at the OOM kill counters only. */
  lookForOomKills(): void {
    this.newOomKillsBelow.clear();
    for (const cgroup of this.known.values()) {
      cgroup.newOomKills = cgroup.at === undefined ? 0 : this.countOomKills(cgroup.version, cgroup.at.folder);
      if (cgroup.parent !== undefined && !this.newOomKillsBelow.has(cgroup.parent)) {
        this.newOomKillsBelow.set(cgroup.parent, this.countOomKills(cgroup.version, cgroup.parent));
      }
    }
  }

  /** OOM kills that a parent counted since the last look, those in cgroups below it that are gone included. */
  newOomKillsUnder(parent: string): number {
    return this.newOomKillsBelow.get(parent) ?? 0;
  }

  private locate(cgroup: MemoryCgroup, pid: number): WatchedCgroup {
    const at = this.layout.locate(cgroup) ?? this.tryThroughTarget(cgroup, pid);
    const above = at && at.folder.length > at.top.length ? at.folder.slice(0, at.folder.lastIndexOf("/")) : undefined;
    return {
      ...identifyCgroup(cgroup.path),
      version: cgroup.version,
      path: cgroup.path,
      at,
      memory: undefined,
      limit: undefined,
      newOomKills: 0,
      parent: cgroup.version === 2 ? above : undefined,
    };
  }

  private tryThroughTarget(cgroup: MemoryCgroup, pid: number): CgroupFolder | undefined {
    try {
      const at = locateThroughTarget(this.files, pid, cgroup);
      return at !== undefined && this.files.inode(at.folder) > 0 ? at : undefined;
    } catch {
      return undefined;
    }
  }

  private readLimit(cgroup: WatchedCgroup): void {
    if (cgroup.at === undefined) return;
    try {
      this.files.inode(cgroup.at.folder); // throws when it is gone; its last processes ended under the limit that it had
      cgroup.limit = readEffectiveLimit(this.files, cgroup.version, cgroup.at);
    } catch (error) {
      const reason = failureReason(error);
      if (reason !== "gone" && reason !== "absent") this.failures.add("cgroup", error, cgroup.path);
    }
  }

  /** The kills that are new since this folder was last counted. */
  private countOomKills(version: 1 | 2, folder: string): number {
    try {
      const inode = this.files.inode(folder);
      const oomKills = readEvents(this.files, version, folder).get("oom_kill") ?? 0;
      const before = this.counted.get(folder);
      this.counted.set(folder, { inode, oomKills });
      if (before === undefined) return 0;
      return before.inode === inode && oomKills >= before.oomKills ? oomKills - before.oomKills : oomKills;
    } catch {
      return 0; // the folder is gone; its last count stays known until it is made anew
    }
  }

  private forgetCounts(): void {
    const inUse = new Set([...this.known.values()].flatMap(({ at, parent }) => [at?.folder, parent]));
    // a restarted container comes back under the same path: keep the counts of what may return, within bounds
    for (const folder of this.counted.keys()) {
      if (this.counted.size <= 4096) return;
      if (!inUse.has(folder)) this.counted.delete(folder);
    }
  }
}
