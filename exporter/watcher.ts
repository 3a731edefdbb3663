// One pass over the machine: list the processes, read those that are known, close the books of those that ended, and
// take in new ones. Between slices of a pass other work can run; passes never overlap.

import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { identityRefreshSeconds, ledger as ledgerDefaults, sliceSeconds, targetReads } from "../catalog/defaults.ts";
import { type Detection, detection } from "../catalog/detection.ts";
import type { EndedLifeThresholds } from "../catalog/ended-life.ts";
import { judgeEndedLife } from "./analysis/ended-life.ts";
import { LifeHistory } from "./analysis/life-history.ts";
import type { Config } from "./config/config.ts";
import { type BoundName, Bounds, boundNames, ownerOf } from "./discovery/bounds.ts";
import { groupName } from "./discovery/containers/container.ts";
import type { Containers } from "./discovery/containers/containers.ts";
import { Group } from "./discovery/groups.ts";
import { type Candidate, isPauseProcess, readIdentity } from "./discovery/identity.ts";
import type { Life, LimitSource } from "./discovery/life.ts";
import { type Membership, membership, needsPorts } from "./discovery/match.ts";
import { cutName } from "./discovery/shown.ts";
import type { Failures } from "./failures.ts";
import { failureReason, type KernelFiles, TimeoutError } from "./kernel/files.ts";
import { HeldUpElsewhere, TargetFiles } from "./kernel/target-files.ts";
import { Ledger } from "./ledger/ledger.ts";
import { type EndedFacts, type Finding, findReasons } from "./ledger/oom-evidence.ts";
import { RecentHigh } from "./ledger/recent-high.ts";
import { UnclaimedKills } from "./ledger/unclaimed-kills.ts";
import { parseOpenFilesLimit, parseProcessesLimit } from "./procfs/limits.ts";
import { parseMeminfo } from "./procfs/meminfo.ts";
import { isKernelThread, parseStat, ticksPerSecond } from "./procfs/stat.ts";
import { ignoresProcessesLimit, realUid } from "./procfs/status.ts";
import { parseBootTime } from "./procfs/system-stat.ts";
import { parseOomKills } from "./procfs/vmstat.ts";
import { Cgroups, killCounterOf, type WatchedCgroup } from "./samplers/cgroups.ts";
import type { ProcessReader } from "./samplers/process-reader.ts";
import { column, columns, newHighs, ProcessTable } from "./samplers/process-table.ts";
import { ThreadsLimits } from "./samplers/threads-limits.ts";

/** Known processes are read so fast that looking at the clock after each would show. */
const processesPerLook = 8;

/** A process that is not to be watched may still become another program for this long, in seconds. */
const settlesWithinSeconds = 10;

/** Both clocks, in seconds: the monotonic one for distances, the other for times of day, which can jump. */
export interface Clock {
  monotonic(): number;
  unix(): number;
}

export const systemClock: Clock = {
  monotonic: () => performance.now() / 1000,
  unix: () => Date.now() / 1000,
};

/** What the last pass did. */
export interface PassReport {
  /** Unix time of its end, in seconds. */
  finishedAt: number;
  /** Seconds on the monotonic clock. */
  monotonic: number;
  /** Seconds of work. */
  duration: number;
  /** Longest stretch without a pause, in seconds. */
  longestBlock: number;
}

/** A process that is not watched, and when to look at it again. */
interface Ignored {
  seenInPass: number;
  /** On the monotonic clock. */
  firstSeen: number;
  lookAgainAt: number;
  /** What leaves it out although it could be watched. */
  bound: BoundName | undefined;
}

/** A new process, as its stat file tells it. */
interface NewProcess {
  pid: number;
  startTicks: number;
  comm: string;
}

/** Arguments that are read side by side; more would only wait for each other. */
const argumentsAtOnce = 16;

/** Why processes that could be watched are not: counted by the file that could not be read. */
export type Unreadable = ReadonlyMap<string, number>;

export class Watcher {
  readonly table = new ProcessTable();
  readonly groups = new Map<string, Group>();
  readonly cgroups: Cgroups;
  readonly ledger: Ledger;
  readonly reader: ProcessReader;
  /** Where an engine or a cluster describes them. */
  readonly containers: Containers | undefined;
  /** Memory of the machine in bytes, and its OOM kills since boot; undefined where the kernel does not say. */
  nodeMemory: number | undefined;
  private nodeSwap: number | undefined;
  nodeOomKills: number | undefined;
  /** Share of the machine's memory that was in use at the last look; NaN where the kernel does not tell. */
  private nodeUsedRatio = Number.NaN;
  lastPass: PassReport | undefined;
  passes = 0;
  /** Seconds spent in passes. */
  passSeconds = 0;

