// The cgroups of the watched processes: read once per cgroup, however many processes it holds. Where our own mounts show them, their
// files are the kernel's; the others are read through one of their processes (target-cgroup.ts), whose word counts for itself only.

import { targetReads } from "../../catalog/defaults.ts";
import {
  type CgroupMemory,
  type EffectiveLimit,
  limitFile,
  memoryFiles,
  readCgroupMemory,
  readEffectiveLimit,
  readEvents,
  withinMachine,
} from "../cgroupfs/cgroup-memory.ts";
import { type CgroupIdentity, identifyCgroup } from "../cgroupfs/identity.ts";
import { type CgroupFolder, CgroupLayout } from "../cgroupfs/layout.ts";
import { threadsLimitFile } from "../cgroupfs/threads-limit.ts";
import { cutPath } from "../discovery/shown.ts";
import type { Failures } from "../failures.ts";
import { type FailureReason, failureReason, type KernelFiles } from "../kernel/files.ts";
import { type DescriptorBudget, KeptFiles } from "../kernel/kept-files.ts";
import { TargetFiles } from "../kernel/target-files.ts";
import type { MemoryCgroup } from "../procfs/cgroup.ts";
import { type CgroupSnapshot, readThroughTarget } from "./target-cgroup.ts";

/** A cgroup that holds watched processes. */
export interface WatchedCgroup extends CgroupIdentity {
  readonly version: 1 | 2;
  readonly path: string;
  /** Its path as labels show it: cut, unique, without characters that act on a terminal. */
  readonly label: string;
  /** Where our own mounts show its files; undefined where none does. */
  readonly at: CgroupFolder | undefined;
  /** Its files as one of its processes shows them, where our mounts do not. */
  readonly snapshot: CgroupSnapshot | undefined;
  /** Has one of its processes ever shown them? */
  readonly isShown: boolean;
  /** Why what its processes show in place of its files is not read. */
  readonly problem: FailureReason | undefined;
  /** Undefined until it was read, and where it cannot be. */
  memory: CgroupMemory | undefined;
  limit: EffectiveLimit | undefined;
  /** OOM kills in it since the last look. */
  newOomKills: number;
  /** The cgroup above it, whose events count those below it too (version 2 only). */
  readonly parent: string | undefined;
  /** Of its folder and the one above when they were met: folders that are made anew under the same path are others. */
  readonly inodes: { readonly own: number | undefined; readonly above: number | undefined };
}

/** The one that counts its OOM kills, among those of all cgroups. */
export const killCounterOf = ({ at, path }: WatchedCgroup): string => at?.folder ?? `seen by its processes ${path}`;

interface Known extends WatchedCgroup {
  /** Pids of its watched processes. */
  readonly holders: Set<number>;
  snapshot: CgroupSnapshot | undefined;
  isShown: boolean;
  problem: FailureReason | undefined;
  /** When its processes were last asked to show it, and until when they are not asked again. On the monotonic clock. */
  askedAt: number;
  asideUntil: number;
  /** OOM kills that its processes last showed. */
  shownOomKills: number | undefined;
}

/** What the machine has; what a target shows cannot be more. */
export interface MachineBounds {
  /** Memory and swap, in bytes. */
  readonly bytes: number | undefined;
  readonly swap: number | undefined;
  /** OOM kills since boot. */
  readonly oomKills: number | undefined;
}

const neverAsked = Number.NEGATIVE_INFINITY;

