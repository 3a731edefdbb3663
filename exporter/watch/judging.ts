// Every process and every service is judged each minute, and young processes at each pass: what was sampled becomes what is said.

import { growthLabels } from "../../catalog/metrics.ts";
import type { EndedLifeThresholds } from "../../detection/ended-life.ts";
import type { JudgeSettings } from "../../detection/judge.ts";
import { growthWindows } from "../../detection/windows.ts";
import { maskedLeakOf } from "../judge/ended-lives.ts";
import type { Finding, GrowthWindow, Reason, ServiceFinding } from "../judge/finding.ts";
import type { Change } from "../judge/outlook.ts";
import { serviceFinding } from "../judge/service-finding.ts";
import { type Facts, Judge } from "../judge/slot-judge.ts";
import { newSlot, type SlotState } from "../judge/slot-state.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { isLooping } from "../ledger/loops.ts";
import { judgeEndedLife } from "../memory/ended-life.ts";
import { column, columns, type ProcessTable } from "../memory/process-table.ts";
import { ServiceMemory } from "../memory/service-memory.ts";
import type { Group, Slot } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import type { WatchedCgroup } from "../samplers/cgroups.ts";
import type { Node } from "./node.ts";
import { unreclaimable } from "./readings.ts";
import type { Slices } from "./slices.ts";

/** How processes would count if they exited now is asked in every second round, which is often enough for growth over 20 minutes and more. */
const roundsPerOutcome = 2;

interface Outside {
  readonly state: SlotState;
  readonly memory: ServiceMemory;
  /** When it was met, in seconds since boot. */
  readonly since: number;
  finding: Finding | undefined;
}

/** Growth of all processes in a cgroup, by window; bytes per second. */
type Paces = Map<GrowthWindow, number>;

export class Judging {
  /** Seconds of work in all. */
  seconds = 0;
  private readonly table: ProcessTable;
  private readonly node: Node;
  private readonly ledger: Ledger;
  private readonly slices: Slices;
  private judge: Judge;
  private lastRound = Number.NEGATIVE_INFINITY;
  private isRound = false;
  private rounds = 0;
  /** Of the last round. */
  private paces: ReadonlyMap<WatchedCgroup, Paces> = new Map();
  /** Memory outside its processes, by cgroup. */
  private readonly outside = new WeakMap<WatchedCgroup, Outside>();

  constructor(options: { table: ProcessTable; node: Node; ledger: Ledger; slices: Slices; settings: JudgeSettings }) {
    this.table = options.table;
    this.node = options.node;
    this.ledger = options.ledger;
    this.slices = options.slices;
    this.judge = new Judge(options.settings);
  }

  configure(settings: JudgeSettings): void {
    this.judge = new Judge(settings);
    this.lastRound = Number.NEGATIVE_INFINITY;
  }

  get settings(): JudgeSettings {
    return this.judge.settings;
  }

  /** All that is due. `now` is in seconds since boot. */
  async run(groups: ReadonlyMap<string, Group>, now: number): Promise<void> {
    const minute = 60 / this.judge.settings.speed;
    const isRound = now - this.lastRound >= minute - 0.1;
    if (isRound) this.lastRound = now;
    if (isRound) this.rounds++;
    this.isRound = isRound;
    if (isRound) this.paces = pacesOf(groups.values());
    const paces = isRound ? this.paces : new Map<WatchedCgroup, Paces>();
    for (const group of groups.values()) {
      let judged = false;
      for (const slot of group.slots) {
        const { life } = slot;
        if (life === undefined) continue;
        // one that is new is told at once, and in its first minutes more often
        if (!isRound && slot.finding !== undefined && now - life.firstSeen > 2 * minute) continue;
        const started = performance.now();
        this.judgeSlot(slot, life, group, paces);
        judged = true;
        this.seconds += (performance.now() - started) / 1000;
        await this.slices.pause();
      }
      if (isRound || judged) this.judgeGroup(group, now);
    }
  }

