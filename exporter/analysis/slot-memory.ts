// What is remembered of one slot's memory: the floor by the minute for some hours, the peak by five minutes for a day and a
// half, the hour's floor by the quarter of an hour for a week. That is all that the rules read, and takes 6 KiB per slot.

import { type Detection, detection } from "../../catalog/detection.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import { Ring } from "./ring.ts";

/** Steps and spans, in seconds. Prometheus has each of them by the minute or five; coarser is enough for what changes slowly. */
function kept({ evaluation: { fast: minute, slow }, floors: { hour }, horizons, peaks, urgent }: Detection) {
  return {
    minutes: { step: minute, span: hour },
    floor: { step: minute, span: 4 * hour },
    hourFloor: { step: 15 * minute, span: horizons["7d"].seconds + 2 * hour },
    // as often as the rules record it: what is a new high is told from it
    peak: { step: slow, span: peaks.day + urgent.twelveHours.over + hour },
  };
}

export class SlotMemory {
  readonly labels: LabelSet;
  /** Least and most resident memory of each of the last minutes, from which the others are made. */
  private readonly least: Ring;
  private readonly most: Ring;
  private readonly floor: Ring;
  private readonly hourFloor: Ring;
  private readonly peak: Ring;
  private readonly detection: Detection;
  private openMinute: number | undefined;
  private openLeast = Number.POSITIVE_INFINITY;
  private openMost = Number.NEGATIVE_INFINITY;
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
    this.floor = ring(floor);
    this.hourFloor = ring(hourFloor);
    this.peak = ring(peak);
  }

  /** Adds a sample; `time` and `startTime` are seconds on one clock, which must not run backwards. Bytes. */
  add(time: number, sample: { resident: number; startTime: number; limit: number }): void {
    if (Number.isNaN(sample.resident)) return;
    const current = Math.floor(time / this.detection.evaluation.fast);
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
        return this.residentMemory(name);
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
    const { evaluation, floors, floorAge, peaks } = this.detection;
    const minute = evaluation.fast;
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
      this.peak.put(end, this.most.extreme(end - (age >= peaks.recent ? peaks.recent : floors.short), Math.max));
    }
  }
}
