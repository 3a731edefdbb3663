// What is remembered of one slot's memory: the floor by the minute for some hours, the hour's floor and peak by the quarter
// of an hour for days. That is all that the rules read, and takes 4 KiB per slot after a week.

import { processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import { floorAge, floors } from "../../catalog/windows.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import { Ring } from "./ring.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Steps and spans, in seconds. Prometheus has each of them by the minute; coarser is enough for what changes slowly. */
const kept = {
  minutes: { step: minute, span: hour },
  floor: { step: minute, span: 4 * hour },
  hourFloor: { step: 15 * minute, span: 7 * day + 2 * hour },
  peak: { step: 15 * minute, span: 2 * day },
} as const;

export class SlotMemory {
  readonly labels: LabelSet;
  /** Least and most resident memory of each of the last minutes, from which the others are made. */
  private readonly least = new Ring(kept.minutes.step, kept.minutes.span);
  private readonly most = new Ring(kept.minutes.step, kept.minutes.span);
  private readonly floor = new Ring(kept.floor.step, kept.floor.span);
  private readonly hourFloor = new Ring(kept.hourFloor.step, kept.hourFloor.span);
  private readonly peak = new Ring(kept.peak.step, kept.peak.span);
  private openMinute: number | undefined;
  private openLeast = Number.POSITIVE_INFINITY;
  private openMost = Number.NEGATIVE_INFINITY;
  private startTime = Number.NaN;
  private limit = Number.NaN;
  private resident = Number.NaN;
  private seen = 0;

  constructor(labels: LabelSet) {
    this.labels = labels;
  }

  /** Adds a sample; `time` and `startTime` are seconds on one clock, which must not run backwards. Bytes. */
  add(time: number, sample: { resident: number; startTime: number; limit: number }): void {
    if (Number.isNaN(sample.resident)) return;
    const current = Math.floor(time / minute);
    if (this.openMinute !== undefined && current > this.openMinute) this.closeMinute(this.openMinute);
    if (sample.startTime !== this.startTime) {
      [this.openLeast, this.openMost] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    }
    this.openMinute = current;
    this.openLeast = Math.min(this.openLeast, sample.resident);
    this.openMost = Math.max(this.openMost, sample.resident);
    ({ resident: this.resident, startTime: this.startTime, limit: this.limit } = sample);
    this.seen = time;
  }

  /** The series that are kept, by name. What a rule would compute from older samples is not among them. */
  series(name: string): readonly Samples[] | undefined {
    switch (name) {
      case processMetrics.residentMemory.name:
        return this.constant(name, this.resident, this.seen);
      case processMetrics.memoryLimit.name:
        return this.constant(name, this.limit, this.startTime);
      case processMetrics.startTime.name:
        return this.constant(name, this.startTime, this.startTime);
      case slotRecordings.floor.name:
        return this.recorded(name, this.floor);
      case slotRecordings.hourFloor.name:
        return this.recorded(name, this.hourFloor, true);
      case slotRecordings.peak.name:
        return this.recorded(name, this.peak, true);
      default:
        return undefined;
    }
  }

  /** Frees what the last look needed. */
  forget(): void {
    for (const ring of [this.least, this.most, this.floor, this.hourFloor, this.peak]) ring.forget();
  }

  private constant(name: string, value: number, since: number): readonly Samples[] {
    return [{ labels: this.named(name), times: [since], values: [value], holds: true }];
  }

  private recorded(name: string, ring: Ring, holds = false): readonly Samples[] {
    return [{ labels: this.named(name), ...ring.samples(), holds }];
  }

  private named(name: string): LabelSet {
    return { ...this.labels, __name__: name };
  }

  private closeMinute(index: number): void {
    const time = index * minute;
    this.least.put(time, this.openLeast);
    this.most.put(time, this.openMost);
    [this.openLeast, this.openMost] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    // a minute's values are known when it is over
    const end = time + minute;
    const age = end - this.startTime;
    if (age >= floorAge.short) this.floor.put(end, this.least.extreme(end - floors.short, Math.min));
    if (age >= floorAge.hour) this.hourFloor.put(end, this.floor.extreme(end - floors.hour, Math.min));
    if (age >= floorAge.short) {
      this.peak.put(end, this.most.extreme(end - (age >= hour ? hour : floors.short), Math.max));
    }
  }
}
