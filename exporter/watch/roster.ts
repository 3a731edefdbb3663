// Who is there: new processes are found, named and put into the slot of a group; those that are known are named again now and then; those
// that ended leave. Every process that is watched was adopted here, and is dropped here.

import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { identityRefreshSeconds, targetReads } from "../../catalog/defaults.ts";
import type { EndedLifeThresholds } from "../../detection/ended-life.ts";
import type { Config } from "../config/config.ts";
import { ownerOf } from "../discovery/bounds.ts";
import { type Candidate, isPauseProcess, readIdentity } from "../discovery/identity.ts";
import { type Membership, membership, needsPorts } from "../discovery/match.ts";
import type { Failures } from "../failures.ts";
import { failureReason, type KernelFiles, type ProcFolder } from "../kernel/files.ts";
import type { Ended } from "../ledger/exit.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Vacancies } from "../ledger/vacancies.ts";
import { LifeHistory } from "../memory/life-history.ts";
import { column } from "../memory/process-table.ts";
import { RecentHigh } from "../memory/recent-high.ts";
import type { Life } from "../model/life.ts";
import { isKernelThread, type ProcessStat, parseStat, ticksPerSecond } from "../procfs/stat.ts";
import { ignoresProcessesLimit, realUid } from "../procfs/status.ts";
import type { Cgroups } from "../samplers/cgroups.ts";
import { socketsOf } from "../samplers/inherited-sockets.ts";
import { processFolder } from "../samplers/process-folder.ts";
import { folderOf, type ProcessHandle } from "../samplers/process-reader.ts";
import type { Remembered } from "../storage/saved.ts";
import { Ancestry, type Birth } from "./ancestry.ts";
import type { Limits } from "./limits.ts";
import { isGone, type Readings } from "./readings.ts";
import { Seats } from "./seats.ts";
import type { Slices } from "./slices.ts";
import { argumentsAtOnce, TargetArguments } from "./target-arguments.ts";
import { nothingRead, type TargetRuntimes } from "./target-runtimes.ts";
import { settlesWithinSeconds, Unwatched } from "./unwatched.ts";

const noSockets: ReadonlyMap<number, string> = new Map();

/** A new process, as its stat file tells it. */
interface NewProcess extends ProcessStat {
  /** Where it shows what it has: another thread's where the main thread has ended. */
  folder: ProcFolder;
}

/** Where the names of containers come from. */
export interface ContainerNames {
  /** The identity with the name that goes before that of the program, where it is known. */
  withContainer(identity: Candidate): Candidate;
}

export interface RosterOptions {
  files: KernelFiles;
  failures: Failures;
  readings: Readings;
  limits: Limits;
  cgroups: Cgroups;
  ledger: Ledger;
  vacancies: Vacancies;
  slices: Slices;
  targetArguments: TargetArguments;
  targetRuntimes: TargetRuntimes;
  names: ContainerNames;
  speed: number;
  remembered?: Remembered | undefined;
  thresholds: EndedLifeThresholds;
  config: Config;
  /** Unix time of the boot in seconds; NaN where the kernel does not say. */
  bootTime: () => number;
  maxProcesses: number | undefined;
}

export class Roster {
  readonly lives: Map<number, Life>;
  readonly seats: Seats;
  /** Processes that could be watched and are not. */
  readonly unwatched = new Unwatched();
  private readonly options: RosterOptions;
  private readonly files: KernelFiles;
  private readonly readings: Readings;
  private readonly ancestry: Ancestry;
  private readonly ownPid: number | undefined;
  private readonly defaultProcesses: number;
  private config: Config;
  private pass = 0;
  private now = 0;
  /** Unix time of the boot by the time of day of this pass, in seconds; NaN where the kernel does not say. */
  private bootTime = Number.NaN;
  private readonly lacksStartTime = new Set<Life>();

  constructor(lives: Map<number, Life>, options: RosterOptions) {
    this.lives = lives;
    this.options = options;
    this.files = options.files;
    this.readings = options.readings;
    this.config = options.config;
    this.ownPid = options.files.ownPid();
    this.ancestry = new Ancestry(options.files, lives, this.ownPid);
    this.seats = new Seats({ ...options, ancestry: this.ancestry });
    this.defaultProcesses = this.seats.bounds.processes;
    this.configure(options.config);
  }

  /** From the next pass on every process is named again. */
  configure(config: Config): void {
    this.config = config;
    this.seats.bounds.processes = config.maxProcesses ?? this.defaultProcesses;
    for (const life of this.lives.values()) life.refreshAt = Number.NEGATIVE_INFINITY;
    this.unwatched.clear();
  }

