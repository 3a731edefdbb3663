// What scheduled restarts cost, and what rarer ones would.

import { GiB } from "../../catalog/defaults.ts";
import type { EndedLife } from "../memory/service-memory.ts";
import { median } from "../memory/statistics.ts";
import { type GrowthOfLife, warmUpOf } from "./growth-of-life.ts";

const hour = 3600;
const week = 7 * 24 * hour;

/** A week with restarts every so many seconds. */
export interface WeekOfRestarts {
  readonly interval: number;
  readonly restarts: number;
  /** Seconds in which no process ran; undefined where no replacement was seen. */
  readonly downtime: number | undefined;
  /** Memory above the level after warm-up, over time, in GiB-hours; undefined where growth is unknown. */
  readonly heldGibHours: number | undefined;
  /** The price of that, in the currency of the configured price; undefined where there is none. */
  readonly heldPrice: number | undefined;
}

/**
 * `interval` in seconds, for `replicas` that are restarted alike. What a process of a steady leak holds is a triangle: half its growth times the
 * square of the time after warm-up. What it holds at a longer interval is extrapolated.
 */
export function weekOfRestarts(
  interval: number,
  {
    ended,
    lives,
    replicas,
    pricePerGibHour,
  }: {
    readonly ended: readonly EndedLife[];
    readonly lives: readonly GrowthOfLife[];
    readonly replicas: number;
    readonly pricePerGibHour: number | undefined;
  },
): WeekOfRestarts {
  const restarts = (replicas * week) / interval;
  const gap = downtimeOf(ended);
  const byteSeconds = median(lives.map((life) => heldBy(life, interval)));
  const held = Number.isNaN(byteSeconds) ? undefined : (restarts * byteSeconds) / GiB / hour;
  return {
    interval,
    restarts,
    downtime: gap === undefined ? undefined : gap * restarts,
    heldGibHours: held,
    heldPrice: held === undefined || pricePerGibHour === undefined ? undefined : held * pricePerGibHour,
  };
}

/** Seconds from the end of a process to the start of its successor, the median; undefined where none was seen. */
export function downtimeOf(ended: readonly EndedLife[]): number | undefined {
  const gaps = ended.flatMap(({ replacedAfter: gap }) =>
    gap !== undefined && Number.isFinite(gap) && gap >= 0 ? [gap] : [],
  );
  return gaps.length === 0 ? undefined : median(gaps);
}

/** Byte-seconds in a life of so many seconds. */
function heldBy(life: GrowthOfLife, seconds: number): number {
  const grows = Math.max(0, seconds - Math.max(0, Math.min(warmUpOf(life), seconds)));
  return (Math.max(0, life.growth) * grows ** 2) / 2;
}
