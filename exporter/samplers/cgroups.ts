// The cgroups that count the memory of the watched processes: read once per cgroup, however many processes it holds. A process may sit
// below the one that counts it (counting-cgroup.ts). Where our own mounts show a cgroup, its files are the kernel's; the others are
// read through one of their processes (target-cgroup.ts), whose word counts for itself only.

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
import { countingCgroup, parentOf } from "../cgroupfs/counting-cgroup.ts";
import { type CgroupIdentity, identifyCgroup } from "../cgroupfs/identity.ts";
import { type CgroupFolder, CgroupLayout } from "../cgroupfs/layout.ts";
import { OomCounters, type OomRise, riseOf, unknownRise } from "../cgroupfs/oom-counters.ts";
import { threadsLimitFile } from "../cgroupfs/threads-limit.ts";
import type { Failures } from "../failures.ts";
import { type FailureReason, failureReason, type KernelFiles, type ProcFolder } from "../kernel/files.ts";
import { type DescriptorBudget, KeptFiles } from "../kernel/kept-files.ts";
import { TargetFiles } from "../kernel/target-files.ts";
import type { MemoryCgroup } from "../procfs/cgroup.ts";
import { cutPath } from "../text/visible.ts";
import { processFolder } from "./process-folder.ts";
import { type CgroupSnapshot, readThroughTarget } from "./target-cgroup.ts";

/** A cgroup that counts the memory of watched processes. */
export interface WatchedCgroup extends CgroupIdentity {
  readonly version: 1 | 2;
  /** Its own path, which is that of its processes or one above it. */
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
  /** Its watched processes, each with the folder of the cgroup that it sits in; undefined where our mounts do not show that. */
  readonly holders: ReadonlyMap<number, CgroupFolder | undefined>;
}

/** The one that counts its OOM kills, among those of all cgroups. */
export const killCounterOf = ({ at, path }: WatchedCgroup): string => at?.folder ?? `seen by its processes ${path}`;

interface Known extends WatchedCgroup {
  readonly holders: Map<number, CgroupFolder | undefined>;
  inodes: WatchedCgroup["inodes"];
  snapshot: CgroupSnapshot | undefined;
  isShown: boolean;
  problem: FailureReason | undefined;
  /** When its processes were last asked to show it, and until when they are not asked again. On the monotonic clock. */
  askedAt: number;
  asideUntil: number;
  /** Events that its processes last showed. */
  shownEvents: ReadonlyMap<string, number> | undefined;
  /** What the last look found. */
  oomRise: OomRise | undefined;
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

/** Where a cgroup of a process is counted, as far as our mounts show it. */
interface Place {
  readonly counting: MemoryCgroup;
  readonly at: CgroupFolder | undefined;
  readonly own: CgroupFolder | undefined;
}

export class Cgroups {
  private readonly files: KernelFiles;
  private readonly failures: Failures;
  private readonly layout: CgroupLayout;
  private readonly kept: KeptFiles;
  private readonly targetFiles: TargetFiles;
  private readonly known = new Map<string, Known>();
  private machine: MachineBounds = { bytes: undefined, swap: undefined, oomKills: undefined };
  private readonly places = new Map<string, Place>();
  private readonly counters: OomCounters;
  /** What the last look found in parents, by folder. */
  private readonly risesAbove = new Map<string, OomRise>();
  /** How many of the known cgroups have it as parent, by folder. */
  private readonly parents = new Map<string, number>();
  /** The machine's counter stood still at the last look, so nobody was killed. */
  private isQuiet = false;
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
    this.counters = new OomCounters(files);
  }

  /** Can the files of any cgroup be reached through our own mounts? */
  get mounted(): boolean {
    return this.layout.mounts.length > 0;
  }

  /** The cgroup that counts the memory of a process in `cgroup`. Each call wants a `drop`. */
  hold(cgroup: MemoryCgroup, pid: number): WatchedCgroup {
    const place = this.placeOf(cgroup);
    const key = keyOf(place.counting);
    let found = this.known.get(key);
    if (found === undefined) {
      found = this.enter(place);
      this.known.set(key, found);
      this.readLimit(found);
    } else if (found.holders.size === 0 && found.at !== undefined && this.counters.beginAnew(found.at.folder)) {
      found.inodes = this.inodesOf(found.at.folder, found.parent);
      this.readLimit(found); // a container that was started again at once
    }
    found.holders.set(pid, place.own);
    return found;
  }

  /** Without processes it is forgotten at the next look: one that moves, or is started again at once, comes back to it. */
  drop(cgroup: WatchedCgroup, pid: number): void {
    this.known.get(keyOf(cgroup))?.holders.delete(pid);
  }

  /** Those that hold watched processes. */
  *[Symbol.iterator](): Iterator<WatchedCgroup> {
    for (const cgroup of this.known.values()) if (cgroup.holders.size > 0) yield cgroup;
  }

