// What a process held in its last seconds. When the kernel kills for lack of memory, it takes the victim's pages away at once (the OOM
// reaper) and the process ends when it gets to: a last reading in between would say that it was far from its limit.
// Source: oom_reaper() in mm/oom_kill.c of Linux.

import { ledger } from "../../catalog/defaults.ts";

export class RecentHigh {
  private begun = Number.NaN;
  private current = Number.NaN;
  private before = Number.NaN;

  /** Adds a reading in bytes, which may be unknown (NaN); `now` is in seconds on the monotonic clock. */
  add(now: number, bytes: number): void {
    if (Number.isNaN(bytes)) return;
    if (now - this.begun <= ledger.victimIsGoneWithinSeconds) {
      this.current = Math.max(this.current, bytes);
      return;
    }
    [this.before, this.current, this.begun] = [this.current, bytes, now];
  }

  /** The highest of as many seconds as a victim may take, or twice that, and of the last two readings in any case; NaN before any. */
  get bytes(): number {
    return this.before > this.current ? this.before : this.current;
  }
}
