// The memory of one process life in bounded space: the floor of each stretch of time. A life of minutes and a life of
// weeks take the same room; the older it gets, the longer each stretch.

import { type EndedLifeThresholds, endedLife } from "../../detection/ended-life.ts";
import { decode, encode } from "./scale.ts";
import type { Point } from "./statistics.ts";

/** As it is written down. */
export interface SavedLife {
  readonly floors: string;
  readonly stretchSeconds: number;
  readonly firstSeconds: number | null;
  readonly lastSeconds: number;
}

const empty = Number.POSITIVE_INFINITY;

/** Floors (minima) of equal stretches since the first sample. When all are used, pairs merge and stretches double. */
export class LifeHistory {
  private readonly floors: Float32Array;
  private stretchSeconds: number;
  private firstSeconds: number | undefined;
  private lastSeconds = 0;

  constructor(thresholds: EndedLifeThresholds = endedLife) {
    this.floors = new Float32Array(thresholds.historyBuckets).fill(empty);
    this.stretchSeconds = thresholds.firstBucketSeconds;
  }

  /** Adds a sample. Seconds are on any one clock; a sample from before the first is left out. */
  add(seconds: number, bytes: number): void {
    this.firstSeconds ??= seconds;
    if (seconds < this.firstSeconds || Number.isNaN(bytes)) return;
    let stretch = Math.floor((seconds - this.firstSeconds) / this.stretchSeconds);
    while (stretch >= this.floors.length) {
      this.mergePairs();
      stretch = Math.floor((seconds - this.firstSeconds) / this.stretchSeconds);
    }
    this.lastSeconds = Math.max(this.lastSeconds, seconds);
    if (bytes < (this.floors[stretch] as number)) this.floors[stretch] = bytes;
  }

  /** Seconds between the first sample and the last. */
  get spanSeconds(): number {
    return this.firstSeconds === undefined ? 0 : this.lastSeconds - this.firstSeconds;
  }

  /** The floor of each of `count` equal parts of the life; undefined where a part holds no sample. */
  floorsOfParts(count: number): readonly (number | undefined)[] {
    return this.lowsOfParts(count).map((low) => low?.y);
  }

  /** The same with where in the life it was seen, in parts: a part begins within a stretch, and growth makes that matter. */
  lowsOfParts(count: number): readonly (Point | undefined)[] {
    const parts = new Array<Point | undefined>(count).fill(undefined);
    const span = this.spanSeconds;
    if (span <= 0) return parts;
    this.floors.forEach((floor, stretch) => {
      if (floor === empty) return;
      const middle = Math.min((stretch + 0.5) * this.stretchSeconds, span);
      const part = Math.min(count - 1, Math.floor((middle / span) * count));
      if (floor < (parts[part]?.y ?? empty)) parts[part] = { x: (middle / span) * count, y: floor };
    });
    return parts;
  }

  save(): SavedLife {
    const { stretchSeconds, firstSeconds, lastSeconds } = this;
    return { floors: encode(this.floors), stretchSeconds, firstSeconds: firstSeconds ?? null, lastSeconds };
  }

  /** Takes what was saved. Throws RangeError where it makes no sense. */
  restore(saved: SavedLife): void {
    const floors = decode(saved.floors);
    if (floors.length !== this.floors.length || !(saved.stretchSeconds > 0))
      throw new RangeError("not the history of a life");
    this.floors.set(floors);
    this.stretchSeconds = saved.stretchSeconds;
    this.firstSeconds = saved.firstSeconds ?? undefined;
    this.lastSeconds = saved.lastSeconds;
  }

  private mergePairs(): void {
    const half = this.floors.length / 2;
    for (let i = 0; i < half; i++) {
      this.floors[i] = Math.min(this.floors[2 * i] as number, this.floors[2 * i + 1] as number);
    }
    this.floors.fill(empty, half);
    this.stretchSeconds *= 2;
  }
}
