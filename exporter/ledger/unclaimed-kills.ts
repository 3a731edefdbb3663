// The kernel counts an OOM kill when it sends it. The victim is gone only when its memory has been taken apart, which can
// take seconds: passes in between see the counter, and no end. So a kill waits here for a while for its victim.

import { ledger } from "../../catalog/defaults.ts";

interface Kill {
  /** The counter that saw it. */
  counter: string;
  /** On the monotonic clock. */
  seenAt: number;
  seenInPass: number;
}

export class UnclaimedKills {
  private kills: Kill[] = [];
  private pass = 0;

  /** A new pass: kills whose victims should have been gone by now belong to nobody who is watched. The next pass sees each in any case. */
  nextPass(now: number): void {
    this.pass++;
    this.kills = this.kills.filter(
      ({ seenAt, seenInPass }) => seenInPass >= this.pass - 1 || now - seenAt <= ledger.victimIsGoneWithinSeconds,
    );
  }

  see(counter: string, count: number, now: number): void {
    for (let i = 0; i < count; i++) this.kills.push({ counter, seenAt: now, seenInPass: this.pass });
  }

  count(counter: string): number {
    return this.kills.filter((kill) => kill.counter === counter).length;
  }

  /** A life that ended was the victim of the oldest of them. */
  claim(counter: string): void {
    const oldest = this.kills.findIndex((kill) => kill.counter === counter);
    if (oldest >= 0) this.kills.splice(oldest, 1);
  }
}