  /** A pass begins: marks what is listed, and returns the pids that are new. `now` is in seconds since boot. */
  reconcile(pids: readonly number[], now: number): number[] {
    this.pass++;
    this.now = now;
    this.ancestry.begin();
    this.unwatched.begin(now);
    const fresh: number[] = [];
    for (const pid of pids) {
      const life = this.lives.get(pid);
      if (life !== undefined) life.seenInPass = this.pass;
      else if (this.unwatched.isDue(pid)) fresh.push(pid);
    }
    return fresh;
  }

  isListed({ seenInPass }: Life): boolean {
    return seenInPass === this.pass;
  }

  /** Names those again whose time has come, as far as the time of this pass goes. Returns those that have ended. */
  async refreshAll(lives: readonly Life[]): Promise<Ended[]> {
    const ended: Ended[] = [];
    for (let i = 0; i < lives.length; i += argumentsAtOnce) {
      const some = lives.slice(i, i + argumentsAtOnce);
      const cmdlines = await this.options.targetArguments.read(
        some.map(({ handle, argumentsAsideUntil }) => ({ folder: folderOf(handle), argumentsAsideUntil })),
        this.now,
      );
      await this.options.targetRuntimes.read(
        some.map((life, j) => ({ life, command: commandOf(cmdlines?.[j]) })),
        this.now,
      );
      for (const [j, life] of some.entries()) {
        if (!this.readAndRefresh(life, cmdlines?.[j])) ended.push({ life, exit: undefined });
        await this.options.slices.pause();
      }
    }
    return ended;
  }

  /** False when the process has ended. Its status is read once more, since others were read meanwhile. */
  private readAndRefresh(life: Life, cmdline: string | Error | undefined): boolean {
    const outcome = this.readings.readStatus(life);
    if (outcome === "gone" || outcome === "zombie") return false;
    if (outcome === "failed") return true;
    try {
      if (cmdline !== undefined) this.refresh(life, cmdline);
      if (this.lives.get(life.pid) !== life) return true; // its new name is not watched
    } catch (error) {
      // a thread that spoke for the others may end; they go on
      if (isGone(error)) return life.handle.livingThread !== undefined;
      // what was read of its memory stays; its name is asked for again in a while
      this.readings.notReadable(life, "stat", error);
      life.refreshAt = this.now + targetReads.againSeconds;
    }
    this.readings.take(life, outcome, this.now);
    return true;
  }

  /** Lets go of a process that ended or is no longer to be watched; its slot is free for the next. */
  drop(life: Life): void {
    this.seats.freeSlot(life, this.now);
    this.release(life);
  }

  /** Takes in new processes, the oldest first: parents come before their children, and slots do not depend on the order of pids. */
  async admit(pids: readonly number[]): Promise<void> {
    const { slices, targetArguments } = this.options;
    this.unwatched.forgetEnded();
    this.makeStartTimes();
    if (pids.length === 0) return;
    if (this.lacksStartTime.size === 0) this.bootTime = this.options.bootTime();
    const candidates: NewProcess[] = [];
    for (const pid of pids) {
      await slices.pause();
      const stat = this.readNewStat(pid);
      if (stat === undefined) continue;
      if (this.seats.bounds.areFull)
        this.unwatched.add(pid, { bound: "processes" }); // and nothing more is read of it
      else candidates.push(stat);
    }
    candidates.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    for (let i = 0; i < candidates.length; i += argumentsAtOnce) {
      const some = candidates.slice(i, i + argumentsAtOnce);
      const cmdlines = await targetArguments.read(some, this.now);
      if (cmdlines === undefined) return; // the next pass finds the rest still new
      for (const [j, candidate] of some.entries()) {
        await slices.pause();
        this.consider(candidate, cmdlines[j] as string | Error);
      }
    }
  }

  /** Start times that could not be made are made as soon as the machine says when it was booted. */
  private makeStartTimes(): void {
    if (this.lacksStartTime.size === 0) return;
    this.bootTime = this.options.bootTime();
    if (Number.isNaN(this.bootTime)) return;
    for (const life of this.lacksStartTime) this.setStartTime(life);
    this.lacksStartTime.clear();
  }

  private setStartTime(life: Life): void {
    life.startTime = this.bootTime + life.bornAt;
    if (Number.isNaN(life.startTime)) this.lacksStartTime.add(life);
    this.readings.table.set(life.row, column.startTime, life.startTime);
  }

