// A restart on a timer shows in the start times of a slot's lives: they lie the same distance apart, to the second, while
// crashes and OOM kills wander.

import { type Cadence, cadence } from "../../detection/cadence.ts";
import { median } from "../memory/statistics.ts";

/** Do the last starts (Unix seconds, oldest first) keep a steady beat? */
export function isSteadyCadence(starts: readonly number[], thresholds: Cadence = cadence): boolean {
  const recent = starts.slice(-(thresholds.intervals + 1));
  if (recent.length <= thresholds.intervals) return false;
  const intervals = recent.slice(1).map((start, i) => start - (recent[i] as number));
  const typical = median(intervals);
  const allowed = Math.max(thresholds.toleranceSeconds, typical * thresholds.tolerance);
  return typical >= thresholds.minimumSeconds && intervals.every((interval) => Math.abs(interval - typical) <= allowed);
}