  /** Lets go of every descriptor. */
  close(): void {
    this.kept.close();
  }

  /** A round of readings begins. */
  startReading(machine: MachineBounds): void {
    this.machine = machine;
    this.limits.clear();
    this.places.clear(); // controllers come and go with the units' settings
    this.kept.startRound();
  }

  /**
   * Asks the processes of those cgroups that our mounts do not show, the longest unasked first: all of them, or only those that
   * were never asked. Within a time; `now` is on the monotonic clock.
   */
  async askProcesses({ all, now }: { all: boolean; now: number }): Promise<void> {
    this.forgetEmpty();
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
    for (const pid of [...cgroup.holders.keys()].slice(0, mostAsked)) {
      try {
        const process = folderIfThere(this.files, pid);
        if (process === undefined) continue;
        cgroup.snapshot = await readThroughTarget(
          { files: this.files, targetFiles: this.targetFiles },
          process,
          cgroup,
          {
            controller: "memory",
            counting: memoryFiles[cgroup.version],
            eachLevel: [limitFile[cgroup.version], ...(cgroup.version === 2 ? [threadsLimitFile] : [])],
          },
        );
        if (cgroup.snapshot !== undefined) break;
      } catch (error) {
        cgroup.problem = this.failures.add("cgroup", error, cgroup.label);
      }
    }
    const isSlow = performance.now() - started > targetReads.slowSeconds * 1000;
    if (cgroup.snapshot === undefined || isSlow) cgroup.asideUntil = now + targetReads.asideSeconds;
    cgroup.isShown = cgroup.problem === undefined && (cgroup.isShown || cgroup.snapshot !== undefined);
    if (cgroup.shownEvents === undefined) this.riseShownBy(cgroup);
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

  private readMemory(cgroup: WatchedCgroup): CgroupMemory | undefined {
    const { version, at, snapshot } = cgroup;
    if (at !== undefined) {
      const memory = readCgroupMemory(this.kept, version, at.folder);
      this.limits.set(at.folder, memory.limit);
      return memory;
    }
    if (snapshot === undefined || this.isShownElsewhere(cgroup)) return undefined;
    return withinMachine(readCgroupMemory(snapshot, version, snapshot.counting.folder), this.machine);
  }

  /** What counts several cgroups that only their processes show is known only once they have; its memory is told once. */
  private isShownElsewhere({ path, version, snapshot }: WatchedCgroup): boolean {
    if (snapshot === undefined || snapshot.counting.path === path) return false;
    for (const other of this) {
      if (other.version !== version) continue;
      if (other.path === path) return false;
      if (other.path === snapshot.counting.path || other.snapshot?.counting.path === snapshot.counting.path)
        return true;
    }
    return false;
  }

  private effectiveLimit({ version, at, snapshot }: WatchedCgroup, memory?: CgroupMemory): EffectiveLimit | undefined {
    const known = memory === undefined ? {} : { memory };
    // limits of a round are kept for the next cgroup only while a round goes on
    const own = memory === undefined ? new Map<string, number | undefined>() : this.limits;
    if (at !== undefined) return readEffectiveLimit(this.files, version, at, { own, ...known });
    return snapshot && readEffectiveLimit(snapshot, version, snapshot.counting, { own: new Map(), ...known });
  }

  /** As after a look that found nothing: the machine's counter stood still, in which every kill shows. */
  noOomKills(): void {
    this.isQuiet = true;
    this.risesAbove.clear();
    for (const cgroup of this.known.values()) {
      cgroup.newOomKills = 0;
      cgroup.oomRise = undefined;
    }
  }

  /**
   * Looks at the OOM kill counters only. What processes show of their own cgroup counts up to the kills that the machine has
   * counted meanwhile.
   */
  async lookForOomKills({ onMachine, now }: { onMachine: number; now: number }): Promise<void> {
    this.isQuiet = false;
    this.risesAbove.clear();
    await this.askProcesses({ all: true, now });
    for (const cgroup of this.known.values()) {
      cgroup.oomRise = this.riseIn(cgroup, onMachine);
      cgroup.newOomKills = cgroup.oomRise.newKills;
      if (cgroup.parent !== undefined && !this.risesAbove.has(cgroup.parent)) {
        this.risesAbove.set(cgroup.parent, this.counters.rise(2, cgroup.parent));
      }
    }
  }

  /** Names the event by which the kernel killed all of a cgroup at once since the last look; undefined where there was none. */
  groupKillOf(cgroup: WatchedCgroup): string | undefined {
    if (this.isQuiet) return undefined;
    const known = this.known.get(keyOf(cgroup));
    if (known?.oomRise?.groupKills) return killCounterOf(cgroup);
    // the cgroup of a container goes with its main process, and the one above has counted it too
    return cgroup.parent !== undefined && this.risesAbove.get(cgroup.parent)?.groupKills ? cgroup.parent : undefined;
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

  private inodesOf(own: string | undefined, above: string | undefined): WatchedCgroup["inodes"] {
    return { own: this.inodeOf(own), above: this.inodeOf(above) };
  }

  private inodeOf(folder: string | undefined): number | undefined {
    try {
      return folder === undefined ? undefined : this.files.inode(folder);
    } catch {
      return undefined;
    }
  }

  /**
   * OOM kills since the last look that a cgroup above known ones counted, and none of those that we know below it, at any depth; by
   * its folder. They happened in cgroups that are gone, or that nobody watches.
   */
  unaccountedKills(): ReadonlyMap<string, number> {
    const left = new Map<string, number>();
    const counted = [...this.known.values()].map(({ at, newOomKills }) => [at?.folder ?? "", newOomKills] as const);
    // the deepest first: what it cannot account for shows in those above it too
    for (const [parent, { newKills }] of [...this.risesAbove].sort(([a], [b]) => b.length - a.length)) {
      const below = [...counted, ...left].filter(([folder]) => folder.startsWith(`${parent}/`));
      left.set(parent, Math.max(0, newKills - below.reduce((sum, [, kills]) => sum + kills, 0)));
    }
    return left;
  }

  private riseIn(cgroup: Known, onMachine: number): OomRise {
    const { at, version } = cgroup;
    return at === undefined ? this.riseShownBy(cgroup, onMachine) : this.counters.rise(version, at.folder);
  }

  private placeOf(cgroup: MemoryCgroup): Place {
    const known = this.places.get(keyOf(cgroup));
    if (known !== undefined) return known;
    const own = this.layout.locate(cgroup);
    const counting = own && countingCgroup((file) => this.files.isPresent(file), { ...cgroup, at: own });
    const place = { counting: counting ?? cgroup, at: counting?.at, own };
    this.places.set(keyOf(cgroup), place);
    return place;
  }

  private enter({ counting, at }: Place): Known {
    const { version, path } = counting;
    const above = at && version === 2 && this.layout.countsBelow(at) ? parentOf({ version, path, at }) : undefined;
    const parent = above?.at.folder;
    // what was counted before we looked is no news
    if (at !== undefined) this.counters.begin(version, at.folder);
    if (parent !== undefined) {
      const children = this.parents.get(parent) ?? 0;
      if (children === 0) this.counters.begin(version, parent); // the others have begun it, and wait for what it counts
      this.parents.set(parent, children + 1);
    }
    return {
      ...identifyCgroup(path),
      version,
      path,
      label: cutPath(path),
      at,
      snapshot: undefined,
      isShown: false,
      problem: undefined,
      memory: undefined,
      limit: undefined,
      newOomKills: 0,
      parent,
      inodes: this.inodesOf(at?.folder, parent),
      holders: new Map(),
      askedAt: neverAsked,
      asideUntil: neverAsked,
      shownEvents: undefined,
      oomRise: undefined,
    };
  }

  private forgetEmpty(): void {
    let forgotten = 0;
    for (const [key, { holders, at, parent }] of this.known) {
      if (holders.size > 0) continue;
      this.known.delete(key);
      forgotten++;
      if (at !== undefined) this.kept.releaseFolder(at.folder);
      if (parent === undefined) continue;
      const children = (this.parents.get(parent) ?? 1) - 1;
      if (children > 0) this.parents.set(parent, children);
      else this.parents.delete(parent);
    }
    if (forgotten > 0) this.forgetCounts();
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

  /** What its processes show beyond what they showed before; what they showed at first is no news. */
  private riseShownBy(cgroup: Known, onMachine = 0): OomRise {
    const { snapshot, version, shownEvents: before } = cgroup;
    if (snapshot === undefined) return unknownRise;
    try {
      cgroup.shownEvents = readEvents(snapshot, version, snapshot.counting.folder);
    } catch {
      return unknownRise; // not as the kernel writes it
    }
    if (before === undefined || this.isShownElsewhere(cgroup)) return unknownRise;
    const rise = riseOf(before, cgroup.shownEvents);
    return {
      ...rise,
      kills: rise.kills && Math.min(onMachine, rise.kills),
      groupKills: rise.groupKills && Math.min(onMachine, rise.groupKills),
      newKills: Math.min(onMachine, rise.newKills),
    };
  }

  private forgetCounts(): void {
    this.counters.forget(
      new Set(
        [...this.known.values()].flatMap(({ at, parent }) => [at?.folder, parent].filter((name) => name !== undefined)),
      ),
    );
  }
}

/** Undefined where the process has ended since. */
function folderIfThere(files: KernelFiles, pid: number): ProcFolder | undefined {
  try {
    return processFolder(files, pid);
  } catch {
    return undefined;
  }
}

const keyOf = ({ version, path }: MemoryCgroup) => `${version}${path}`;
