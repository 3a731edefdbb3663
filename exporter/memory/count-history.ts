// Descriptors and threads over half a day. Counts are whole numbers without the sawtooth of memory: the least of some minutes is enough,
// and a few of those are all that is kept.

import { countLeak } from "../../detection/counts.ts";
import { type SavedScale, Scale } from "./scale.ts";

/** As it is written down. */
export interface SavedCounts {
  readonly startTime: number | null;
  readonly seenSince: number | null;
  readonly stretches: SavedScale | undefined;
}

const nullable = (value: number) => (Number.isNaN(value) ? null : value);

export interface CountGrowth {
  /** More than half a day ago. */
  readonly gained: number;
  /** Per second. */
  readonly pace: number;
}

export class CountHistory {
  private readonly stretches: Scale;
  private readonly perQuarter: number;
  private startTime = Number.NaN;
  private seenSince = Number.NaN;

  constructor(speed = 1) {
    const step = countLeak.stretch / speed;
    this.perQuarter = Math.round(countLeak.over / countLeak.quarters / countLeak.stretch);
    this.stretches = new Scale({ step, kept: countLeak.quarters * this.perQuarter + 2 });
  }

  /** Adds a reading; `time` and `startTime` are seconds on one clock, which must not run backwards. */
  add(time: number, count: number, startTime: number): void {
    if (Number.isNaN(count)) return;
    if (startTime !== this.startTime) {
      this.startTime = startTime;
      this.seenSince = time;
      this.stretches.clear();
    }
    this.stretches.add(time, count);
  }

  save(): SavedCounts {
    return {
      startTime: nullable(this.startTime),
      seenSince: nullable(this.seenSince),
      stretches: this.stretches.save(),
    };
  }

  restore(saved: SavedCounts): void {
    this.startTime = saved.startTime ?? Number.NaN;
    this.seenSince = saved.seenSince ?? Number.NaN;
    this.stretches.restore(saved.stretches);
  }

  /** Growth that looks like a leak: in every quarter of half a day, and more than some. Undefined else. */
  leak(): CountGrowth | undefined {
    const { stretches, perQuarter } = this;
    const end = stretches.newest;
    const begin = end - countLeak.quarters * perQuarter;
    if (!(begin * stretches.step >= this.seenSince)) return undefined;
    const least = (i: number) => stretches.low(i);
    const marks = Array.from({ length: countLeak.quarters + 1 }, (_, quarter) => least(begin + quarter * perQuarter));
    // what falls is seen at once, what rises when a stretch is over
    marks[countLeak.quarters] = Math.min(least(end), least(end - 1));
    if (marks.some((mark) => !Number.isFinite(mark))) return undefined;
    const [first, last] = [marks[0] as number, marks[countLeak.quarters] as number];
    const gained = last - first;
    const slowest = Math.min(...marks.slice(1).map((mark, i) => mark - (marks[i] as number)));
    if (gained < countLeak.minimum || gained < countLeak.gain * first) return undefined;
    if (slowest < (countLeak.slowest * gained) / countLeak.quarters) return undefined;
    return { gained, pace: gained / (countLeak.quarters * perQuarter * stretches.step) };
  }
}
