// One pass over the machine: list the processes, read those that are known, book the ends of those that ended, and take in new ones.
// Between slices of a pass other work can run; passes never overlap.

import { ledger as ledgerDefaults } from "../../catalog/defaults.ts";
import { type JudgeSettings, judgeSettings } from "../../detection/judge.ts";
import { adviseRestart, type RestartAdvice } from "../advice/scheduled-restart.ts";
import type { Config } from "../config/config.ts";
import { withDetection } from "../config/detection.ts";
import { type BoundName, boundNames } from "../discovery/bounds.ts";
import { groupName } from "../discovery/containers/container.ts";
import type { Containers } from "../discovery/containers/containers.ts";
import type { Candidate } from "../discovery/identity.ts";
import type { Failures } from "../failures.ts";
import type { Finding } from "../judge/finding.ts";
import { type Change, serviceOutlook } from "../judge/outlook.ts";
import type { KernelFiles } from "../kernel/files.ts";
import { TargetFiles } from "../kernel/target-files.ts";
import { Ends } from "../ledger/ends.ts";
import type { Ended } from "../ledger/exit.ts";
import { type GroupAccount, Ledger } from "../ledger/ledger.ts";
import { UnseenRestarts } from "../ledger/unseen-restarts.ts";
import { column, ProcessTable } from "../memory/process-table.ts";
import type { Group } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import type { Closed, State } from "../model/state.ts";
import { Cgroups, type WatchedCgroup } from "../samplers/cgroups.ts";
import { outsideProcesses } from "../samplers/outside-processes.ts";
import type { ProcessReader } from "../samplers/process-reader.ts";
import type { Remembered } from "../storage/saved.ts";
import { cutName } from "../text/visible.ts";
import { BootClock, type Clock, systemClock } from "./boot-clock.ts";
import { Judging } from "./judging.ts";
import { Limits } from "./limits.ts";
import { Node } from "./node.ts";
import { Readings } from "./readings.ts";
import { restartFactsOf } from "./restart-facts.ts";
import { Roster } from "./roster.ts";
import { Slices } from "./slices.ts";
import { TargetArguments } from "./target-arguments.ts";
import { TargetRuntimes } from "./target-runtimes.ts";

/** Known processes are read so fast that looking at the clock after each would show. */
const processesPerLook = 8;

/** After so many seconds everything has its name, those of containers included, and what was not met again is gone. */
const meetAgainSeconds = 300;

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

export interface WatcherOptions {
  files: KernelFiles;
  failures: Failures;
  reader: ProcessReader;
  config: Config;
  clock?: Clock;
  cgroups?: Cgroups;
  ledger?: Ledger;
  containers?: Containers | undefined;
  /** What is called a leak, and how fast its clock runs. */
  judge?: JudgeSettings;
  targetFiles?: TargetFiles;
  /** What an earlier exporter knew of what runs here. */
  remembered?: Remembered | undefined;
  /** Processes that are watched at most, where the configuration does not say. */
  maxProcesses?: number;
}

export class Watcher implements State<GroupAccount> {
  readonly table = new ProcessTable();
  readonly cgroups: Cgroups;
  readonly ledger: Ledger;
  readonly reader: ProcessReader;
  readonly targetFiles: TargetFiles;
  /** Where an engine or a cluster describes them. */
  readonly containers: Containers | undefined;
  lastPass: PassReport | undefined;
  passes = 0;
  /** Seconds spent in passes. */
  passSeconds = 0;
  /** Since when ends and restarts are known, in seconds since boot. */
  readonly watchingSince: number;

  private readonly files: KernelFiles;
  private readonly clock: Clock;
  private readonly bootClock: BootClock;
  private readonly lives = new Map<number, Life>();
  private readonly slices = new Slices();
  private readonly node: Node;
  private readonly readings: Readings;
  private readonly limits: Limits;
  private readonly judging: Judging;
  private readonly unseen: UnseenRestarts | undefined;
  private readonly ends: Ends;
  private readonly roster: Roster;
  private readonly targetArguments: TargetArguments;
  private readonly targetRuntimes: TargetRuntimes;
  private config: Config;
  /** As shipped, on its clock. */
  private readonly settings: JudgeSettings;

