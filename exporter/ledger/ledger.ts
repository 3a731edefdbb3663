// The restart and OOM ledger: what happened to the processes of a group, kept beyond the end of every one of them.

import { ledger as defaults } from "../../catalog/defaults.ts";
import {
  type ExitReason,
  type RestartReason,
  restartReasons,
  type WorkerExitReason,
  workerExitReasons,
} from "../../catalog/last-exit.ts";
import { type Cadence, cadence as shippedCadence } from "../../detection/cadence.ts";
import { isSteadyCadence } from "./cadence.ts";
import type { EndReason, Evidence } from "./oom-evidence.ts";

/** The counters of one group. */
export interface GroupAccount {
  /** The pod of its last processes, where the Kubernetes API described that. */
  podUid: string | undefined;
  /** Has one of its processes ever started another of it? */
  hasWorkers: boolean;
  readonly restarts: Record<RestartReason, number>;
  /** Workers that ended while their master lived on. */
  readonly workerExits: Record<WorkerExitReason, number>;
  workerExitsGrowing: number;
  livesEnded: number;
  livesEndedGrowing: number;
  oomKills: number;
  /** Unix time, in seconds; undefined before the first. */
  lastRestart: number | undefined;
  lastEnd: LastEnd | undefined;
  /** Who grew in the hour before the last OOM kill here, the most first; empty where that is not known. */
  lastOomGrowth: readonly GrowthShare[];
  /** The last ends, oldest first. */
  readonly events: LifeEvent[];
  /** When the last process ended, in seconds since boot; undefined while one runs. */
  goneSince: number | undefined;
}

/** A service's share of the growth of what shares a limit with it. */
export interface GrowthShare {
  readonly group: string;
  readonly ratio: number;
}

/** The end of a service or of a worker, and what followed. */
export interface LifeEvent {
  /** In seconds since boot. */
  readonly time: number;
  readonly reason: ExitReason;
  readonly growing: boolean;
  /** Undefined while no other process took its place. */
  restart: RestartReason | undefined;
}

/** Events that are kept per group: a week of restarts every half an hour. */
const rememberedEvents = 336;

/** How the last process of a group ended. */
export interface LastEnd {
  reason: ExitReason;
  evidence: Evidence | "steady_cadence";
  /** Its memory just before, as a share of its limit. */
  limitRatio: number | undefined;
  /** Growth after warm-up, in bytes per second; undefined where its life was too short to say. */
  growthPerSecond: number | undefined;
  /** Seconds that it lived; undefined where its start was not seen. */
  lifetime: number | undefined;
}

export interface LedgerOptions {
  keepGoneGroupsSeconds: number;
  keepGoneJobsSeconds: number;
  keepGoneGroups: number;
}

export class Ledger {
  private readonly accounts = new Map<string, GroupAccount>();
  private readonly options: LedgerOptions;
  private readonly cadence: Cadence;

  constructor(options: LedgerOptions = defaults, cadence: Cadence = shippedCadence) {
    this.options = options;
    this.cadence = cadence;
  }

  /** The account of a group, opened when it is first asked for. */
  account(group: string): GroupAccount {
    let account = this.accounts.get(group);
    if (account === undefined) {
      account = {
        podUid: undefined,
        hasWorkers: false,
        restarts: zeros(restartReasons),
        workerExits: zeros(workerExitReasons),
        workerExitsGrowing: 0,
        livesEnded: 0,
        livesEndedGrowing: 0,
        oomKills: 0,
        lastRestart: undefined,
        lastEnd: undefined,
        lastOomGrowth: [],
        events: [],
        goneSince: undefined,
      };
      this.accounts.set(group, account);
    }
    return account;
  }

  /** Goes on where an earlier exporter was; `now` is in seconds since boot. */
  restore(group: string, saved: GroupAccount, now: number): void {
    this.accounts.set(group, { ...this.account(group), ...saved, goneSince: saved.goneSince ?? now });
  }

  *[Symbol.iterator](): Iterator<[string, GroupAccount]> {
    yield* this.accounts;
  }

