// Processes that are there and not watched: not wanted, left out by a bound, or closed to us. Each is looked at again after a while.

import { identityRefreshSeconds } from "../../catalog/defaults.ts";
import type { BoundName } from "../discovery/bounds.ts";
import type { Closed } from "../model/state.ts";

/** A process that is not to be watched may still become another program for this long, in seconds. */
export const settlesWithinSeconds = 10;

/** How soon a process that was left out is looked at again, in seconds. */
const leftOutSeconds = 30;

interface UnwatchedProcess {
  seenInPass: number;
  /** In seconds since boot, as is the next. */
  firstSeen: number;
  lookAgainAt: number;
  /** What leaves it out although it could be watched. */
  bound: BoundName | undefined;
  /** The file that cannot be read of it, though it must be. */
  closed: Closed | undefined;
}

export class Unwatched {
  private readonly processes = new Map<number, UnwatchedProcess>();
  private pass = 0;
  private now = 0;

  /** A pass begins. `now` is in seconds since boot. */
  begin(now: number): void {
    this.pass++;
    this.now = now;
  }

  /** It is listed: is it new, or is it time to look at it again? */
  isDue(pid: number): boolean {
    const known = this.processes.get(pid);
    if (known === undefined) return true;
    known.seenInPass = this.pass;
    return this.now >= known.lookAgainAt;
  }

  add(pid: number, why: { bound?: BoundName | undefined; closed?: Closed } = {}): void {
    const { bound, closed } = why;
    // the first looks may have met a process between fork and exec, or a container engine's that becomes the app
    const firstSeen = this.processes.get(pid)?.firstSeen ?? this.now;
    const isSettled = this.now - firstSeen >= settlesWithinSeconds;
    // one that is left out is taken when there is room again
    const again = bound === undefined ? identityRefreshSeconds : leftOutSeconds;
    const lookAgainAt = isSettled ? this.now + again : this.now;
    this.processes.set(pid, { seenInPass: this.pass, firstSeen, lookAgainAt, bound, closed });
  }

  /** It is watched now. */
  delete(pid: number): void {
    this.processes.delete(pid);
  }

  /** Forgets those that are no longer listed. */
  forgetEnded(): void {
    for (const [pid, { seenInPass }] of this.processes) if (seenInPass !== this.pass) this.processes.delete(pid);
  }

  clear(): void {
    this.processes.clear();
  }

  *[Symbol.iterator](): Iterator<Pick<UnwatchedProcess, "bound" | "closed">> {
    yield* this.processes.values();
  }
}