  constructor(options: WatcherOptions) {
    const { files, failures, reader, config, containers } = options;
    this.settings = options.judge ?? judgeSettings;
    const settings = withDetection(this.settings, config.detection);
    this.files = files;
    this.reader = reader;
    this.config = config;
    this.containers = containers;
    this.clock = options.clock ?? systemClock;
    this.bootClock = new BootClock(files, this.clock);
    this.watchingSince = this.bootClock.now();
    this.targetFiles = options.targetFiles ?? new TargetFiles(files);
    this.cgroups = options.cgroups ?? new Cgroups(files, failures, undefined, reader, this.targetFiles);
    this.ledger = options.ledger ?? new Ledger(undefined, settings.cadence);
    this.node = new Node(files, failures);
    this.readings = new Readings({ files, table: this.table, reader, failures });
    this.limits = new Limits({
      files,
      failures,
      targetFiles: this.targetFiles,
      readings: this.readings,
      node: this.node,
    });
    this.targetArguments = new TargetArguments(this.targetFiles, this.slices);
    this.targetRuntimes = new TargetRuntimes(files, this.targetFiles, this.slices);
    for (const [name, account] of options.remembered?.accounts() ?? [])
      this.ledger.restore(name, account, this.watchingSince);
    const { table, cgroups, lives, node, ledger, slices } = this;
    this.judging = new Judging({ table, node, ledger, slices, settings });
    const surroundings = {
      table,
      cgroups,
      lives,
      get nodeUsedRatio() {
        return node.usedRatio;
      },
    };
    this.unseen =
      containers &&
      new UnseenRestarts({
        containers,
        ledger,
        isRunning: (group) => this.groups.get(group)?.running === true,
        takesUnknown: () => this.config.unmatched !== "ignore",
      });
    const { unseen } = this;
    this.ends = new Ends({ surroundings, ledger, settings, states: containers, unseen });
    this.roster = new Roster(lives, {
      files,
      failures,
      config,
      cgroups,
      ledger,
      thresholds: settings.endedLife,
      readings: this.readings,
      limits: this.limits,
      vacancies: this.ends.vacancies,
      slices: this.slices,
      targetArguments: this.targetArguments,
      targetRuntimes: this.targetRuntimes,
      names: this,
      speed: settings.speed,
      remembered: options.remembered,
      bootTime: () => node.bootTime(),
      maxProcesses: options.maxProcesses,
    });
  }

  /** Processes that are watched now, in no order. */
  get watched(): ReadonlyMap<number, Life> {
    return this.lives;
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.roster.seats.groups;
  }

  get nodeMemory(): number | undefined {
    return this.node.memory;
  }

  get nodeOomKills(): number | undefined {
    return this.node.oomKills;
  }

  /** A moment of the monotonic clock in seconds since boot, the clock of all ages and lifetimes. */
  bootTimeAt(monotonic: number): number {
    return this.bootClock.at(monotonic);
  }

  /** From the next pass on every process is named again. */
  configure(config: Config): void {
    this.config = config;
    this.roster.configure(config);
    this.judging.configure(withDetection(this.settings, config.detection));
  }

  /** What is watched at most, and the processes that each of these bounds leaves out now. */
  *leftOut(): Generator<{ bound: BoundName; limit: number; processes: number }> {
    const counts = new Map<BoundName, number>();
    for (const { bound } of this.roster.unwatched) if (bound) counts.set(bound, (counts.get(bound) ?? 0) + 1);
    for (const bound of boundNames) {
      yield { bound, limit: this.roster.seats.bounds.limitOf(bound), processes: counts.get(bound) ?? 0 };
    }
  }

