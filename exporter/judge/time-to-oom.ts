// When the limit is reached: what is left of it, by the slope of a window's lows. Long windows for what is far, short ones for what is near.

import { at, shapeSize } from "../../detection/shape.ts";
import { windows } from "../../detection/windows.ts";
import type { Shapes } from "./shape.ts";

/** A window should be so many times as long as the time that it tells. */
const windowsPerTime = 2;
/** What noise costs a window, in units of the logarithm of that ratio. */
const noisePenalty = 2;

/** What is said only where nothing else is. */
const toothPenalty = 100;

export interface Estimate {
  readonly seconds: number;
  /** KiB per second. */
  readonly pace: number;
  readonly window: number;
}

/** `headroom` in KiB; `neighbours` is the growth of what shares the limit, in KiB per second over about so many seconds. */
export function timeToOom(
  shapes: Shapes,
  headroom: number,
  neighbours?: (seconds: number) => number,
): Estimate | undefined {
  if (Number.isNaN(headroom)) return undefined;
  let best: Estimate | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < windows.length; i++) {
    const slope = shapes.values[i * shapeSize + at.slope] as number;
    if (!(slope > 0) || !((shapes.values[i * shapeSize + at.gain] as number) > 0)) continue;
    // a tooth that rises says nothing: the growth must be more than what falls within a day
    const comesAndGoes = (shapes.values[i * shapeSize + at.swing] as number) < 1;
    const pace = slope + Math.max(0, neighbours?.(shapes.length(i)) ?? 0);
    const seconds = headroom / pace;
    const noise = Math.min(0.5, shapes.values[i * shapeSize + at.noise] as number);
    const cost =
      Math.abs(Math.log((windowsPerTime * Math.max(seconds, 1)) / shapes.length(i))) +
      noisePenalty * noise +
      (comesAndGoes ? toothPenalty : 0);
    if (cost < least) [least, best] = [cost, { seconds, pace, window: i }];
  }
  return best;
}
