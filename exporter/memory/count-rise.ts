// How many more descriptors or threads there are than some hours ago. Counts are whole numbers without the teeth of memory: the
// least of some minutes is enough, and a few of those are all that is kept.

import { type Detection, detection } from "../../catalog/detection.ts";
import { Ring } from "./ring.ts";

export class CountRise {
  /** What was opened and not closed again in a quarter of the rule's window; NaN where that is too little to be part of a leak. */
  rise = Number.NaN;

  private readonly least: Ring;
  private readonly stretch: number;
  /** Distance of the two stretches that are compared, in seconds. */
  private readonly distance: number;
  private readonly minimum: number;
  private startTime = Number.NaN;
  /** The stretch that has begun; the least of the last whole one, and of that which it is compared with. */
  private open: { index: number; least: number } | undefined;
  private last = Number.NaN;
  private before = Number.NaN;

  constructor({ countLeak }: Detection = detection) {
    this.stretch = countLeak.stretch;
    this.distance = countLeak.over / countLeak.quarters;
    this.minimum = (countLeak.minimum * countLeak.slowest) / countLeak.quarters;
    this.least = new Ring(this.stretch, this.distance + this.stretch);
  }

  /** Adds a reading; `time` and `startTime` are seconds on one clock, which must not run backwards. */
  add(time: number, count: number, startTime: number): void {
    if (Number.isNaN(count)) return;
    const index = Math.floor(time / this.stretch);
    if (startTime !== this.startTime) [this.open, this.before] = [undefined, Number.NaN];
    else if (this.open !== undefined && index > this.open.index) this.close(this.open);
    this.startTime = startTime;
    this.open ??= { index, least: count };
    this.open.least = Math.min(this.open.least, count);
    // what falls is seen at once, what rises when a stretch is whole
    const gained = Math.min(this.last, this.open.least) - this.before;
    this.rise = gained > this.minimum ? gained : Number.NaN;
  }

  private close({ index, least }: { index: number; least: number }): void {
    const begun = index * this.stretch;
    this.least.put(begun, least);
    this.last = least;
    this.open = undefined;
    // of this very life only
    const then = begun - this.distance;
    const half = this.stretch / 2; // times on a fast clock are no whole numbers
    this.before = then >= this.startTime ? this.least.extreme(then - half, Math.min, then + half) : Number.NaN;
  }
}
