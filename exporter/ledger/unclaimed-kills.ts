// The kernel counts an OOM kill when it sends it. The victim is gone only when its memory has been taken apart, which can
// take seconds: passes in between see the counter, and no end. So a kill waits here for a while for its victim.

import { ledger } from "../../catalog/defaults.ts";

/** Kills that one counter saw in one pass. */
interface Kills {
  readonly counter: string;
  /** In seconds, on the clock of the passes. */
  readonly seenAt: number;
  readonly seenInPass: number;
  unclaimed: number;
}

export class UnclaimedKills {
  private seen: Kills[] = [];
  private pass = 0;

  /**
   * A new pass: kills whose victims should have been gone by now belong to nobody who is watched, and are returned. The next pass sees
   * each in any case.
   */
  nextPass(now: number): { counter: string; count: number }[] {
    this.pass++;
    const isOver = ({ seenAt, seenInPass }: Kills) =>
      seenInPass < this.pass - 1 && now - seenAt > ledger.victimIsGoneWithinSeconds;
    const over = this.seen.filter((kills) => isOver(kills) && kills.unclaimed > 0);
    this.seen = this.seen.filter((kills) => !isOver(kills));
    return over.map(({ counter, unclaimed }) => ({ counter, count: unclaimed }));
  }

  see(counter: string, count: number, now: number): void {
    if (count > 0) this.seen.push({ counter, seenAt: now, seenInPass: this.pass, unclaimed: count });
  }

  count(counter: string): number {
    return this.seen.reduce((sum, kills) => sum + (kills.counter === counter ? kills.unclaimed : 0), 0);
  }

  /** Those that other counters than this one saw. */
  countOthers(counter: string): number {
    return this.seen.reduce((sum, kills) => sum + (kills.counter === counter ? 0 : kills.unclaimed), 0);
  }

  /** A life that ended was the victim of the oldest of them. */
  claim(counter: string): void {
    const oldest = this.seen.find((kills) => kills.counter === counter && kills.unclaimed > 0);
    if (oldest !== undefined) oldest.unclaimed--;
  }
}