  /** Memory outside the processes of each cgroup that was just read. */
  async judgeOutside(cgroups: Iterable<WatchedCgroup>, now: number): Promise<void> {
    for (const cgroup of cgroups) {
      const bytes = cgroup.memory?.outside;
      if (bytes === undefined) continue;
      const started = performance.now();
      let known = this.outside.get(cgroup);
      if (known === undefined) {
        known = { state: newSlot(this.settings.speed), memory: new ServiceMemory(), since: now, finding: undefined };
        this.outside.set(cgroup, known);
      }
      known.state.history.add({ time: now, bytes, startTime: known.since });
      if (this.isRound || known.finding === undefined) {
        const { limit, memory } = cgroup;
        const used = memory?.unreclaimable;
        const facts = {
          limit: limit?.source === "cgroup" ? limit.bytes : Number.NaN,
          others: used === undefined ? undefined : Math.max(0, used - bytes),
        };
        known.finding = this.judge.judge(known.state, known.memory, facts);
      }
      this.seconds += (performance.now() - started) / 1000;
      await this.slices.pause();
    }
  }

  /** What holds of memory outside the processes of a cgroup. */
  outsideFinding(cgroup: WatchedCgroup): Finding | undefined {
    return this.outside.get(cgroup)?.finding;
  }

  /** What would change what is said of a process. */
  outlook(life: Life): readonly Change[] {
    const { memory, slots } = life.group;
    const slot = slots[life.slot];
    if (slot?.finding === undefined) return [];
    return this.judge.outlook(slot.state, memory, this.factsOf(slot, life, this.paces), slot.finding);
  }

  private judgeSlot(slot: Slot, life: Life, group: Group, paces: ReadonlyMap<WatchedCgroup, Paces>): void {
    const { history } = slot.state;
    const { row } = life;
    this.table.clearJudged(row);
    if (history.startTime !== life.bornAt || Number.isNaN(this.table.get(row, column.residentMemory))) {
      slot.finding = undefined; // it cannot be read, or has given its memory back
      return;
    }
    const judged = this.judge.judge(slot.state, group.memory, this.factsOf(slot, life, paces));
    const ofVersion = judged.word === "leaking" ? versionReason(group.memory, life.identity.version) : undefined;
    const finding = ofVersion === undefined ? judged : { ...judged, reasons: [...judged.reasons, ofVersion] };
    slot.finding = finding;
    this.write(row, finding);
    this.writeCounts(row, slot);
  }

  private factsOf(slot: Slot, life: Life, paces: ReadonlyMap<WatchedCgroup, Paces>): Facts {
    const { cgroup, limitSource, row } = life;
    const limit = this.table.get(row, column.memoryLimit);
    const own = unreclaimable(this.table, row);
    const used =
      limitSource === "cgroup" ? cgroup?.memory?.unreclaimable : limitSource === "node" ? this.node.used : undefined;
    const others = used === undefined ? undefined : Math.max(0, used - own);
    const shared = cgroup === undefined || limitSource !== "cgroup" ? undefined : paces.get(cgroup);
    const before = slot.finding?.growthBy;
    const neighbours =
      shared === undefined
        ? undefined
        : (seconds: number) => {
            const window = nearest(seconds * this.judge.settings.speed);
            return (shared.get(window) ?? 0) - Math.max(0, before?.[window] ?? 0);
          };
    return { limit, others, neighbours, version: life.identity.version, ...heapOf(life) };
  }

  private write(row: number, finding: Finding): void {
    const { table } = this;
    const put = (col: number, value: number | undefined) => table.set(row, col, value ?? Number.NaN);
    put(column.floor, finding.floor);
    put(column.headroom, finding.headroom);
    put(column.severity, finding.severity);
    put(column.leakGrowth, finding.timeToOom === undefined && finding.severity === 0 ? undefined : finding.growth);
    put(column.confidence, finding.confidence);
    put(column.timeToOom, finding.timeToOom);
    for (const [i, label] of growthLabels.entries()) put(columns.length + i, finding.growthBy[label]);
  }

  private writeCounts(row: number, { descriptors, threads }: Slot): void {
    const { table } = this;
    const left = (pace: number | undefined, limit: number, now: number) =>
      pace === undefined ? Number.NaN : Math.max(0, limit - now) / pace;
    const value = (col: number) => table.get(row, col);
    table.set(row, column.timeToFdLimit, left(descriptors.leak()?.pace, value(column.maxFds), value(column.openFds)));
    table.set(
      row,
      column.timeToThreadLimit,
      left(threads.leak()?.pace, value(column.maxThreads), value(column.threads)),
    );
  }

