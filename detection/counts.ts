// Leaks of descriptors and threads.

const minute = 60;
const hour = 60 * minute;

export const countLeak = {
  /** Growth in every quarter of half a day, in seconds … */
  over: 12 * hour,
  quarters: 4,
  /** … of the least count of this stretch: what is opened and closed again is no growth … */
  stretch: 10 * minute,
  /** … by this share and this many … */
  gain: 0.1,
  minimum: 32,
  /** … of which the slowest quarter has this share of the mean: connections that follow a day's load, a sine, have .59 at most. */
  slowest: 0.65,
} as const;