  private readNewStat(pid: number): NewProcess | undefined {
    try {
      const stat = parseStat(this.files.text(this.files.proc(pid, "stat")));
      const folder = processFolder(this.files, pid, stat);
      if (pid !== this.ownPid && !isKernelThread(stat) && folder !== undefined) return { ...stat, folder };
      this.unwatched.add(pid);
    } catch (error) {
      if (isGone(error)) return undefined;
      const reason = this.options.failures.add("stat", error, "new processes"); // one line for all: hidepid hides thousands
      this.unwatched.add(pid, { closed: { file: "stat", reason } });
    }
    return undefined;
  }

  private consider(stat: NewProcess, cmdline: string | Error): void {
    const { pid, comm } = stat;
    if (cmdline instanceof Error && isGone(cmdline)) return;
    const { reader, table } = this.readings;
    const handle = reader.handle(pid, stat.startTicks);
    const row = table.addRow();
    const giveUp = () => {
      reader.close(handle);
      table.freeRow(row);
    };
    try {
      if (failureReason(cmdline) === "descriptors") throw cmdline;
      const outcome = reader.readStatus(handle, table, row);
      const identity = outcome === "read" ? this.identify(stat, cmdline) : undefined;
      const member = identity && !isPauseProcess(identity) ? membership(this.config, identity) : undefined;
      // without a command line it may have ended since, and would be named after a thread
      const isOver = identity?.cmdline === "" && reader.readStatus(handle, table, row) !== "read";
      const bound = identity && member && this.seats.boundAgainst(ownerOf(identity), member.group);
      if (identity === undefined || member === undefined || isOver || bound !== undefined) {
        giveUp();
        if (outcome !== "gone") this.unwatched.add(pid, { bound });
        return;
      }
      this.unwatched.delete(pid);
      const life = this.adopt({ stat, handle, row }, identity, member);
      if (cmdline instanceof Error) this.argumentsFailed(life, cmdline);
    } catch (error) {
      giveUp();
      if (isGone(error)) return;
      const reason = this.options.failures.add("status", error, `process ${pid} (${comm})`);
      this.unwatched.add(pid, { closed: { file: "status", reason } });
    }
  }

  private argumentsFailed(life: Life, error: Error): void {
    if (TargetArguments.putAside(life, error, this.now)) this.readings.notReadable(life, "cmdline", error);
  }

  private identify(
    stat: Pick<NewProcess, "comm" | "folder">,
    cmdline: string | Error,
    runtime: Life["runtime"] = nothingRead,
  ): Candidate {
    const status = this.readings.reader.lastStatus();
    const known = {
      comm: stat.comm,
      uid: realUid(status, status.length),
      cmdline: cmdline instanceof Error ? undefined : cmdline,
      runtime,
    };
    const identity = readIdentity(this.files, stat.folder, known, { ports: needsPorts(this.config) });
    return this.options.names.withContainer(identity);
  }

  private adopt(
    { stat, handle, row }: { stat: NewProcess; handle: ProcessHandle; row: number },
    candidate: Candidate,
    member: Membership,
  ): Life {
    const { now } = this;
    const { cgroups, limits, thresholds } = this.options;
    const { cmdline, isHealthCheck: _, ...identity } = candidate;
    const status = this.readings.reader.lastStatus();
    const owner = ownerOf(identity);
    this.seats.bounds.take(owner);
    const bornAt = stat.startTicks / ticksPerSecond;
    const { containerId, unit } = identity;
    const birth: Birth = { ...stat, bornAt, isConfigured: member.isConfigured, containerId, unit };
    const life: Life = {
      pid: stat.pid,
      handle,
      row,
      owner,
      bornAt,
      startTime: Number.NaN,
      firstSeen: now,
      endedAt: undefined,
      history: new LifeHistory(thresholds),
      recentHigh: new RecentHigh(),
      origin: this.ancestry.originOf(birth),
      parentPid: stat.ppid,
      parent: undefined,
      hasWorkers: false,
      sockets: noSockets,
      commandHash: hashOf(cmdline),
      identity,
      hadArguments: cmdline !== "",
      ignoresProcessesLimit: ignoresProcessesLimit(status, status.length),
      group: this.seats.group(member.group),
      slot: 0,
      cgroup: identity.cgroup && cgroups.hold(identity.cgroup, stat.pid),
      configuredLimit: member.memoryLimit,
      limitSource: "node",
      runtime: nothingRead,
      runtimeReadOf: undefined,
      environmentAsideUntil: now,
      heapLimit: undefined,
      refreshAt: now, // once more at the next pass: it may have been between fork and exec, or about to be moved
      argumentsAsideUntil: now,
      heldUp: false,
      seenInPass: this.pass,
      unreadable: new Map(),
      labelVersion: 0,
    };
    this.lives.set(life.pid, life);
    this.setStartTime(life);
    this.ancestry.adopted(life);
    this.seats.assignSlot(life, now);
    this.readings.remember(life, now);
    this.readings.readFds(life);
    this.readings.rememberCounts(life, now);
    limits.read(life, now);
    return life;
  }

