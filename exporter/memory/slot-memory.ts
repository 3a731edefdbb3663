// What is remembered of one slot's memory: the floor by the minute for some hours, the peak by five minutes for a day and a
// half, the hour's floor by the quarter of an hour for a week. That is all that the rules read, and takes 6 KiB per slot.
// From it come the numbers of now that are served to Prometheus, and the series that the page's verdicts are made from.

import { type Detection, detection, newHighWindows } from "../../catalog/detection.ts";
import { processMetrics, recentMetrics } from "../../catalog/metrics.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import { Ring } from "./ring.ts";

/** Steps and spans, in seconds. Prometheus has each of them more often; coarser is enough for what changes slowly. */
function kept({ evaluation: { fast: minute, slow }, floors: { hour }, horizons, peaks, urgent }: Detection) {
  return {
    minutes: { step: minute, span: hour },
    floor: { step: minute, span: 4 * hour },
    hourFloor: { step: 15 * minute, span: horizons["7d"].seconds + 2 * hour },
    // fine enough to tell what is a new high
    peak: { step: slow, span: peaks.day + urgent.twelveHours.over + hour },
  };
}

/** One reading. Bytes, and seconds on the clock of the samples. */
export interface MemorySample {
  readonly resident: number;
  readonly startTime: number;
  readonly limit: number;
  /** Highest ever in this life, where the kernel tells (VmHWM): all that is known of the time before the first sample. */
  readonly highest?: number;
}

/** A window of which it is known whether it brought a new high. */
interface NewHigh {
  readonly window: string;
  /** Its length in seconds. */
  readonly over: number;
  /** What must stand above the earlier peak. */
  readonly level: "floor" | "hourFloor";
  /** Highest peak of the day before the window, in bytes. */
  earlierPeak: number;
}

export class SlotMemory {
  readonly labels: LabelSet;
  /** Bytes, as of the last sample; NaN where nothing is known, or the life is too young. */
  floor = Number.NaN;
  hourFloor = Number.NaN;
  peak = Number.NaN;
  /** What headroom is measured from: the peak, and once the life is old enough that of a day. */
  reached = Number.NaN;
  /** Start time of a young life, in seconds; NaN for others. */
  youngStart = Number.NaN;

  /** Least and most resident memory of each of the last minutes, from which the others are made. */
  private readonly least: Ring;
  private readonly most: Ring;
  private readonly floors: Ring;
  private readonly hourFloors: Ring;
  private readonly peaks: Ring;
  private readonly newHighs: readonly NewHigh[];
  private readonly detection: Detection;
  private openMinute: number | undefined;
  private openLeast = Number.POSITIVE_INFINITY;
  private openMost = Number.NEGATIVE_INFINITY;
  /** Of the minutes that are over and still count; they change once a minute. */
  private closed = { floor: Number.NaN, hourFloor: Number.NaN, peak: Number.NaN };
  private dayPeak = Number.NaN;
  private dayPeakMade = Number.NaN;
  /** The highest that the first life had reached when we came, and when that was. */
  private reachedBefore = Number.NaN;
  private firstSeen = Number.NaN;
  /** First sample of this life: an exporter that was just started does not know what an old process did before. */
  private lifeSeen = Number.NaN;
  private startTime = Number.NaN;
  private limit = Number.NaN;
  private resident = Number.NaN;
  private seen = 0;

  constructor(labels: LabelSet, windows: Detection = detection) {
    this.labels = labels;
    this.detection = windows;
    const ring = ({ step, span }: { step: number; span: number }) => new Ring(step, span);
    const { minutes, floor, hourFloor, peak } = kept(windows);
    this.least = ring(minutes);
    this.most = ring(minutes);
    this.floors = ring(floor);
    this.hourFloors = ring(hourFloor);
    this.peaks = ring(peak);
    this.newHighs = newHighWindows(windows).map((window) => ({ ...window, earlierPeak: Number.NaN }));
  }

  /** Adds a sample; `time` is in seconds on a clock that must not run backwards. */
  add(time: number, sample: MemorySample): void {
    if (Number.isNaN(sample.resident)) return;
    const current = Math.floor(time / this.detection.evaluation.fast);
    if (this.openMinute !== undefined && current > this.openMinute) this.closeMinute(this.openMinute);
    if (sample.startTime !== this.startTime) {
      [this.openLeast, this.openMost] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      if (Number.isNaN(this.firstSeen)) [this.firstSeen, this.reachedBefore] = [time, sample.highest ?? Number.NaN];
      this.lifeSeen = time;
    }
    const isNewMinute = current !== this.openMinute;
    this.openMinute = current;
    this.openLeast = Math.min(this.openLeast, sample.resident);
    this.openMost = Math.max(this.openMost, sample.resident);
    ({ resident: this.resident, startTime: this.startTime, limit: this.limit } = sample);
    this.seen = time;
    if (isNewMinute) this.lookBack(time);
    this.takeIn();
  }

  /** Most that the slot held in the minutes around a time of the last hour, in bytes; NaN where nothing is known of it. */
  mostAround(time: number): number {
    const minute = this.detection.evaluation.fast;
    return this.most.extreme(time - 2 * minute, Math.max, time + 2 * minute);
  }

  /** Most that it held in the first minute that is remembered, in bytes. */
  get firstMost(): number {
    return this.most.samples().values[0] ?? this.resident;
  }

  /** Bytes left until the limit. */
  get headroom(): number {
    return this.limit - this.reached;
  }

  /** How far the level of a window stands above the peak of the day before it, in bytes; NaN where it does not. By index. */
  newHigh(index: number): number {
    const { level, earlierPeak } = this.newHighs[index] as NewHigh;
    const above = (level === "floor" ? this.floor : this.hourFloor) - earlierPeak;
    return above > 0 ? above : Number.NaN;
  }

