// The shape of growth in one window, in numbers without a unit: from the lows of nine equal blocks. detection/windows.ts has the windows,
// docs/detection.md the meaning of each number in words.

import { at, type ShapeName, shapeSize } from "../../detection/shape.ts";
import { blocks, lengthOf, settledShare, type Window, windows } from "../../detection/windows.ts";
import type { Scale, Seen } from "../memory/scale.ts";
import type { SlotHistory } from "../memory/slot-history.ts";

/** What is known beside the history. Bytes are KiB, as in the history. */
export interface Surroundings {
  /** What is left of the limit, NaN without one; and the limit. */
  readonly headroom: number;
  readonly limit: number;
  /** Level that healthy earlier lives had at this age or later; 0 where there were none. */
  readonly earlier: number;
  /** Growth of everything else that shares the limit, per second, over about so many seconds. */
  readonly neighbours?: (seconds: number) => number;
}

/** A day in half hours. */
const day = 48;
const none = 9;
const never = 999;

/** The first window that is made from half hours; all after it are too. */
const firstLong = windows.findIndex(({ scale }) => scale === "halfHours");

/** Shapes of a slot's long windows, as long as no half hour passes. */
export class KeptShapes {
  readonly values = new Float32Array((windows.length - firstLong) * shapeSize);
  private newest = Number.NaN;
  private startTime = Number.NaN;
  private limit = Number.NaN;

  isOf({ halfHours, startTime }: SlotHistory, limit: number): boolean {
    return halfHours.newest === this.newest && startTime === this.startTime && Object.is(limit, this.limit);
  }

  keep({ halfHours, startTime }: SlotHistory, limit: number, values: Float64Array): void {
    this.newest = halfHours.newest;
    this.startTime = startTime;
    this.limit = limit;
    this.values.set(values);
  }
}

/** Shapes of all windows, one row of `shapeSize` for each; NaN where the life is too young for the window. */
export class Shapes {
  readonly values = new Float64Array(windows.length * shapeSize);
  private readonly lows = new Float64Array(blocks);
  private readonly highs = new Float64Array(blocks);
  private readonly seen: Seen = { peak: 0, top: 0, fall: 0 };
  private readonly lengths: readonly number[];

  /** `speed`: how many times faster than life the history's steps are. */
  constructor(speed = 1) {
    this.lengths = windows.map((window) => lengthOf(window) / speed);
  }

  get(window: number, name: ShapeName): number {
    return this.values[window * shapeSize + at[name]] as number;
  }

  has(window: number): boolean {
    return !Number.isNaN(this.get(window, "gain"));
  }

  length(window: number): number {
    return this.lengths[window] as number;
  }

  /** Looks at the history as it is now. What half hours say changes with each of them, and is kept until then. */
  take(history: SlotHistory, around: Surroundings, kept?: KeptShapes): void {
    const { values } = this;
    values.fill(Number.NaN);
    const isKept = kept?.isOf(history, around.limit) === true;
    if (isKept) values.set(kept.values, firstLong * shapeSize);
    for (const [i, window] of windows.entries()) {
      if (isKept && i >= firstLong) break;
      if (history.age < (this.lengths[i] as number) * settledShare) continue;
      if (!this.readBlocks(history, window)) continue;
      this.describe(i, history, window, around);
    }
    if (!isKept) kept?.keep(history, around.limit, values.subarray(firstLong * shapeSize));
  }

  /** Lows and highs of the blocks that end with the last whole step; false where too little of them was seen. */
  private readBlocks(history: SlotHistory, { scale, steps }: Window): boolean {
    const from: Scale = history[scale];
    const first = scale === "minutes" ? history.firstMinute : history.firstHalfHour;
    const end = from.newest;
    if (!(end - blocks * steps >= first)) return false;
    let holes = 0;
    for (let j = 0; j < blocks; j++) {
      const start = end - (blocks - j) * steps;
      const low = from.lowest(start, start + steps);
      if (low === Number.POSITIVE_INFINITY) {
        if (j === 0 || ++holes > 3) return false;
        this.lows[j] = this.lows[j - 1] as number;
        this.highs[j] = this.highs[j - 1] as number;
      } else {
        this.lows[j] = low;
        this.highs[j] = from.highest(start, start + steps);
      }
    }
    return true;
  }