  /** Files that cannot be read, once for each process: of those that are watched, and of those that for this reason are not. */
  *unreadable(): Generator<Closed> {
    for (const { unreadable } of this.lives.values()) for (const [file, reason] of unreadable) yield { file, reason };
    for (const { closed } of this.roster.unwatched) if (closed) yield closed;
  }

  /** Containers are known by other names than before: those whose name differs are named again in the next pass. */
  refreshContainerNames(): void {
    for (const life of this.lives.values()) {
      const { containerId, name, programName = name } = life.identity;
      const container = this.containers?.peek(containerId);
      if (container && groupName(container, programName) !== name) life.refreshAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** The identity with the name of its container before that of the program, where it is known. */
  withContainer(identity: Candidate): Candidate {
    const container = this.containers?.of(identity.containerId);
    if (container === undefined) return identity;
    const version = identity.version ?? (cutName(container.version) || undefined);
    const described = { ...identity, name: groupName(container, identity.name), programName: identity.name, version };
    return container.isJob ? { ...described, isJob: true } : described;
  }

  /** Passes must not overlap: the caller sees to that. `full` reads the cgroups' memory too, for a scrape. */
  async pass({ full }: { full: boolean }): Promise<PassReport> {
    const monotonic = this.clock.monotonic();
    const missed = this.lastPass !== undefined && monotonic - this.lastPass.monotonic > 4 * this.config.sampleInterval;
    const started = performance.now();
    const pids = await this.files.pids();
    const now = this.bootClock.now();
    this.slices.begin();
    this.targetArguments.begin();
    this.targetRuntimes.begin();

    this.passes++;
    const fresh = this.roster.reconcile(pids, now);
    const { remembered } = this.roster.seats;
    // those first that have a slot of their own
    if (remembered !== undefined) fresh.sort((a, b) => Number(remembered.pids.has(b)) - Number(remembered.pids.has(a)));
    const ended = await this.readLives(now);
    // still listed, but as another process: the pid was given out again at once
    for (const { life } of ended) if (this.roster.isListed(life)) fresh.push(life.pid);
    await this.recordExits(ended, missed, now);
    await this.roster.admit(fresh);
    this.unseen?.update({ now, unix: this.clock.unix() });
    await this.readCgroups(now, full);
    if (this.node.memory === undefined) this.node.readMemory();
    this.limits.apply(this.lives.values(), this.config);
    if (full) this.attributeToProcesses();
    await this.judging.run(this.groups, now);
    if (full) await this.judging.judgeOutside(this.cgroups, now);
    if (remembered !== undefined && now - this.watchingSince > meetAgainSeconds)
      this.roster.seats.remembered = undefined;
    for (const name of this.ledger.forgetGone(now)) this.roster.seats.groups.delete(name);
    this.roster.seats.forgetFreeSlots();

    this.slices.end();
    const duration = (performance.now() - started) / 1000;
    this.passSeconds += duration;
    this.lastPass = {
      finishedAt: this.clock.unix(),
      monotonic: this.clock.monotonic(),
      duration,
      longestBlock: this.slices.longest,
    };
    return this.lastPass;
  }

  /** What holds of memory outside the processes of a cgroup. */
  outsideFinding(cgroup: WatchedCgroup): Finding | undefined {
    return this.judging.outsideFinding(cgroup);
  }

  /** What would change what is said of a process, and of a service. */
  outlook(life: Life): readonly Change[] {
    return this.judging.outlook(life);
  }

  serviceOutlook(name: string): readonly Change[] {
    const finding = this.groups.get(name)?.finding;
    return finding === undefined ? [] : serviceOutlook(finding, this.judging.settings);
  }

  /** May its scheduled restart go? Undefined where nothing restarts it, and on the fast clock of a demonstration. */
  restartAdvice(name: string): RestartAdvice | undefined {
    const group = this.groups.get(name);
    const { settings } = this.judging;
    if (group === undefined || settings.speed !== 1) return undefined;
    const { pricePerGibHour } = this.config;
    const facts = restartFactsOf(group, settings, { now: this.bootClock.now(), pricePerGibHour });
    const isRestarted = facts.interval !== undefined || group.finding?.word === "masked_leak";
    return isRestarted ? adviseRestart(facts) : undefined;
  }

  /** Seconds spent in judging. */
  get judgeSeconds(): number {
    return this.judging.seconds;
  }

  /** What of each cgroup's memory belongs to none of its processes. */
  private attributeToProcesses(): void {
    for (const cgroup of this.cgroups) {
      const { memory } = cgroup;
      if (memory !== undefined) memory.outside = outsideProcesses(memory, this.rowsIn(cgroup), this.table);
    }
  }

  private *rowsIn({ holders }: WatchedCgroup): Generator<number> {
    for (const pid of holders.keys()) {
      const row = this.lives.get(pid)?.row;
      if (row !== undefined) yield row;
    }
  }

  /** Lets go of every descriptor. */
  close(): void {
    for (const life of this.lives.values()) this.reader.close(life.handle);
    this.cgroups.close();
  }

  /** Reads every known process, and returns those that have ended. */
  private async readLives(now: number): Promise<Ended[]> {
    const ended: Ended[] = [];
    const toName: Life[] = [];
    let count = 0;
    for (const life of this.lives.values()) {
      const outcome = this.roster.isListed(life) ? this.readings.readStatus(life) : "gone";
      if (outcome === "gone") ended.push({ life, exit: undefined });
      else if (outcome === "zombie") ended.push({ life, exit: this.readings.exitStatusOf(life) });
      else if (outcome !== "failed") {
        if (outcome === "renamed") life.refreshAt = Number.NEGATIVE_INFINITY;
        if (now < life.refreshAt) this.readings.take(life, outcome, now);
        else {
          // it is read once more when it is named, and could have lost its memory to the OOM killer by then
          if (outcome !== "no memory") life.recentHigh.add(now, this.table.get(life.row, column.residentMemory));
          toName.push(life);
        }
      }
      if (++count % processesPerLook === 0) await this.slices.pause();
    }
    ended.push(...(await this.roster.refreshAll(toName)));
    return ended;
  }

  private async recordExits(ended: readonly Ended[], missed: boolean, now: number): Promise<void> {
    const nodeOomKills = this.node.countOomKills();
    // every kill shows in the machine's counter too; while that stands still there is nothing to look for
    if (nodeOomKills === 0) this.cgroups.noOomKills();
    else await this.slices.aside(() => this.cgroups.lookForOomKills({ onMachine: nodeOomKills ?? 0, now }));
    const pause = () => this.slices.pause();
    await this.ends.record(ended, { now, unix: this.clock.unix(), nodeOomKills, missed, pause });
    for (const { life } of ended) this.roster.drop(life);
    this.roster.seats.promoteOrphans(this.lives.values(), now, ledgerDefaults.masterOutlivesSeconds);
  }

  /** All cgroups where `full`; else only those that are new, and that only their processes show. */
  private async readCgroups(now: number, full: boolean): Promise<void> {
    if (full) this.node.readMemory();
    const { memory: bytes, swap, oomKills } = this.node;
    if (full) this.cgroups.startReading({ bytes, swap, oomKills });
    const answered = await this.slices.aside(async () => {
      await this.cgroups.askProcesses({ all: full, now });
      return this.limits.threads.askProcesses();
    });
    for (const pid of answered) {
      const life = this.lives.get(pid);
      if (life !== undefined) this.limits.read(life, now);
    }
    if (!full) return;
    for (const cgroup of this.cgroups) {
      this.cgroups.read(cgroup);
      await this.slices.pause();
    }
  }
}