  private judgeGroup(group: Group, now: number): void {
    const findings = group.slots.flatMap(({ life, finding }) => (life && finding ? [finding] : []));
    tellReplicas(group);
    if (this.isRound && this.rounds % roundsPerOutcome === 0) group.growing = growingIn(group, this.settings.endedLife);
    const masked = maskedLeakOf(group.memory, now, this.judge.settings.endedLives);
    const account = this.ledger.account(group.name);
    group.finding = withLoops(serviceFinding(masked, findings), isLooping(account, group, now, this.settings.speed));
  }
}

/** Processes that would count as still growing if they exited now; undefined before one was watched for long enough. */
function growingIn(group: Group, thresholds: EndedLifeThresholds): number | undefined {
  const verdicts = group.lives().map(({ history }) => judgeEndedLife(history, thresholds));
  const known = verdicts.filter(({ reason }) => reason !== "too short" && reason !== "too few samples");
  return known.length === 0 ? undefined : known.filter(({ growing }) => growing).length;
}

/** A soft limit (Go) ends nothing, and is filled by nothing but what is used. */
function heapOf({ heapLimit }: Life): Pick<Facts, "heapMaximum" | "heapKind"> {
  if (heapLimit === undefined || heapLimit.kind === "soft") return {};
  return { heapMaximum: heapLimit.bytes, heapKind: heapLimit.runtime === "v8" ? "ends" : "fills" };
}

/** Did processes of other versions grow too? */
function versionReason({ lives }: ServiceMemory, version: string | undefined): Reason | undefined {
  if (version === undefined) return undefined;
  const others = lives.filter((life) => life.version !== "" && life.version !== version && life.growing !== undefined);
  const growing = others.filter((life) => life.growing === true).length;
  return others.length === 0 ? undefined : { kind: "version", version, growing, ended: others.length };
}

/** What restarts again and again is first of all that, unless it is known why. */
const withLoops = (finding: ServiceFinding, loops: boolean): ServiceFinding =>
  loops && finding.word !== "masked_leak" ? { ...finding, word: "restart_loop" } : finding;

/** Replicas at work on the same: how many leak, and how far the one that grew most stands out. Told where three or more run. */
function tellReplicas({ slots }: Group): void {
  const running = slots.filter(({ life, finding }) => life !== undefined && finding !== undefined);
  if (running.length < 3) return;
  const leaking = running.filter(({ finding }) => (finding as Finding).word === "leaking");
  if (leaking.length === 0) return;
  const growths = running.map(({ finding }) => (finding as Finding).growth ?? 0).sort((a, b) => a - b);
  const reason: Reason = {
    kind: "replicas",
    leaking: leaking.length,
    of: running.length,
    median: growths[growths.length >> 1] as number,
    highest: growths.at(-1) as number,
  };
  for (const slot of leaking) {
    const finding = slot.finding as Finding;
    slot.finding = { ...finding, reasons: [...finding.reasons.filter(({ kind }) => kind !== "replicas"), reason] };
  }
}

function pacesOf(groups: Iterable<Group>): Map<WatchedCgroup, Paces> {
  const paces = new Map<WatchedCgroup, Paces>();
  for (const { slots } of groups) {
    for (const { life, finding } of slots) {
      if (life?.cgroup === undefined || life.cgroup.holders.size < 2 || finding === undefined) continue;
      const ofCgroup = paces.get(life.cgroup) ?? new Map<GrowthWindow, number>();
      paces.set(life.cgroup, ofCgroup);
      for (const [window, growth] of Object.entries(finding.growthBy) as [GrowthWindow, number][])
        ofCgroup.set(window, (ofCgroup.get(window) ?? 0) + Math.max(0, growth));
    }
  }
  return paces;
}

/** The window of growth whose length is nearest to so many seconds of life. */
function nearest(seconds: number): GrowthWindow {
  let best: GrowthWindow = "15m";
  for (const [window, length] of Object.entries(growthWindows) as [GrowthWindow, number][])
    if (Math.abs(Math.log(length / seconds)) < Math.abs(Math.log(growthWindows[best] / seconds))) best = window;
  return best;
}
