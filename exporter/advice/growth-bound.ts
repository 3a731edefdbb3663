// After a fix: how fast can a service still grow, at most, by what its processes show?

import { type AdviceSettings, advice } from "../../detection/advice.ts";
import type { GrowthOfLife } from "./growth-of-life.ts";
import { studentQuantile } from "./student.ts";

/** Growth in bytes per second, times in seconds. */
export interface GrowthBound {
  readonly lives: number;
  /** Sum of what was watched. */
  readonly watched: number;
  /** Mean growth, each process weighted by how long it was watched. */
  readonly mean: number;
  /** Upper confidence bound of that mean; not below 0. */
  readonly bound: number;
  /** Standard deviation of growth over a life of typical length. */
  readonly deviation: number;
}

/**
 * Undefined for fewer than two. The slope of a noisy line is known the better the longer it is, hence the weights; the bound is the usual one
 * of a weighted mean with Student's t.
 */
export function growthBoundOf(
  lives: readonly GrowthOfLife[],
  { confidence }: AdviceSettings = advice,
): GrowthBound | undefined {
  const n = lives.length;
  if (n < 2) return undefined;
  const watched = lives.reduce((sum, life) => sum + life.watched, 0);
  const mean = lives.reduce((sum, life) => sum + life.watched * life.growth, 0) / watched;
  const squares = lives.reduce((sum, life) => sum + life.watched * (life.growth - mean) ** 2, 0);
  const deviation = Math.sqrt((squares / watched) * (n / (n - 1)));
  const bound = Math.max(0, mean + (studentQuantile(confidence, n - 1) * deviation) / Math.sqrt(n));
  return { lives: n, watched, mean, bound, deviation };
}

/** Seconds from the first start to the last end: none are covered by no process. */
export function spanOf(lives: readonly GrowthOfLife[]): number {
  const [first, ...others] = lives;
  if (first === undefined) return 0;
  const starts = others.map(({ startedAt }) => startedAt);
  const ends = others.map(({ endedAt }) => endedAt);
  return Math.max(first.endedAt, ...ends) - Math.min(first.startedAt, ...starts);
}

/**
 * Processes that it takes until the bound is at `growth` bytes per second, if all that come are like those seen; Infinity where they grow by
 * more than that.
 */
export function livesUntil(
  { lives, mean, deviation }: GrowthBound,
  growth: number,
  { most, confidence }: { most: number; confidence: number },
): number {
  if (mean >= growth) return Number.POSITIVE_INFINITY;
  for (let n = lives; n <= most; n++) {
    if (mean + (studentQuantile(confidence, n - 1) * deviation) / Math.sqrt(n) <= growth) return n;
  }
  return Number.POSITIVE_INFINITY;
}
