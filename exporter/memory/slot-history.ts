// What is remembered of one slot: the running life by 10 seconds, minutes and half hours, the half hours before it, and its level at
// certain ages. Some 10 KiB, however long it goes on.

import { KiB } from "../../catalog/defaults.ts";
import { levelAges, scales } from "../../detection/windows.ts";
import { decode, encode, type SavedScale, Scale } from "./scale.ts";

/** As it is written down; null is what was not known. */
export interface SavedHistory {
  readonly numbers: readonly (number | null)[];
  readonly levels: string;
  readonly fine: SavedScale | undefined;
  readonly minutes: SavedScale | undefined;
  readonly halfHours: SavedScale | undefined;
}

/** One reading. */
export interface Sample {
  /** Seconds on one clock that does not run backwards. */
  readonly time: number;
  /** Memory that cannot be given back, in bytes. */
  readonly bytes: number;
  /** When the process started, on the same clock. */
  readonly startTime: number;
  /** The most that it ever held of it, in bytes, where the kernel says (VmHWM): all that is known of the time before the first sample. */
  readonly highest?: number | undefined;
}

/** Parts of an hour, a minute and so on, as long as their sum is; the demo has them shorter. */
export interface HistoryScales {
  readonly fine: { readonly step: number; readonly kept: number };
  readonly minutes: { readonly step: number; readonly kept: number };
  readonly halfHours: { readonly step: number; readonly kept: number };
}

export class SlotHistory {
  readonly fine: Scale;
  readonly minutes: Scale;
  readonly halfHours: Scale;
  /** Level of the running life at each of `levelAges`, in KiB; NaN where it was not seen at that age. */
  readonly levels = new Float32Array(levelAges.length).fill(Number.NaN);
  /** Start of the running life, and its first sample; NaN before any. */
  startTime = Number.NaN;
  seenSince = Number.NaN;
  /** Newest sample: seconds, and KiB. */
  time = Number.NaN;
  value = Number.NaN;
  /** First sample of the life, and the most of it so far, in KiB. */
  firstValue = Number.NaN;
  peak = Number.NaN;
  /** Its lowest in the first ten minutes of being watched, in KiB; NaN before they are over. */
  settled = Number.NaN;
  /** First whole steps of the running life. */
  firstMinute = Number.NaN;
  firstHalfHour = Number.NaN;
  /** What the first life that was met had reached before, in KiB; 0 where that is not known. */
  reachedBefore = 0;
  private ages: readonly number[];
  private nextAge = 0;

  constructor(using: HistoryScales = scales, ages: readonly number[] = levelAges) {
    this.fine = new Scale(using.fine);
    this.minutes = new Scale(using.minutes);
    this.halfHours = new Scale(using.halfHours);
    this.ages = ages;
  }

  add({ time, bytes, startTime, highest }: Sample): void {
    if (!(bytes >= 0) || time < this.time) return;
    const value = bytes / KiB;
    if (startTime !== this.startTime) this.begin(time, startTime, (highest ?? 0) / KiB);
    this.fine.add(time, value);
    this.minutes.add(time, value);
    this.halfHours.add(time, value);
    if (!(value <= this.peak)) this.peak = value;
    if (Number.isNaN(this.firstValue)) this.firstValue = value;
    this.time = time;
    this.value = value;
    if (Number.isNaN(this.settled) && time - this.seenSince >= 10 * this.minutes.step)
      this.settled = this.minutes.lowest(this.firstMinute - 1, this.minutes.newest + 1);
    this.noteLevels(time - startTime);
  }

  get age(): number {
    return this.time - this.startTime;
  }

  /** Highest reading of the running life from a time on, in KiB; to the half hour where that was long ago. NaN where nothing was read. */
  highestSince(time: number): number {
    const { minutes, halfHours } = this;
    const minute = Math.floor(time / minutes.step);
    const half = Math.max(this.firstHalfHour, Math.floor(time / halfHours.step));
    const highest =
      minute >= minutes.first
        ? minutes.highest(minute, minutes.newest + 1)
        : halfHours.highest(half, halfHours.newest + 1);
    return Math.max(highest, this.value);
  }

  /** All of it, to be written down. */
  save(): SavedHistory {
    const { startTime, seenSince, time, value, firstValue, peak, settled, firstMinute, firstHalfHour, reachedBefore } =
      this;
    return {
      numbers: [
        startTime,
        seenSince,
        time,
        value,
        firstValue,
        peak,
        settled,
        firstMinute,
        firstHalfHour,
        reachedBefore,
        this.nextAge,
      ].map((number) => (Number.isNaN(number) ? null : number)),
      levels: encode(this.levels),
      fine: this.fine.save(),
      minutes: this.minutes.save(),
      halfHours: this.halfHours.save(),
    };
  }

  /** Takes what was saved. Throws RangeError where it makes no sense. */
  restore(saved: SavedHistory): void {
    const levels = decode(saved.levels);
    const numbers = saved.numbers.map((number) => (typeof number === "number" ? number : Number.NaN));
    if (numbers.length !== 11 || levels.length !== this.levels.length) throw new RangeError("not a history");
    this.fine.restore(saved.fine);
    this.minutes.restore(saved.minutes);
    this.halfHours.restore(saved.halfHours);
    this.levels.set(levels);
    [
      this.startTime,
      this.seenSince,
      this.time,
      this.value,
      this.firstValue,
      this.peak,
      this.settled,
      this.firstMinute,
      this.firstHalfHour,
      this.reachedBefore,
      this.nextAge,
    ] = numbers as [number, number, number, number, number, number, number, number, number, number, number];
  }

  private begin(time: number, startTime: number, highest: number): void {
    const isFirst = Number.isNaN(this.startTime);
    this.reachedBefore = isFirst ? highest : 0;
    this.startTime = startTime;
    this.seenSince = time;
    this.firstValue = Number.NaN;
    this.peak = Number.NaN;
    this.settled = Number.NaN;
    this.levels.fill(Number.NaN);
    this.nextAge = 0;
    while (this.nextAge < this.ages.length && time - startTime > 1.2 * (this.ages[this.nextAge] as number))
      this.nextAge++;
    // growth never spans a restart: only levels of before are asked for, and half hours are fine enough for these
    this.fine.clear();
    this.minutes.clear();
    this.firstMinute = Math.floor(time / this.minutes.step) + 1;
    this.firstHalfHour = Math.floor(time / this.halfHours.step) + 1;
  }

  private noteLevels(age: number): void {
    while (this.nextAge < this.ages.length && age >= (this.ages[this.nextAge] as number)) {
      const minutes = Math.max(
        1,
        Math.min(10, Math.round((this.ages[this.nextAge] as number) / this.minutes.step / 5)),
      );
      this.levels[this.nextAge++] = this.minutes.lowest(this.minutes.newest - minutes, this.minutes.newest + 1);
    }
  }
}
