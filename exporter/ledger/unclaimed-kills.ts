// The kernel counts an OOM kill when it sends it. The victim is gone only when its memory has been taken apart, which can
// take seconds: passes in between see the counter, and no end. So a kill waits here for a while for its victim.

import { ledger } from "../../catalog/defaults.ts";

/** Kills that one counter saw in one pass. */
interface Kills {
  readonly counter: string;
  /** On the monotonic clock. */
  readonly seenAt: number;
  readonly seenInPass: number;
  unclaimed: number;
}

export class UnclaimedKills {
  private seen: Kills[] = [];
  private pass = 0;

  /** A new pass: kills whose victims should have been gone by now belong to nobody who is watched. The next pass sees each in any case. */
  nextPass(now: number): void {
    this.pass++;
    this.seen = this.seen.filter(
      ({ seenAt, seenInPass }) => seenInPass >= this.pass - 1 || now - seenAt <= ledger.victimIsGoneWithinSeconds,
    );
  }

  see(counter: string, count: number, now: number): void {
    if (count > 0) this.seen.push({ counter, seenAt: now, seenInPass: this.pass, unclaimed: count });
  }

  count(counter: string): number {
    return this.seen.reduce((sum, kills) => sum + (kills.counter === counter ? kills.unclaimed : 0), 0);
  }

  /** A life that ended was the victim of the oldest of them. */
  claim(counter: string): void {
    const oldest = this.seen.find((kills) => kills.counter === counter && kills.unclaimed > 0);
    if (oldest !== undefined) oldest.unclaimed--;
  }
}
