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
  /** … of which the slowest quarter has more than this share of the mean. */
  slowest: 0.2,
} as const;
