// The numbers that describe growth in a window, without a unit unless said.

export const shapeNames = [
  /** Growth, as a share of the level. */
  "gain",
  /** Slowest and fastest quarter, to the mean. */
  "slowest",
  "biggest",
  /** Second half to first half. */
  "bend",
  /** How much of the headroom a curve that bends like this would still take. */
  "reach",
  /** Time left, in windows. */
  "ahead",
  /** Deviation of the lows from their line, to the growth. */
  "noise",
  /** Growth, to the largest fall of the day before. */
  "swing",
  /** How far the end stands above the day before, to the growth. */
  "new",
  /** How far the end stands above earlier lives at this age, to the growth. */
  "life",
  /** Pace of the last block, to the mean. */
  "last",
  /** Growth of the daily minimum, to that of the daily maximum. */
  "wave",
  /** Pace since the tenth minute of the life, or of its being watched, to that of the window. */
  "birth",
  /** Seconds to the limit. */
  "timeLeft",
  /** KiB per second: from the first low to the last, and of their line. */
  "pace",
  "slope",
  /** KiB per second: of the line through the highest readings of the blocks. */
  "top",
] as const;

export type ShapeName = (typeof shapeNames)[number];

export const shapeSize = shapeNames.length;

/** Place of a number. */
export const at = Object.fromEntries(shapeNames.map((name, i) => [name, i])) as Readonly<Record<ShapeName, number>>;