  readonly targetFiles: TargetFiles;
  private readonly files: KernelFiles;
  private readonly failures: Failures;
  private readonly clock: Clock;
  private readonly detection: Detection;
  private readonly thresholds: EndedLifeThresholds;
  private readonly ownPid: number | undefined;
  private readonly clockOffset: number;
  /** Unix time from which on ends and restarts are known. */
  readonly watchingSince: number;
  private readonly lives = new Map<number, Life>();
  private readonly ignored = new Map<number, Ignored>();
  private readonly kills = new UnclaimedKills();
  private readonly threadsLimits: ThreadsLimits;
  private readonly bounds: Bounds;
  private readonly defaultProcesses: number;
  /** Seconds that this pass has waited for its targets beyond what is ordinary. */
  private waited = 0;
  private config: Config;
  private runningGroups = 0;
  private sliceStart = 0;
  private longestBlock = 0;

  constructor(options: {
    files: KernelFiles;
    failures: Failures;
    reader: ProcessReader;
    config: Config;
    clock?: Clock;
    cgroups?: Cgroups;
    ledger?: Ledger;
    thresholds?: EndedLifeThresholds;
    containers?: Containers | undefined;
    detection?: Detection;
    targetFiles?: TargetFiles;
    /** Processes that are watched at most, where the configuration does not say. */
    maxProcesses?: number;
  }) {
    this.files = options.files;
    this.failures = options.failures;
    this.reader = options.reader;
    this.containers = options.containers;
    this.config = options.config;
    this.clock = options.clock ?? systemClock;
    this.targetFiles = options.targetFiles ?? new TargetFiles(options.files);
    this.cgroups =
      options.cgroups ?? new Cgroups(options.files, options.failures, undefined, options.reader, this.targetFiles);
    this.threadsLimits = new ThreadsLimits(options.files, options.failures, this.targetFiles);
    this.bounds = new Bounds(options.maxProcesses);
    this.defaultProcesses = this.bounds.processes;
    this.bounds.processes = options.config.maxProcesses ?? this.defaultProcesses;
    this.detection = options.detection ?? detection;
    this.ledger = options.ledger ?? new Ledger(undefined, this.detection.cadence);
    this.thresholds = options.thresholds ?? this.detection.endedLife;
    this.ownPid = options.files.ownPid();
    this.clockOffset = this.clock.unix() - this.clock.monotonic();
    this.watchingSince = this.clock.unix();
  }

  /** Processes that are watched now, in no order. */
  get watched(): ReadonlyMap<number, Life> {
    return this.lives;
  }

  /** From the next pass on every process is named anew. */
  configure(config: Config): void {
    this.config = config;
    this.bounds.processes = config.maxProcesses ?? this.defaultProcesses;
    for (const life of this.lives.values()) life.refreshAt = Number.NEGATIVE_INFINITY;
    this.ignored.clear();
  }

  /** What is watched at most, and the processes that each of these bounds leaves out now. */
  *leftOut(): Generator<{ bound: BoundName; limit: number; processes: number }> {
    const counts = new Map<BoundName, number>();
    for (const { bound } of this.ignored.values()) if (bound) counts.set(bound, (counts.get(bound) ?? 0) + 1);
    for (const bound of boundNames) {
      yield { bound, limit: this.bounds.limitOf(bound), processes: counts.get(bound) ?? 0 };
    }
  }

