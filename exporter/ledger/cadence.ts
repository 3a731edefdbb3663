// A restart on a timer shows in the start times of a slot's lives: they lie the same distance apart, to the second, while
// crashes and OOM kills wander.

import { ledger } from "../../catalog/defaults.ts";
import { median } from "../analysis/statistics.ts";

/** The numbers that say what counts as steady; the time-compressed demo has its own. */
export type CadenceThresholds = Pick<
  { [name in keyof typeof ledger]: number },
  "cadenceIntervals" | "cadenceTolerance" | "cadenceToleranceSeconds" | "cadenceMinimumSeconds"
>;

/** Do the last starts (Unix seconds, oldest first) keep a steady beat? */
export function isSteadyCadence(starts: readonly number[], thresholds: CadenceThresholds = ledger): boolean {
  const recent = starts.slice(-(thresholds.cadenceIntervals + 1));
  if (recent.length <= thresholds.cadenceIntervals) return false;
  const intervals = recent.slice(1).map((start, i) => start - (recent[i] as number));
  const typical = median(intervals);
  const allowed = Math.max(thresholds.cadenceToleranceSeconds, typical * thresholds.cadenceTolerance);
  return (
    typical >= thresholds.cadenceMinimumSeconds &&
    intervals.every((interval) => Math.abs(interval - typical) <= allowed)
  );
}
