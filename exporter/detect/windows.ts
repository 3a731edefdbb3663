// A run of detect is the rules on a faster clock: the windows are compressed until the longest one that asks for no limit fits in, and some
// time to start before it. That is the one for uneven growth: heaps grow in chunks, which shows in so short a time.

import { compressed, type Detection, detection } from "../../catalog/detection.ts";

/** Shorter runs have a few samples per stretch only. Seconds. */
export const shortestRun = 10;

/** Longer ones are what the exporter is for. Seconds. */
export const longestRun = 24 * 3600;

/** Share of a run that is left to the process to start and warm up. */
export const warmUp = 0.1;

/** From the start of a process until uneven growth in it is claimed, in seconds on the clock of these windows. */
export function wholeRun({ floorAge, horizons, uneven, evaluation }: Detection): number {
  const claimed = floorAge.hour + 3 * horizons["12h"].seconds + uneven.for + 2 * evaluation.rare + 8 * evaluation.slow;
  return claimed / (1 - warmUp);
}

/** How many times faster than shipped the windows must be, for a run of so many seconds. */
export const speedFor = (seconds: number) => wholeRun(detection) / seconds;

/** The other way round: how long a run must be. */
export const runFor = (speed: number) => wholeRun(detection) / speed;

export const windowsAt = (speed: number): Detection => compressed(detection, speed);

/** The slowest growth that such a run could call a leak without a limit in sight, in bytes per second at this level. */
export function leastGrowth({ steady, uneven, horizons }: Detection, level: number): number {
  const even = steady.gain / (steady.lookedAt.length * horizons["6h"].seconds);
  return level * Math.min(even, uneven.gain / (3 * horizons["12h"].seconds));
}

/** Time between two passes, in seconds: two for each evaluation, as far as that is sensible. */
export const passInterval = ({ evaluation }: Detection) => Math.min(Math.max(evaluation.fast / 2, 0.05), 5);