  /** Containers are known by other names than before: those whose name differs are named anew in the next pass. */
  nameContainersAnew(): void {
    for (const life of this.lives.values()) {
      const { containerId, name, programName = name } = life.identity;
      const container = this.containers?.peek(containerId);
      if (container && groupName(container, programName) !== name) life.refreshAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** Passes must not overlap: the caller sees to that. `full` reads the cgroups' memory too, for a scrape. */
  async pass({ full }: { full: boolean }): Promise<PassReport> {
    const now = this.clock.monotonic();
    const missed = this.lastPass !== undefined && now - this.lastPass.monotonic > 4 * this.config.sampleInterval;
    this.longestBlock = 0;
    const started = performance.now();
    const pids = await this.files.pids();
    this.sliceStart = performance.now();
    this.waited = 0;

    this.passes++;
    const fresh = this.sortOut(pids, now);
    const ended = await this.readLives(now);
    // still listed, but as another process: the pid was given out again at once
    for (const life of ended) if (life.seenInPass === this.passes) fresh.push(life.pid);
    await this.closeBooks(ended, missed, now);
    await this.admit(fresh, now);
    await this.readCgroups(now, full);
    this.applyLimits();
    for (const name of this.ledger.forgetGone(now)) this.groups.delete(name);
    this.forgetFreeSlots();

    this.endSlice();
    const worked = (performance.now() - started) / 1000;
    this.passSeconds += worked;
    this.lastPass = {
      finishedAt: this.clock.unix(),
      monotonic: this.clock.monotonic(),
      duration: worked,
      longestBlock: this.longestBlock / 1000,
    };
    return this.lastPass;
  }

  /** Lets go of every descriptor. */
  close(): void {
    for (const life of this.lives.values()) this.reader.close(life.handle);
    this.cgroups.close();
  }

  /** Marks what is listed, and returns the pids that are new. */
  private sortOut(pids: readonly number[], now: number): number[] {
    const fresh: number[] = [];
    for (const pid of pids) {
      const life = this.lives.get(pid);
      if (life !== undefined) {
        life.seenInPass = this.passes;
        continue;
      }
      const ignored = this.ignored.get(pid);
      if (ignored !== undefined) ignored.seenInPass = this.passes;
      if (ignored === undefined || now >= ignored.lookAgainAt) fresh.push(pid);
    }
    return fresh;
  }

  /** Reads every known process, and returns those that have ended. */
  private async readLives(now: number): Promise<Life[]> {
    const ended: Life[] = [];
    const toName: Life[] = [];
    let count = 0;
    for (const life of this.lives.values()) {
      const outcome = this.readStatus(life);
      if (outcome === "ended") ended.push(life);
      if (outcome === "renamed") life.refreshAt = Number.NEGATIVE_INFINITY;
      if (outcome === "renamed" || outcome === "read" || outcome === "no memory") {
        if (now < life.refreshAt) {
          this.takeReadings(life, outcome, now);
        } else {
          // it is read once more when it is named, and could have lost its memory to the OOM killer by then
          if (outcome !== "no memory") life.recentHigh.add(now, this.table.get(life.row, column.residentMemory));
          toName.push(life);
        }
      }
      if (++count % processesPerLook === 0 && this.sliceIsOver()) await this.pause();
    }
    ended.push(...(await this.nameAgain(toName, now)));
    return ended;
  }

  private readStatus(life: Life): "read" | "renamed" | "no memory" | "ended" | "failed" {
    if (life.seenInPass !== this.passes) return "ended";
    try {
      const outcome = this.reader.readStatus(life.handle, this.table, life.row);
      return outcome === "gone" || outcome === "zombie" ? "ended" : outcome;
    } catch (error) {
      return this.statusFailed(life, error);
    }
  }

  private statusFailed(life: Life, error: unknown): "ended" | "failed" {
    if (isGone(error)) return "ended";
    this.notReadable(life, "status", error);
    this.table.clearReadings(life.row);
    return "failed";
  }

  /** What is made from the status that was read last, and the descriptors. */
  private takeReadings(life: Life, outcome: "read" | "renamed" | "no memory", now: number): void {
    this.readable(life, "status");
    if (outcome !== "no memory") this.remember(life, now);
    this.readFds(life);
    this.rememberCounts(life, now);
  }

  /** Names those again whose time has come, as far as the time of this pass goes. Returns those that have ended. */
  private async nameAgain(lives: readonly Life[], now: number): Promise<Life[]> {
    const ended: Life[] = [];
    for (let i = 0; i < lives.length; i += argumentsAtOnce) {
      const some = lives.slice(i, i + argumentsAtOnce);
      const cmdlines = await this.readArguments(some, now);
      for (const [j, life] of some.entries()) {
        if (!this.readAndName(life, cmdlines?.[j], now)) ended.push(life);
        if (this.sliceIsOver()) await this.pause();
      }
    }
    return ended;
  }

  /** False when the process has ended. Its status is read once more, since others were read meanwhile. */
  private readAndName(life: Life, cmdline: string | Error | undefined, now: number): boolean {
    const outcome = this.readStatus(life);
    if (outcome === "ended") return false;
    if (outcome === "failed") return true;
    try {
      if (cmdline !== undefined) this.refresh(life, cmdline, now);
      if (this.lives.get(life.pid) !== life) return true; // its new name is not watched
    } catch (error) {
      return this.statusFailed(life, error) !== "ended";
    }
    this.takeReadings(life, outcome, now);
    return true;
  }

  /** The arguments of some processes, or why there are none; undefined when the time of this pass is over. */
  private async readArguments(
    processes: readonly { pid: number; argumentsAsideUntil?: number }[],
    now: number,
  ): Promise<(string | Error)[] | undefined> {
    if (this.waited > targetReads.secondsInPass) return undefined;
    const started = performance.now();
    this.endSlice();
    const read: (string | Error)[] = [];
    // one after the other: two that hold up their reading would else take both places before the first is noticed
    for (const { pid, argumentsAsideUntil = now } of processes) {
      if (now < argumentsAsideUntil) read.push(stillHeldUp);
      else read.push(await this.targetFiles.cmdline(pid).catch((error: Error) => error));
    }
    this.sliceStart = performance.now();
    this.waited += Math.max(0, (this.sliceStart - started) / 1000 - argumentsAtOnce * targetReads.ordinarySeconds);
    return read;
  }

  /** Notes the memory for the judgements to come, and what it did lately. */
  private remember({ row, history, recentHigh, startTime, group, slot }: Life, now: number): void {
    const resident = this.table.get(row, column.residentMemory);
    history.add(now, resident);
    recentHigh.add(now, resident);
    const memory = group.slots[slot]?.memory;
    if (memory === undefined) return;
    const limit = this.table.get(row, column.memoryLimit);
    const highest = this.table.get(row, column.peakResidentMemory);
    memory.add(this.unixAt(now), { resident, startTime, limit, highest });
    this.table.set(row, column.floor, memory.floor);
    this.table.set(row, column.hourFloor, memory.hourFloor);
    this.table.set(row, column.peak, memory.peak);
    this.table.set(row, column.youngStart, memory.youngStart);
    for (let i = 0; i < newHighs.length; i++) this.table.set(row, columns.length + i, memory.newHigh(i));
  }

  private rememberCounts({ row, startTime, group, slot }: Life, now: number): void {
    const { descriptors, threads } = group.slots[slot] ?? {};
    descriptors?.add(this.unixAt(now), this.table.get(row, column.openFds), startTime);
    threads?.add(this.unixAt(now), this.table.get(row, column.threads), startTime);
    this.table.set(row, column.fdRise, descriptors?.rise ?? Number.NaN);
    this.table.set(row, column.threadRise, threads?.rise ?? Number.NaN);
  }

  /** A moment of the monotonic clock as Unix time, by a clock that never jumps. */
  unixAt(monotonic: number): number {
    return this.clockOffset + monotonic;
  }

  private readFds(life: Life): void {
    try {
      this.reader.readFdCount(life.handle, this.table, life.row);
      this.readable(life, "fd");
    } catch (error) {
      if (!isGone(error)) this.notReadable(life, "fd", error);
    }
  }

  /** Books the ends of one pass together, since one counter may have seen several of them. */
  private async closeBooks(ended: readonly Life[], missed: boolean, now: number): Promise<void> {
    const nodeOomKills = this.countNodeOomKills();
    // every kill shows in the machine's counter too; while that stands still there is nothing to look for
    if (nodeOomKills === 0) this.cgroups.noOomKills();
    else {
      this.endSlice();
      await this.cgroups.lookForOomKills({ onMachine: nodeOomKills ?? 0, now });
      this.sliceStart = performance.now();
    }
    this.seeKills(nodeOomKills ?? 0, now);
    const firstToGo = this.firstToGo();
    const used = ended.length === 0 ? new Map<WatchedCgroup, number>() : this.usedByCgroup();
    const facts = ended.map((life) => this.factsOf(life, life === firstToGo, used));
    const findings = findReasons(facts, {
      cgroup: (folder) => this.kills.count(folder),
      parent: (folder) => this.kills.count(`above ${folder}`),
      node: nodeOomKills === undefined ? undefined : this.kills.count("node"),
    });
    findings.forEach((finding, i) => {
      this.claimKill(finding, facts[i] as EndedFacts);
    });
    this.creditOomKills(ended, findings);
    for (const [i, life] of ended.entries()) {
      const finding = findings[i] as Finding;
      this.end(
        life,
        missed && finding.reason === "exit" ? { reason: "unknown", evidence: "not_watched" } : finding,
        now,
      );
      if (this.sliceIsOver()) await this.pause();
    }
  }

  private seeKills(onNode: number, now: number): void {
    this.kills.nextPass(now);
    this.kills.see("node", onNode, now);
    /** Kills that a cgroup above saw and those below it that we know did not. */
    const above = new Map<string, number>();
    for (const cgroup of this.cgroups) {
      const { parent, newOomKills } = cgroup;
      this.kills.see(killCounterOf(cgroup), newOomKills, now);
      if (parent === undefined) continue;
      above.set(parent, (above.get(parent) ?? this.cgroups.newOomKillsUnder(parent)) - newOomKills);
    }
    for (const [parent, kills] of above) this.kills.see(`above ${parent}`, kills, now);
  }

  /** Every kill also showed on the machine. */
  private claimKill({ evidence }: Finding, { cgroup, parent }: EndedFacts): void {
    if (!evidence.endsWith("_oom_kill")) return;
    this.kills.claim("node");
    if (evidence === "parent_oom_kill") this.kills.claim(`above ${parent}`);
    if (evidence === "cgroup_oom_kill" && cgroup !== undefined) this.kills.claim(cgroup);
  }

  private factsOf(life: Life, firstToGo: boolean, used: ReadonlyMap<WatchedCgroup, number>): EndedFacts {
    const resident = life.recentHigh.bytes;
    return {
      limitRatio: this.limitRatio(life, used),
      resident: Number.isNaN(resident) ? 0 : resident,
      cgroup: life.cgroup && killCounterOf(life.cgroup),
      parent: life.cgroup?.parent,
      firstToGo,
    };
  }

  /** Memory as a share of the limit: its own, or that of all watched processes in its cgroup where they share a limit. */
  private limitRatio(life: Life, usedByCgroup: ReadonlyMap<WatchedCgroup, number>): number | undefined {
    const limit = this.table.get(life.row, column.memoryLimit);
    const shared =
      life.limitSource === "cgroup" && life.cgroup !== undefined ? usedByCgroup.get(life.cgroup) : undefined;
    const ratio = (shared ?? life.recentHigh.bytes) / limit;
    return Number.isFinite(ratio) ? ratio : undefined;
  }

  private usedByCgroup(): Map<WatchedCgroup, number> {
    const used = new Map<WatchedCgroup, number>();
    for (const { cgroup, recentHigh } of this.lives.values()) {
      const resident = recentHigh.bytes;
      if (cgroup !== undefined && !Number.isNaN(resident)) used.set(cgroup, (used.get(cgroup) ?? 0) + resident);
    }
    return used;
  }

  /** The largest of all, if the machine could be short of memory and no limit of its own would have ended it before. */
  private firstToGo(): Life | undefined {
    if (!(this.nodeUsedRatio >= ledgerDefaults.farFromLimitRatio)) return undefined;
    let largest: Life | undefined;
    let most = 0;
    for (const life of this.lives.values()) {
      const resident = life.recentHigh.bytes;
      if (resident > most) [largest, most] = [life, resident];
    }
    return largest?.limitSource === "node" ? largest : undefined;
  }

  /** Every kill that a cgroup's counter saw is credited to a group, also when no watched life ended with it. */
  private creditOomKills(ended: readonly Life[], findings: readonly Finding[]): void {
    for (const cgroup of this.cgroups) {
      if (cgroup.newOomKills === 0) continue;
      const killed = ended.find((life, i) => life.cgroup === cgroup && findings[i]?.reason === "oom");
      // what a process shows of its own cgroup counts when it, or one beside it, has ended by it
      const any = () => [...this.lives.values()].find((life) => life.cgroup === cgroup)?.group;
      const group = killed?.group ?? (cgroup.at === undefined ? undefined : any());
      if (group !== undefined) this.ledger.account(group.name).oomKills += cgroup.newOomKills;
    }
    ended.forEach((life, i) => {
      if (findings[i]?.evidence === "parent_oom_kill") this.ledger.account(life.group.name).oomKills++;
    });
  }

  private end(life: Life, finding: Finding, now: number): void {
    const verdict = judgeEndedLife(life.history, this.thresholds);
    const resident = life.recentHigh.bytes / this.table.get(life.row, column.memoryLimit);
    this.ledger.recordEnd(
      life.group.name,
      {
        reason: finding.reason,
        evidence: finding.evidence,
        limitRatio: Number.isFinite(resident) ? resident : undefined,
        growing: verdict.growing,
        growthPerSecond: verdict.growthPerSecond,
        // the time of day may have jumped back: it lived at least as long as it was watched
        lifetime: Math.max(now - life.firstSeen, this.clock.unix() - life.startTime),
      },
      this.unixAt(now),
    );
    const slot = life.group.slots[life.slot];
    if (slot !== undefined) slot.lastEnd = { endedAt: now, reason: finding.reason };
    this.vacate(life, now);
    this.letGo(life);
  }

  /** The slot becomes free for the next process. */
  private vacate(life: Life, now: number): void {
    const slot = life.group.slots[life.slot];
    if (slot !== undefined) life.group.free(slot);
    if (life.group.running) return;
    this.runningGroups--;
    this.ledger.account(life.group.name).goneSince = now;
  }

  private letGo(life: Life): void {
    this.reader.close(life.handle);
    this.table.freeRow(life.row);
    if (life.cgroup !== undefined) this.cgroups.drop(life.cgroup, life.pid);
    this.bounds.giveBack(life.owner);
    this.lives.delete(life.pid);
  }

  /** Takes in new processes, the oldest first, so that slots do not depend on the order of pids. */
  private async admit(pids: readonly number[], now: number): Promise<void> {
    for (const [pid, { seenInPass }] of this.ignored) if (seenInPass !== this.passes) this.ignored.delete(pid);
    if (pids.length === 0) return;
    const bootTime = this.readBootTime();
    const candidates: NewProcess[] = [];
    for (const pid of pids) {
      if (this.sliceIsOver()) await this.pause();
      const stat = this.readNewStat(pid, now);
      if (stat === undefined) continue;
      if (this.bounds.areFull)
        this.ignore(pid, now, "processes"); // and nothing more is read of it
      else candidates.push(stat);
    }
    candidates.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    for (let i = 0; i < candidates.length; i += argumentsAtOnce) {
      const some = candidates.slice(i, i + argumentsAtOnce);
      const cmdlines = await this.readArguments(some, now);
      if (cmdlines === undefined) return; // the next pass finds the rest still new
      for (const [j, candidate] of some.entries()) {
        if (this.sliceIsOver()) await this.pause();
        this.take(candidate, cmdlines[j] as string | Error, bootTime, now);
      }
    }
  }

  private readNewStat(pid: number, now: number): NewProcess | undefined {
    try {
      const stat = parseStat(this.files.text(this.files.proc(pid, "stat")));
      if (pid !== this.ownPid && !isKernelThread(stat) && stat.state !== "Z" && stat.state !== "X") return stat;
    } catch (error) {
      if (isGone(error)) return undefined;
      this.failures.add("stat", error, "new processes"); // one line for all: hidepid hides thousands
    }
    this.ignore(pid, now);
    return undefined;
  }

  private ignore(pid: number, now: number, bound?: BoundName): void {
    // the first looks may have met a process between fork and exec, or a container engine's that becomes the app
    const firstSeen = this.ignored.get(pid)?.firstSeen ?? now;
    const isSettled = now - firstSeen >= settlesWithinSeconds;
    // one that is left out is taken when there is room again
    const lookAgainAt = isSettled ? now + (bound === undefined ? identityRefreshSeconds : leftOutSeconds) : now;
    this.ignored.set(pid, { seenInPass: this.passes, firstSeen, lookAgainAt, bound });
  }

  private take({ pid, startTicks, comm }: NewProcess, cmdline: string | Error, bootTime: number, now: number): void {
    if (cmdline instanceof Error && isGone(cmdline)) return;
    const handle = this.reader.handle(pid, startTicks);
    const row = this.table.addRow();
    const giveUp = () => {
      this.reader.close(handle);
      this.table.freeRow(row);
    };
    try {
      if (failureReason(cmdline) === "descriptors") throw cmdline;
      const outcome = this.reader.readStatus(handle, this.table, row);
      const identity = outcome === "read" ? this.identify(pid, comm, cmdline) : undefined;
      const member = identity && !isPauseProcess(identity) ? membership(this.config, identity) : undefined;
      // without a command line it may have ended since, and would be named after a thread
      const isOver = identity?.cmdline === "" && this.reader.readStatus(handle, this.table, row) !== "read";
      const bound = identity && member && this.bounds.against(ownerOf(identity), this.countsOf(member.group));
      if (identity === undefined || member === undefined || isOver || bound !== undefined) {
        giveUp();
        if (outcome !== "gone") this.ignore(pid, now, bound);
        return;
      }
      this.ignored.delete(pid);
      const life = this.enter({ pid, handle, row, startTicks, bootTime }, identity, member, now);
      if (cmdline instanceof Error) this.argumentsFailed(life, cmdline, now);
    } catch (error) {
      giveUp();
      if (isGone(error)) return;
      this.failures.add("status", error, `process ${pid} (${comm})`);
      this.ignore(pid, now);
    }
  }

  /** How many groups have a process, and how many processes the group has; undefined for one without. */
  private countsOf(group: string): { groups: number; inGroup: number | undefined } {
    return { groups: this.runningGroups, inGroup: this.groups.get(group)?.processes || undefined };
  }

  private argumentsFailed(life: Life, error: Error, now: number): void {
    if (error === stillHeldUp) return;
    this.notReadable(life, "cmdline", error);
    life.refreshAt = now + targetReads.againSeconds;
    if (failureReason(error) !== "timeout" || error instanceof HeldUpElsewhere) return;
    // the first time it may have been a busy machine
    life.argumentsAsideUntil = now + (life.heldUp ? targetReads.asideSeconds : targetReads.againSeconds);
    life.heldUp = true;
  }

  private identify(pid: number, comm: string, cmdline: string | Error): Candidate {
    const known = {
      comm,
      uid: realUid(this.reader.lastStatus(), this.reader.lastStatus().length),
      cmdline: cmdline instanceof Error ? undefined : cmdline,
    };
    const identity = readIdentity(this.files, pid, known, { ports: needsPorts(this.config) });
    const container = this.containers?.of(identity.containerId);
    if (container === undefined) return identity;
    const version = identity.version ?? (cutName(container.version) || undefined);
    return { ...identity, name: groupName(container, identity.name), programName: identity.name, version };
  }

  private enter(
    { pid, handle, row, startTicks, bootTime }: Pick<Life, "pid" | "handle" | "row"> & StartedAt,
    { cmdline, isHealthCheck: _, ...identity }: Candidate,
    member: Membership,
    now: number,
  ): Life {
    const group = this.group(member.group);
    const status = this.reader.lastStatus();
    const owner = ownerOf(identity);
    this.bounds.take(owner);
    const life: Life = {
      pid,
      handle,
      row,
      owner,
      startTime: bootTime + startTicks / ticksPerSecond,
      firstSeen: now,
      history: new LifeHistory(this.thresholds),
      recentHigh: new RecentHigh(),
      identity,
      hadArguments: cmdline !== "",
      ignoresProcessesLimit: ignoresProcessesLimit(status, status.length),
      group,
      slot: group.freeSlot(),
      cgroup: identity.cgroup && this.cgroups.hold(identity.cgroup, pid),
      configuredLimit: member.memoryLimit,
      limitSource: "node",
      refreshAt: now, // once more at the next pass: it may have been between fork and exec, or about to be moved
      argumentsAsideUntil: now,
      heldUp: false,
      seenInPass: this.passes,
      unreadable: new Map(),
      labelVersion: 0,
    };
    this.lives.set(pid, life);
    this.occupy(life, now);
    this.table.set(row, column.startTime, life.startTime);
    this.remember(life, now);
    this.readFds(life);
    this.rememberCounts(life, now);
    this.readLimits(life, now);
    return life;
  }

  /** Puts a life into its slot, which is a restart when another has just left it. */
  private occupy(life: Life, now: number): void {
    const slot = life.group.slots[life.slot];
    if (slot === undefined) return;
    if (!life.group.running) this.runningGroups++;
    life.group.fill(slot, life);
    slot.starts = [...slot.starts, life.startTime].slice(-this.ledger.rememberedStarts);
    const { lastEnd } = slot;
    slot.lastEnd = undefined;
    this.ledger.account(life.group.name).goneSince = undefined;
    if (lastEnd !== undefined && this.ledger.isRestart(now - lastEnd.endedAt)) {
      this.ledger.recordRestart(life.group.name, lastEnd.reason, slot.starts);
    }
  }

  /** Slots without a process keep a history; those of many processes that ended would fill the memory. */
  private forgetFreeSlots(): void {
    let slots = 0;
    for (const group of this.groups.values()) slots += group.slots.length;
    if (slots <= this.bounds.processes) return;
    for (const group of this.groups.values()) group.forgetFreeSlots();
  }

  private group(name: string): Group {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new Group(name, this.detection);
      this.groups.set(name, group);
    }
    return group;
  }

  /** Reads name, cgroup and limits again; after exec, or because the time has come. Right after its status was read. */
  private refresh(life: Life, cmdline: string | Error, now: number): void {
    if (cmdline instanceof Error && isGone(cmdline)) throw cmdline;
    const { comm } = parseStat(this.files.text(this.files.proc(life.pid, "stat")));
    const status = this.reader.lastStatus();
    const candidate = this.identify(life.pid, comm, cmdline);
    // spread, so that the processes found in one pass are not all refreshed in one
    life.refreshAt = now + identityRefreshSeconds * (1 + (life.pid % 64) / 64);
    if (candidate.cmdline === "" && life.hadArguments) return; // its memory is gone, and so will it be
    life.ignoresProcessesLimit = ignoresProcessesLimit(status, status.length);
    this.moveToCgroup(life, candidate);
    this.readLimits(life, now);
    if (cmdline instanceof Error) {
      this.argumentsFailed(life, cmdline, now);
      return; // it keeps the name that it has
    }
    this.readable(life, "cmdline");
    life.hadArguments = candidate.cmdline !== "";
    const { cmdline: _, isHealthCheck: __, ...identity } = candidate;
    if (!isDeepStrictEqual(identity, life.identity)) {
      life.identity = identity;
      life.labelVersion++;
    }
    const member = isPauseProcess(candidate) ? undefined : membership(this.config, candidate);
    life.configuredLimit = member?.memoryLimit;
    if (member?.group !== life.group.name) this.moveToGroup(life, member?.group, now);
  }

  private moveToCgroup(life: Life, { cgroup }: Candidate): void {
    if (cgroup?.path === life.cgroup?.path && cgroup?.version === life.cgroup?.version) return;
    if (life.cgroup !== undefined) this.cgroups.drop(life.cgroup, life.pid);
    life.cgroup = cgroup && this.cgroups.hold(cgroup, life.pid);
  }

  /** Not an end and no restart: the process goes on under another name, or unwatched. */
  private moveToGroup(life: Life, name: string | undefined, now: number): void {
    const old = life.group;
    this.vacate(life, now);
    if (!old.running && this.ledger.isEmpty(old.name)) {
      this.groups.delete(old.name);
      this.ledger.forget(old.name);
    }
    this.bounds.giveBack(life.owner);
    const bound = name === undefined ? undefined : this.bounds.against(life.owner, this.countsOf(name));
    this.bounds.take(life.owner);
    if (name === undefined || bound !== undefined) {
      this.letGo(life);
      this.ignore(life.pid, now, bound);
      return;
    }
    life.group = this.group(name);
    life.slot = life.group.freeSlot();
    this.occupy(life, now);
  }

  /** Of descriptors and threads. */
  private readLimits(life: Life, now: number): void {
    try {
      const text = this.files.text(this.files.proc(life.pid, "limits"));
      this.table.set(life.row, column.maxFds, parseOpenFilesLimit(text).soft ?? Number.NaN);
      const own = life.ignoresProcessesLimit ? undefined : parseProcessesLimit(text).soft;
      const least = Math.min(own ?? Number.POSITIVE_INFINITY, this.threadsLimits.least(life.pid, life.cgroup, now));
      this.table.set(life.row, column.maxThreads, Number.isFinite(least) ? least : Number.NaN);
      this.readable(life, "limits");
    } catch (error) {
      if (!isGone(error)) this.notReadable(life, "limits", error);
    }
  }

  /** All cgroups where `full`; else only those that are new, and that only their processes show. */
  private async readCgroups(now: number, full: boolean): Promise<void> {
    if (full) this.readNodeMemory();
    if (full) this.cgroups.startReading({ bytes: this.nodeMemory, swap: this.nodeSwap, oomKills: this.nodeOomKills });
    this.endSlice();
    await this.cgroups.askProcesses({ all: full, now });
    const answered = await this.threadsLimits.askProcesses();
    this.sliceStart = performance.now();
    for (const pid of answered) {
      const life = this.lives.get(pid);
      if (life !== undefined) this.readLimits(life, now);
    }
    if (!full) return;
    for (const cgroup of this.cgroups) {
      this.cgroups.read(cgroup);
      if (this.sliceIsOver()) await this.pause();
    }
  }

  private readNodeMemory(): void {
    const memory = this.readNode("meminfo", parseMeminfo);
    this.nodeMemory = memory?.total;
    this.nodeSwap = memory?.swap;
    this.nodeUsedRatio = memory?.available === undefined ? Number.NaN : 1 - memory.available / memory.total;
  }

  /** The limit of each life: configured, of a cgroup, or the machine's memory. */
  private applyLimits(): void {
    if (this.nodeMemory === undefined) this.readNodeMemory();
    for (const life of this.lives.values()) {
      const [bytes, source] = this.limitOf(life);
      this.table.set(life.row, column.memoryLimit, bytes);
      const reached = life.group.slots[life.slot]?.memory.reached ?? Number.NaN;
      this.table.set(life.row, column.headroom, bytes - reached);
      if (source !== life.limitSource) {
        life.limitSource = source;
        life.labelVersion++;
      }
      const problem = life.cgroup?.problem;
      if (problem !== undefined) life.unreadable.set("cgroup", problem);
      else this.readable(life, "cgroup");
    }
  }

  private limitOf({ configuredLimit, cgroup }: Life): readonly [bytes: number, source: LimitSource] {
    if (configuredLimit !== undefined) return [configuredLimit, "config"];
    const node = this.nodeMemory ?? Number.NaN;
    if (cgroup?.limit !== undefined && !(cgroup.limit.bytes > node)) return [cgroup.limit.bytes, cgroup.limit.source];
    // in a cgroup whose files we cannot see there may be a limit: the machine's memory would promise too much
    const isUnseen = cgroup?.at === undefined && cgroup?.isShown !== true;
    const mayHaveOne = cgroup !== undefined && isUnseen && cgroup.path !== "/";
    const told = this.config.unseenMemoryLimit;
    if (told !== undefined && isUnseen) return [told, "config"];
    return mayHaveOne ? [Number.NaN, "unknown"] : [node, "node"];
  }

  /** OOM kills on the machine since the last pass; undefined where the kernel does not tell. */
  private countNodeOomKills(): number | undefined {
    const before = this.nodeOomKills;
    this.nodeOomKills = this.readNode("vmstat", parseOomKills);
    if (before === undefined || this.nodeOomKills === undefined) return undefined;
    return Math.max(0, this.nodeOomKills - before);
  }

  private readNode<T>(file: string, parse: (text: string) => T): T | undefined {
    try {
      return parse(this.files.text(this.files.proc(file)));
    } catch (error) {
      this.failures.add(file, error, "the machine");
      return undefined;
    }
  }

  private readBootTime(): number {
    return this.readNode("stat", parseBootTime) ?? Number.NaN;
  }

  private readable(life: Life, file: string): void {
    if (life.unreadable.size > 0) life.unreadable.delete(file);
  }

  private notReadable(life: Life, file: string, error: unknown): void {
    life.unreadable.set(file, this.failures.add(file, error, life.group.name));
  }

  private sliceIsOver(): boolean {
    return performance.now() - this.sliceStart > sliceSeconds * 1000;
  }

  /** Lets other work run. */
  private async pause(): Promise<void> {
    this.endSlice();
    await nextTurn();
    this.sliceStart = performance.now();
  }

  private endSlice(): void {
    this.longestBlock = Math.max(this.longestBlock, performance.now() - this.sliceStart);
  }
}

interface StartedAt {
  startTicks: number;
  bootTime: number;
}

/** How soon a process that was left out is looked at again, in seconds. */
const leftOutSeconds = 30;

/** The arguments of a process that held up their reading are not asked for again for a while. */
const stillHeldUp = new TimeoutError("the process holds up the reading of its arguments");

/** The process ended between two readings, or its folder is no longer there. */
function isGone(error: unknown): boolean {
  const reason = failureReason(error);
  return reason === "gone" || reason === "absent";
}