  /** A service ended, or workers of it that were seen to end at once. `time` is in seconds since boot. */
  recordEnd(group: string, end: LastEnd, { growing, time }: { growing: boolean; time: number }): void {
    const account = this.account(group);
    account.livesEnded++;
    if (growing) account.livesEndedGrowing++;
    account.lastEnd = end;
    account.events.push({ time, reason: end.reason, growing, restart: undefined });
    if (account.events.length > rememberedEvents) account.events.shift();
  }

  /** A worker ended, and its master lives on. */
  recordWorkerExit(group: string, reason: EndReason, growing: boolean): void {
    const account = this.account(group);
    account.workerExits[workerReason(reason)]++;
    if (growing) account.workerExitsGrowing++;
  }

  /**
   * A root process took the place of one that had ended. `starts` are those of that place in seconds since boot, the new one last;
   * `startTime` is its Unix time.
   */
  recordRestart(group: string, endReason: EndReason, starts: readonly number[], startTime: number): void {
    const account = this.account(group);
    // an end with no cause of its own that keeps a beat was ordered by a clock
    const scheduled = endReason === "exit" && isSteadyCadence(starts, this.cadence);
    const reason = scheduled ? "scheduled" : endReason;
    account.restarts[reason]++;
    const event = account.events.findLast(({ restart }) => restart === undefined);
    if (event !== undefined) event.restart = reason;
    if (!Number.isNaN(startTime)) account.lastRestart = startTime;
    if (scheduled && account.lastEnd?.reason === "exit") {
      account.lastEnd = { ...account.lastEnd, reason: "scheduled", evidence: "steady_cadence" };
    }
  }

  /** Restarts of which no process was seen, all for the same reason, as an engine counts them. `now` is in seconds since boot. */
  recordUnseenRestarts(
    group: string,
    { reason, evidence }: { reason: EndReason; evidence: Evidence },
    count: number,
    { now, unix }: { now: number; unix: number },
  ): void {
    const account = this.account(group);
    account.restarts[reason] += count;
    account.livesEnded += count;
    account.lastRestart = unix;
    const unknown = { limitRatio: undefined, growthPerSecond: undefined, lifetime: undefined };
    account.lastEnd = { reason, evidence, ...unknown };
    for (let i = 0; i < Math.min(count, rememberedEvents); i++) {
      account.events.push({ time: now, reason, growing: false, restart: reason });
      if (account.events.length > rememberedEvents) account.events.shift();
    }
  }

  /** Starts in one slot that have to be remembered. */
  get rememberedStarts(): number {
    return this.cadence.intervals + 1;
  }

  /** Has nothing been counted yet? */
  isEmpty(group: string): boolean {
    const { livesEnded, oomKills, restarts } = this.account(group);
    return livesEnded === 0 && oomKills === 0 && Object.values(restarts).every((count) => count === 0);
  }

  /** Closes the account of a group that was only a name for a moment, as between fork and exec. */
  forget(group: string): void {
    this.accounts.delete(group);
  }

  /** Closes the accounts of groups that are gone for long, the oldest first; those of jobs, to whom nothing happened, soon. */
  forgetGone(now: number): string[] {
    const gone = [...this.accounts]
      .flatMap(([group, { goneSince }]) => (goneSince === undefined ? [] : [{ group, goneSince }]))
      .sort((a, b) => a.goneSince - b.goneSince);
    const tooMany = gone.length - this.options.keepGoneGroups;
    const { keepGoneGroupsSeconds, keepGoneJobsSeconds } = this.options;
    const kept = (group: string) => (this.isEmpty(group) ? keepGoneJobsSeconds : keepGoneGroupsSeconds);
    const forgotten = gone
      .filter(({ group, goneSince }, i) => i < tooMany || now - goneSince > kept(group))
      .map(({ group }) => group);
    for (const group of forgotten) this.accounts.delete(group);
    return forgotten;
  }
}

/** An exit of a worker without a cause of its own is how its master renews it. */
const workerReason = (reason: EndReason): WorkerExitReason => (reason === "exit" ? "recycled" : reason);

const zeros = <T extends string>(reasons: readonly T[]) =>
  Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<T, number>;
