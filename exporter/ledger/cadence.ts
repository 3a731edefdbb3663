// A restart on a timer shows in the start times of a slot's lives: they lie the same distance apart, to the second, while
// crashes and OOM kills wander.

import { type Cadence, cadence } from "../../detection/cadence.ts";
import { median } from "../memory/statistics.ts";

/** Seconds between the last starts (Unix seconds, oldest first), where they keep a steady beat. */
export function steadyInterval(starts: readonly number[], thresholds: Cadence = cadence): number | undefined {
  const recent = starts.slice(-(thresholds.intervals + 1));
  if (recent.length <= thresholds.intervals) return undefined;
  const intervals = recent.slice(1).map((start, i) => start - (recent[i] as number));
  const typical = median(intervals);
  const allowed = Math.max(thresholds.toleranceSeconds, typical * thresholds.tolerance);
  const isSteady = intervals.every((interval) => Math.abs(interval - typical) <= allowed);
  return isSteady && typical >= thresholds.minimumSeconds ? typical : undefined;
}

export const isSteadyCadence = (starts: readonly number[], thresholds: Cadence = cadence): boolean =>
  steadyInterval(starts, thresholds) !== undefined;