  /** The series that are kept, by name. What a rule would compute from older samples is not among them. */
  series(name: string): readonly Samples[] | undefined {
    switch (name) {
      case processMetrics.residentMemory.name:
        return this.residentMemory(name);
      case processMetrics.memoryLimit.name:
        return this.constant(name, this.limit);
      case processMetrics.startTime.name:
        return this.constant(name, this.startTime);
      case recentMetrics.youngStart.name:
        return this.young(name);
      case recentMetrics.headroom.name:
        return this.constant(name, this.headroom);
      case recentMetrics.floor.name:
        return this.recorded(name, this.floors);
      case recentMetrics.hourFloor.name:
        return this.recorded(name, this.hourFloors, true);
      case recentMetrics.peak.name:
        return this.recorded(name, this.peaks, true);
      case recentMetrics.newHigh.name:
        return this.newHighs.map((window) => this.newHighSeries(name, window));
      default:
        return undefined;
    }
  }

  /** Frees what the last look needed. */
  forget(): void {
    for (const ring of [this.least, this.most, this.floors, this.hourFloors, this.peaks]) ring.forget();
  }

  /** The minutes before this one that still count, and every some minutes the day. */
  private lookBack(time: number): void {
    const { evaluation, floors, peaks } = this.detection;
    const { fast: minute, slow } = evaluation;
    const since = (span: number) => (Math.floor(time / minute) + 1) * minute - span;
    const old = time - this.startTime >= peaks.recent;
    this.closed = {
      floor: this.least.extreme(since(floors.short), Math.min),
      hourFloor: this.floors.extreme(since(floors.hour), Math.min),
      peak: this.most.extreme(since(old ? peaks.recent : floors.short), Math.max),
    };
    const step = Math.floor(time / slow);
    if (step === this.dayPeakMade) return;
    this.dayPeakMade = step;
    this.dayPeak = this.peakOfDayBefore(time);
    for (const window of this.newHighs) window.earlierPeak = this.peakOfDayBefore(time - window.over);
  }

  /** The numbers of now. */
  private takeIn(): void {
    const { dayPeakAge, floorAge, floors, youngLife } = this.detection;
    const { closed } = this;
    const age = this.seen - this.startTime;
    const known = age >= floorAge.short && this.seen - this.lifeSeen >= floors.seen * floors.short;
    this.floor = known ? least(closed.floor, this.openLeast) : Number.NaN;
    this.hourFloor = known && age >= floorAge.hour ? least(closed.hourFloor, this.floor) : Number.NaN;
    this.peak = known ? most(closed.peak, this.openMost) : Number.NaN;
    this.reached = age >= dayPeakAge ? most(this.dayPeak, this.peak) : this.peak;
    this.youngStart = age < youngLife ? this.startTime : Number.NaN;
  }

  private closeMinute(index: number): void {
    const minute = this.detection.evaluation.fast;
    this.least.put(index * minute, this.openLeast);
    this.most.put(index * minute, this.openMost);
    [this.openLeast, this.openMost] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    // a minute's values are known when it is over
    const end = (index + 1) * minute;
    if (Number.isNaN(this.floor)) return;
    this.floors.put(end, this.floor);
    this.peaks.put(end, this.peak);
    if (!Number.isNaN(this.hourFloor)) this.hourFloors.put(end, this.hourFloor);
  }

  /** Highest peak of the day that ended at a time, in bytes; NaN where nothing is known of it. */
  private peakOfDayBefore(time: number): number {
    const from = time - this.detection.peaks.day;
    const seen = this.peaks.extreme(from, Math.max, time);
    return from < this.firstSeen ? most(seen, this.reachedBefore) : seen;
  }

  /** As far back as the floor is known. */
  private newHighSeries(name: string, { window, over, level }: NewHigh): Samples {
    const { times, values } = level === "floor" ? this.floors.samples() : this.hourFloors.samples();
    const above = times.map((time, i) => (values[i] as number) - this.peakOfDayBefore(time - over));
    const isKnown = (_: unknown, i: number) => (above[i] as number) > 0;
    const holds = level === "hourFloor"; // kept less often than rules look
    return { labels: this.named(name, window), times: times.filter(isKnown), values: above.filter(isKnown), holds };
  }

  /** The peaks of the last minutes stand for their samples, and then there is the newest one. */
  private residentMemory(name: string): readonly Samples[] {
    const { times, values } = this.most.samples();
    return [
      {
        labels: this.named(name),
        times: Float64Array.of(...times, this.seen),
        values: Float64Array.of(...values, this.resident),
        holds: true,
      },
    ];
  }

  private constant(name: string, value: number): readonly Samples[] {
    if (Number.isNaN(value)) return [];
    return [{ labels: this.named(name), times: [this.startTime], values: [value], holds: true }];
  }

  /** Until it is no longer young, which may be past. */
  private young(name: string): readonly Samples[] {
    const times = [this.startTime, this.startTime + this.detection.youngLife];
    return [{ labels: this.named(name), times, values: [this.startTime, Number.NaN], holds: true }];
  }

  private recorded(name: string, ring: Ring, holds = false): readonly Samples[] {
    return [{ labels: this.named(name), ...ring.samples(), holds }];
  }

  private named(name: string, window?: string): LabelSet {
    return { ...this.labels, ...(window === undefined ? {} : { window }), __name__: name };
  }
}

/** NaN only where both are. */
const least = (a: number, b: number) => (a < b || Number.isNaN(b) ? a : b);
const most = (a: number, b: number) => (a > b || Number.isNaN(b) ? a : b);