/** Processes of a cgroup that are asked to show it, one after the other. */
const mostAsked = 3;

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
  private readonly targetFiles: TargetFiles;
  private readonly known = new Map<string, Known>();
  private machine: MachineBounds = { bytes: undefined, swap: undefined, oomKills: undefined };
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
    targetFiles: TargetFiles = new TargetFiles(files),
  ) {
    this.targetFiles = targetFiles;
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
      found = this.locate(cgroup);
      this.known.set(key, found);
      this.readLimit(found);
      // what was counted before we looked is no news
      if (found.at) this.countOomKills(found.version, found.at.folder);
      if (found.parent) this.countOomKills(found.version, found.parent);
    }
    found.holders.add(pid);
    return found;
  }

  drop(cgroup: WatchedCgroup, pid: number): void {
    const found = this.known.get(`${cgroup.version}${cgroup.path}`);
    if (found === undefined) return;
    found.holders.delete(pid);
    if (found.holders.size > 0) return;
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
  startReading(machine: MachineBounds): void {
    this.machine = machine;
    this.limits.clear();
    this.kept.startRound();
  }

  /**
   * Asks the processes of those cgroups that our mounts do not show, the longest unasked first: all of them, or only those that
   * were never asked. Within a time; `now` is on the monotonic clock.
   */
  async askProcesses({ all, now }: { all: boolean; now: number }): Promise<void> {
    const foreign = [...this.known.values()].filter(({ at }) => at === undefined);
    if (all) for (const cgroup of foreign) cgroup.snapshot = undefined; // what it was some time ago is not what it is
    const due = foreign.filter(({ askedAt, asideUntil }) => now >= asideUntil && (all || askedAt === neverAsked));
    const end = performance.now() + targetReads.secondsInPass * 1000;
    for (const cgroup of due.sort((a, b) => a.askedAt - b.askedAt)) {
      if (performance.now() < end) await this.ask(cgroup, now);
    }
  }

  private async ask(cgroup: Known, now: number): Promise<void> {
    const started = performance.now();
    cgroup.askedAt = now;
    cgroup.snapshot = undefined;
    cgroup.problem = undefined;
    for (const pid of [...cgroup.holders].slice(0, mostAsked)) {
      try {
        cgroup.snapshot = await readThroughTarget({ files: this.files, targetFiles: this.targetFiles }, pid, cgroup, {
          controller: "memory",
          own: memoryFiles[cgroup.version],
          eachLevel: [limitFile[cgroup.version], ...(cgroup.version === 2 ? [threadsLimitFile] : [])],
        });
        if (cgroup.snapshot !== undefined) break;
      } catch (error) {
        cgroup.problem = this.failures.add("cgroup", error, cgroup.label);
      }
    }
    const isSlow = performance.now() - started > targetReads.slowSeconds * 1000;
    if (cgroup.snapshot === undefined || isSlow) cgroup.asideUntil = now + targetReads.asideSeconds;
    cgroup.isShown = cgroup.problem === undefined && (cgroup.isShown || cgroup.snapshot !== undefined);
    if (cgroup.shownOomKills === undefined) this.countShownOomKills(cgroup);
    this.readLimit(cgroup);
  }

  /** Everything about one cgroup: for scrapes. */
  read(cgroup: WatchedCgroup): void {
    cgroup.memory = undefined;
    try {
      const memory = this.readMemory(cgroup);
      if (memory !== undefined) {
        cgroup.memory = memory;
        cgroup.limit = this.effectiveLimit(cgroup, memory);
      }
    } catch (error) {
      const reason = failureReason(error);
      if (reason !== "gone" && reason !== "absent") this.failures.add("cgroup", error, cgroup.label);
    }
    if (cgroup.memory === undefined) this.readLimit(cgroup); // those above it may still be told
  }

  private readMemory({ version, at, snapshot }: WatchedCgroup): CgroupMemory | undefined {
    if (at !== undefined) {
      const memory = readCgroupMemory(this.kept, version, at.folder);
      this.limits.set(at.folder, memory.limit);
      return memory;
    }
    return snapshot && withinMachine(readCgroupMemory(snapshot, version, snapshot.at.folder), this.machine);
  }

  private effectiveLimit({ version, at, snapshot }: WatchedCgroup, memory?: CgroupMemory): EffectiveLimit | undefined {
    const known = memory === undefined ? {} : { memory };
    // limits of a round are kept for the next cgroup only while a round goes on
    const own = memory === undefined ? new Map<string, number | undefined>() : this.limits;
    if (at !== undefined) return readEffectiveLimit(this.files, version, at, { own, ...known });
    return snapshot && readEffectiveLimit(snapshot, version, snapshot.at, { own: new Map(), ...known });
  }

  /** As after a look that found nothing. */
  noOomKills(): void {
    this.newOomKillsBelow.clear();
    for (const cgroup of this.known.values()) cgroup.newOomKills = 0;
  }

  /**
   * Looks at the OOM kill counters only. What processes show of their own cgroup counts up to the kills that the machine has
   * counted meanwhile.
   */
  async lookForOomKills({ onMachine, now }: { onMachine: number; now: number }): Promise<void> {
    this.newOomKillsBelow.clear();
    await this.askProcesses({ all: true, now });
    for (const cgroup of this.known.values()) {
      cgroup.newOomKills =
        cgroup.at === undefined
          ? Math.min(onMachine, this.countShownOomKills(cgroup))
          : this.countOomKills(cgroup.version, cgroup.at.folder);
      if (cgroup.parent !== undefined && !this.newOomKillsBelow.has(cgroup.parent)) {
        this.newOomKillsBelow.set(cgroup.parent, this.countOomKills(cgroup.version, cgroup.parent));
      }
    }
  }

  /** Names the event by which the kernel killed all of a cgroup at once since the last look; undefined where there was none. */
  groupKillOf(_cgroup: WatchedCgroup): string | undefined {
    return undefined;
  }

  /**
   * Are its counter and the one above it still those that were there when its first process was met, and can they be read? Then an OOM
   * kill would have shown there.
   */
  countersOf({ version, at, parent, inodes }: WatchedCgroup): { own: boolean; above: boolean } {
    return {
      own: at !== undefined && this.isCounting(version, at.folder, inodes.own),
      above: parent !== undefined && this.isCounting(version, parent, inodes.above),
    };
  }

  private isCounting(version: 1 | 2, folder: string, inode: number | undefined): boolean {
    try {
      if (this.files.inode(folder) !== inode) return false;
      return readEvents(this.files, version, folder).get("oom_kill") !== undefined;
    } catch {
      return false;
    }
  }

  private inodeOf(folder: string | undefined): number | undefined {
    try {
      return folder === undefined ? undefined : this.files.inode(folder);
    } catch {
      return undefined;
    }
  }

  /** OOM kills that a parent counted since the last look, those in cgroups below it that are gone included. */
  newOomKillsUnder(parent: string): number {
    return this.newOomKillsBelow.get(parent) ?? 0;
  }

  private locate(cgroup: MemoryCgroup): Known {
    const at = this.layout.locate(cgroup);
    const parent = at && at.folder.length > at.top.length ? at.folder.slice(0, at.folder.lastIndexOf("/")) : undefined;
    return {
      ...identifyCgroup(cgroup.path),
      version: cgroup.version,
      path: cgroup.path,
      label: cutPath(cgroup.path),
      at,
      snapshot: undefined,
      isShown: false,
      problem: undefined,
      memory: undefined,
      limit: undefined,
      newOomKills: 0,
      parent: cgroup.version === 2 ? parent : undefined,
      inodes: { own: this.inodeOf(at?.folder), above: this.inodeOf(parent) },
      holders: new Set(),
      askedAt: neverAsked,
      asideUntil: neverAsked,
      shownOomKills: undefined,
    };
  }

  private readLimit(cgroup: WatchedCgroup): void {
    if (cgroup.problem !== undefined) cgroup.limit = undefined;
    if (cgroup.at === undefined && cgroup.snapshot === undefined) return; // its last processes end under the limit that it had
    try {
      if (cgroup.at !== undefined) this.files.inode(cgroup.at.folder); // throws when it is gone
      cgroup.limit = this.effectiveLimit(cgroup);
    } catch (error) {
      const reason = failureReason(error);
      if (reason !== "gone" && reason !== "absent") this.failures.add("cgroup", error, cgroup.label);
    }
  }

  /** The kills that its processes show beyond what they showed before; what they showed at first is no news. */
  private countShownOomKills(cgroup: Known): number {
    const { snapshot, version, shownOomKills: before } = cgroup;
    if (snapshot === undefined) return 0;
    try {
      cgroup.shownOomKills = readEvents(snapshot, version, snapshot.at.folder).get("oom_kill") ?? 0;
      return before === undefined ? 0 : Math.max(0, cgroup.shownOomKills - before);
    } catch {
      return 0;
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
