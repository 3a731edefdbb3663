// The memory of one process life in bounded space: the floor of each stretch of time. A life of minutes and a life of
// weeks take the same room; the older it gets, the longer each stretch.

import { type EndedLifeThresholds, endedLife } from "../../detection/ended-life.ts";

const empty = Number.POSITIVE_INFINITY;

/** Floors (minima) of equal stretches since the first sample. When all are used, pairs merge and stretches double. */
export class LifeHistory {
  private readonly floors: Float64Array;
  private stretchSeconds: number;
  private firstSeconds: number | undefined;
  private lastSeconds = 0;

  constructor(thresholds: EndedLifeThresholds = endedLife) {
    this.floors = new Float64Array(thresholds.historyBuckets).fill(empty);
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
    const parts = new Array<number | undefined>(count).fill(undefined);
    const span = this.spanSeconds;
    if (span <= 0) return parts;
    this.floors.forEach((floor, stretch) => {
      if (floor === empty) return;
      const middle = Math.min((stretch + 0.5) * this.stretchSeconds, span);
      const part = Math.min(count - 1, Math.floor((middle / span) * count));
      parts[part] = Math.min(parts[part] ?? empty, floor);
    });
    return parts;
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