  private release(life: Life): void {
    this.readings.reader.close(life.handle);
    this.readings.table.freeRow(life.row);
    if (life.cgroup !== undefined) this.options.cgroups.drop(life.cgroup, life.pid);
    this.seats.bounds.giveBack(life.owner);
    this.ancestry.dropped(life);
    this.lacksStartTime.delete(life);
    this.lives.delete(life.pid);
  }

  /** Reads name, cgroup and limits again; after exec, or because the time has come. Right after its status was read. */
  private refresh(life: Life, cmdline: string | Error): void {
    if (cmdline instanceof Error && isGone(cmdline)) throw cmdline;
    const stat = parseStat(this.files.text(this.files.proc(life.pid, "stat")));
    const status = this.readings.reader.lastStatus();
    const candidate = this.identify({ ...stat, folder: folderOf(life.handle) }, cmdline, life.runtime);
    // spread, so that the processes found in one pass are not all refreshed in one
    life.refreshAt = this.now + identityRefreshSeconds * (1 + (life.pid % 64) / 64);
    if (candidate.cmdline === "" && life.hadArguments) return; // its memory is gone, and so will it be
    life.ignoresProcessesLimit = ignoresProcessesLimit(status, status.length);
    if (life.hasWorkers) life.sockets = socketsOf(this.files, life.pid);
    this.moveToCgroup(life, candidate);
    this.options.limits.read(life, this.now);
    if (cmdline instanceof Error) {
      this.argumentsFailed(life, cmdline);
      return; // it keeps the name that it has
    }
    this.readings.readable(life, "cmdline");
    this.readings.readable(life, "stat");
    life.hadArguments = candidate.cmdline !== "";
    life.commandHash = hashOf(candidate.cmdline);
    const { cmdline: _, isHealthCheck: __, ...identity } = candidate;
    if (!isDeepStrictEqual(identity, life.identity)) {
      life.identity = identity;
      life.labelVersion++;
    }
    const member = isPauseProcess(candidate) ? undefined : membership(this.config, candidate);
    life.configuredLimit = member?.memoryLimit;
    this.askParent(life, stat, member);
    if (member?.group !== life.group.name) this.moveTo(life, member?.group);
  }

  /** In its first moments a process can still be handed to another parent, or moved to its own cgroup. */
  private askParent(life: Life, stat: ProcessStat, member: Membership | undefined): void {
    if (this.now - life.firstSeen > settlesWithinSeconds) return;
    const { bornAt, identity } = life;
    const isConfigured = member?.isConfigured ?? false;
    life.parentPid = stat.ppid;
    life.origin = this.ancestry.originOf({ ...stat, ...identity, bornAt, isConfigured });
  }

  private moveToCgroup(life: Life, { cgroup }: Candidate): void {
    // the one that counts a process may be above its own, and become its own
    if (cgroup?.path === life.cgroup?.path && cgroup?.version === life.cgroup?.version) return;
    this.ancestry.isRoot(life, false);
    if (life.cgroup !== undefined) this.options.cgroups.drop(life.cgroup, life.pid);
    life.cgroup = cgroup && this.options.cgroups.hold(cgroup, life.pid);
    this.ancestry.isRoot(life, life.parent === undefined);
  }

  /** Not an end and no restart: the process goes on under another name, or unwatched. */
  private moveTo(life: Life, group: string | undefined): void {
    const bound = group === undefined ? undefined : this.seats.move(life, group, this.now);
    if (group === undefined) this.seats.leave(life, this.now);
    if (group !== undefined && bound === undefined) return;
    this.release(life);
    this.unwatched.add(life.pid, { bound });
  }
}

/** Tells one command from another, without its arguments being kept. */
const hashOf = (command: string) => createHash("sha1").update(command).digest("base64").slice(0, 12);

/** Undefined where its arguments were not read. */
const commandOf = (cmdline: string | Error | undefined) => (typeof cmdline === "string" ? hashOf(cmdline) : undefined);