  private describe(index: number, history: SlotHistory, window: Window, around: Surroundings): void {
    const { values, lows: y } = this;
    const row = index * shapeSize;
    const length = this.lengths[index] as number;
    const low = (i: number) => y[i] as number;
    const rise = low(8) - low(0);
    values[row + at.gain] = rise / low(8);
    values[row + at.pace] = rise / ((length * 8) / 9);
    const slope = slopeOf(y);
    values[row + at.slope] = slope / (length / blocks);
    values[row + at.top] = slopeOf(this.highs) / (length / blocks);
    if (!(rise > 0)) {
      values[row + at.slowest] = -none;
      values[row + at.biggest] = none;
      values[row + at.bend] = 0;
      values[row + at.reach] = 0;
      values[row + at.ahead] = never;
      values[row + at.noise] = none;
      values[row + at.swing] = 0;
      values[row + at.new] = -none;
      values[row + at.life] = -none;
      values[row + at.last] = -none;
      values[row + at.wave] = 0;
      values[row + at.birth] = 0;
      values[row + at.timeLeft] = Number.POSITIVE_INFINITY;
      return;
    }
    const quarter = rise / 4;
    const q1 = low(2) - low(0);
    const q2 = low(4) - low(2);
    const q3 = low(6) - low(4);
    const q4 = low(8) - low(6);
    values[row + at.slowest] = Math.min(q1, q2, q3, q4) / quarter;
    values[row + at.biggest] = Math.max(q1, q2, q3, q4) / quarter;
    const bend = q1 + q2 > 0 ? (q3 + q4) / (q1 + q2) : none;
    values[row + at.bend] = Math.max(-none, Math.min(none, bend));
    // what a curve that slows down like this still has to go
    const toGo = bend >= 1 ? Number.POSITIVE_INFINITY : q3 + q4 > 0 ? ((q3 + q4) * bend) / (1 - bend) : 0;
    const { headroom } = around;
    values[row + at.reach] = Number.isNaN(headroom) ? none : Math.min(none, toGo / Math.max(headroom, 1));
    const pace = rise / ((length * 8) / 9) + Math.max(0, around.neighbours?.(length) ?? 0);
    const left = Number.isNaN(headroom) ? Number.POSITIVE_INFINITY : headroom / pace;
    values[row + at.timeLeft] = left;
    values[row + at.ahead] = Math.min(never, left / length);
    values[row + at.noise] = this.noise(slope) / rise;
    const before = this.before(history, window);
    values[row + at.swing] = Math.min(99, rise / Math.max(before.fall, 1));
    values[row + at.new] = before.peak > 0 ? Math.max(-none, (low(8) - before.peak) / rise) : none;
    values[row + at.life] = around.earlier > 0 ? Math.max(-none, (low(8) - around.earlier) / rise) : none;
    values[row + at.last] = ((low(8) - low(7)) * 8) / rise;
    values[row + at.wave] = window.scale === "minutes" ? none : this.wave(history, window);
    values[row + at.birth] = this.birth(history, rise / ((length * 8) / 9));
  }

  /** Standard deviation of the lows from their line. */
  private noise(slope: number): number {
    let mean = 0;
    for (let i = 0; i < blocks; i++) mean += (this.lows[i] as number) / blocks;
    let squares = 0;
    for (let i = 0; i < blocks; i++) squares += ((this.lows[i] as number) - mean - slope * (i - 4)) ** 2;
    return Math.sqrt(squares / 7);
  }

  /** In the day before the window, or two before a long one: the highest peak, also of earlier lives, and the largest fall of lows in this one. */
  private before(history: SlotHistory, { scale, steps }: Window): Seen {
    const { minutes, halfHours } = history;
    const { seen } = this;
    [seen.peak, seen.top, seen.fall] = [history.reachedBefore, 0, 0];
    const length = blocks * steps;
    if (scale === "halfHours") {
      const end = halfHours.newest - length;
      this.seeLives(history, end - 2 * day, end);
      return seen;
    }
    const end = halfHours.newest - Math.floor((length * minutes.step) / halfHours.step) - 1;
    this.seeLives(history, end - day, end);
    seen.top = 0; // minutes begin again where the life does
    minutes.see(history.firstMinute, minutes.newest - length, steps, seen);
    return seen;
  }

  /** A restart is no fall. */
  private seeLives({ halfHours, firstHalfHour }: SlotHistory, from: number, to: number): void {
    const { seen } = this;
    halfHours.see(from, Math.min(to, firstHalfHour), 1, seen);
    [seen.top, seen.fall] = [0, 0];
    halfHours.see(Math.max(from, firstHalfHour), to, 1, seen);
  }

  /**
   * Growth of the daily minimum to growth of the daily maximum, between the last day and the one at the window's start or before it: 1
   * where a wave is lifted (leak), less where it is stretched (load). `none` without two days, or hardly a wave.
   */
  private wave({ halfHours, firstHalfHour }: SlotHistory, { steps }: Window): number {
    const end = halfHours.newest;
    const back = Math.max(blocks * steps - day, day);
    if (!(end - back - day >= firstHalfHour)) return none;
    const low = halfHours.lowest(end - day, end);
    const high = halfHours.highest(end - day, end);
    const lowBefore = halfHours.lowest(end - back - day, end - back);
    const highBefore = halfHours.highest(end - back - day, end - back);
    if (!Number.isFinite(low) || !Number.isFinite(lowBefore)) return none;
    const ofTops = high - highBefore;
    const ofLows = low - lowBefore;
    if (ofTops <= 0) return ofLows > 0 ? none : 0;
    if (highBefore - lowBefore < 0.3 * ofTops) return none;
    return Math.max(-none, Math.min(none, ofLows / ofTops));
  }

  /** Pace since the tenth minute of the life, or of watching it, to that of the window: 1 where it grew from its birth on. */
  private birth({ time, seenSince, settled, minutes }: SlotHistory, pace: number): number {
    if (Number.isNaN(settled)) return 1;
    const seconds = Math.max(minutes.step, time - seenSince - 10 * minutes.step);
    return Math.max(-none, Math.min(none, ((this.lows[8] as number) - settled) / seconds / pace));
  }
}

/** Of the line through nine values, per block. */
function slopeOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < blocks; i++) sum += (i - 4) * (values[i] as number);
  return sum / 60;
}
