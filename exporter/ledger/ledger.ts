// The restart and OOM ledger: what happened to the processes of a group, kept beyond the end of every one of them.

import { ledger as defaults } from "../../catalog/defaults.ts";
import { detection } from "../../catalog/detection.ts";
import { type RestartReason, restartReasons } from "../../catalog/metrics.ts";
import type { EndReason } from "../model/group.ts";
import { type CadenceThresholds, isSteadyCadence } from "./cadence.ts";
import type { Evidence } from "./oom-evidence.ts";

/** The counters of one group. */
export interface GroupAccount {
  readonly restarts: Record<RestartReason, number>;
  livesEnded: number;
  livesEndedGrowing: number;
  oomKills: number;
  /** Unix time, in seconds; undefined before the first. */
  lastRestart: number | undefined;
  lastEnd: LastEnd | undefined;
  /** The last ends, oldest first. */
  readonly events: LifeEvent[];
  /** When the last process ended, on the monotonic clock; undefined while one runs. */
  goneSince: number | undefined;
}

/** The end of a life, and what followed. */
export interface LifeEvent {
  /** Unix time, in seconds. */
  readonly time: number;
  readonly growing: boolean;
  /** Undefined while no other process took the slot. */
  restart: RestartReason | undefined;
}

/** Events that are kept per group: a week of restarts every half an hour. */
const rememberedEvents = 336;

/** How the last process of a group ended. */
export interface LastEnd {
  reason: RestartReason;
  evidence: Evidence | "steady_cadence";
  /** Its memory just before, as a share of its limit. */
  limitRatio: number | undefined;
  /** Growth after warm-up, in bytes per second; undefined where its life was too short to say. */
  growthPerSecond: number | undefined;
  /** Seconds that it lived. */
  lifetime: number;
}

export interface LedgerOptions {
  restartWithinSeconds: number;
  keepGoneGroupsSeconds: number;
  keepGoneGroups: number;
}

export class Ledger {
  private readonly accounts = new Map<string, GroupAccount>();
  private readonly options: LedgerOptions;
  private readonly cadence: CadenceThresholds;

  constructor(options: LedgerOptions = defaults, cadence: CadenceThresholds = detection.cadence) {
    this.options = options;
    this.cadence = cadence;
  }

  /** The account of a group, opened when it is first asked for. */
  account(group: string): GroupAccount {
    let account = this.accounts.get(group);
    if (account === undefined) {
      account = {
        restarts: Object.fromEntries(restartReasons.map((reason) => [reason, 0])) as Record<RestartReason, number>,
        livesEnded: 0,
        livesEndedGrowing: 0,
        oomKills: 0,
        lastRestart: undefined,
        lastEnd: undefined,
        events: [],
        goneSince: undefined,
      };
      this.accounts.set(group, account);
    }
    return account;
  }

  *[Symbol.iterator](): Iterator<[string, GroupAccount]> {
    yield* this.accounts;
  }

  /** A life ended. */
  recordEnd(group: string, end: LastEnd & { growing: boolean }, unixTime: number): void {
    const account = this.account(group);
    const { growing, ...lastEnd } = end;
    account.livesEnded++;
    if (growing) account.livesEndedGrowing++;
    account.lastEnd = lastEnd;
    account.events.push({ time: unixTime, growing, restart: undefined });
    if (account.events.length > rememberedEvents) account.events.shift();
  }

  /** A life took the slot of one that had ended; `starts` are the slot's start times, the new one last. */
  recordRestart(group: string, endReason: EndReason, starts: readonly number[]): void {
    const account = this.account(group);
    // an end with no cause of its own that keeps a beat was ordered by a clock
    const scheduled = endReason === "exit" && isSteadyCadence(starts, this.cadence);
    const reason = scheduled ? "scheduled" : endReason;
    account.restarts[reason]++;
    const event = account.events.findLast(({ restart }) => restart === undefined);
    if (event !== undefined) event.restart = reason;
    account.lastRestart = starts.at(-1);
    if (scheduled && account.lastEnd?.reason === "exit") {
      account.lastEnd = { ...account.lastEnd, reason: "scheduled", evidence: "steady_cadence" };
    }
  }

  /** Is a process that takes a slot this long after its last end a restart, or a new start? */
  isRestart(secondsSinceEnd: number): boolean {
    return secondsSinceEnd <= this.options.restartWithinSeconds;
  }

  /** Starts in one slot that have to be remembered. */
  get rememberedStarts(): number {
    return this.cadence.intervals + 1;
  }

  /** Has nothing been counted yet? */
  isEmpty(group: string): boolean {
    const { livesEnded, oomKills } = this.account(group);
    return livesEnded === 0 && oomKills === 0;
  }

  /** Closes the account of a group that was only a name for a moment, as between fork and exec. */
  forget(group: string): void {
    this.accounts.delete(group);
  }

  /** Closes the accounts of groups that are gone for long, the oldest first. `now` is on the monotonic clock. */
  forgetGone(now: number): string[] {
    const gone = [...this.accounts]
      .flatMap(([group, { goneSince }]) => (goneSince === undefined ? [] : [{ group, goneSince }]))
      .sort((a, b) => a.goneSince - b.goneSince);
    const tooMany = gone.length - this.options.keepGoneGroups;
    const forgotten = gone
      .filter(({ goneSince }, i) => i < tooMany || now - goneSince > this.options.keepGoneGroupsSeconds)
      .map(({ group }) => group);
    for (const group of forgotten) this.accounts.delete(group);
    return forgotten;
  }
}
