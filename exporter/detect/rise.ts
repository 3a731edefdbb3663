// Does a series rise all the time? Of five equal parts the minima, so that garbage, batches and requests in flight do not count; of these the
// four steps from one to the next.

import { type Least, shortRun } from "../../detection/short-run.ts";

/** Values over time; times in seconds, in order. */
export interface Series {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

export interface Rise {
  /** Minimum of the first and of the last part. */
  readonly from: number;
  readonly to: number;
  /** From each minimum to the next. */
  readonly steps: readonly number[];
  /** From the middle of the first part to that of the last, in seconds. */
  readonly seconds: number;
  /** Per second, over all of them. */
  readonly pace: number;
  /** Every step is at least half of the mean one, and all together are worth mentioning. */
  readonly isSteady: boolean;
  /** All but one of its steps are so: a busy machine or a batch may have hidden that one. */
  readonly isNearlySteady: boolean;
  /** Its last two steps, of which none is small, per second; undefined where it does not rise at its end. */
  readonly lastPace: number | undefined;
  /** A leak of this pace or more, beside what else went on, would have made it steady; per second. */
  readonly steadyFrom: number;
  /** Or at least made it rise at its end. */
  readonly risingFrom: number;
}

/** From the moment `start` to `end`. Undefined where a part of the time was hardly sampled. */
export function riseOf(series: Series, start: number, end: number, least: Least): Rise | undefined {
  const lows = lowsOf(series, start, end, least);
  if (lows === undefined) return undefined;
  const length = (end - start) / shortRun.parts;
  return riseOfLows(lows, length, least);
}

/** `length`: seconds from one to the next. */
export function riseOfLows(lows: readonly number[], length: number, least: Least): Rise {
  const [from = Number.NaN, to = Number.NaN] = [lows[0], lows.at(-1)];
  const steps = lows.slice(1).map((low, i) => low - (lows[i] as number));
  const slowest = Math.min(...steps);
  const mean = (to - from) / steps.length;
  const leastStep = Math.max(least.step, Math.max(least.total, least.share * to) / steps.length);
  const isSmall = (step: number) => step < Math.max(least.step, shortRun.slowest * mean);
  const smallSteps = mean >= leastStep ? steps.filter(isSmall).length : steps.length;
  const isSteady = smallSteps === 0;
  const [before = Number.NaN, final = Number.NaN] = steps.slice(-2);
  const last = (before + final) / 2;
  const smaller = Math.min(before, final);
  // what is steady could be as little as its unevenness allows; what is not would be with so much more in each step. What rose less than is worth
  // mentioning may itself be a leak, so nothing below that counts
  const hidden = isSteady
    ? Math.max(leastStep, (mean - slowest) / (1 - shortRun.slowest), least.step + mean - slowest)
    : Math.max(leastStep, leastStep - mean, least.step - slowest, missing(mean, slowest));
  return {
    from,
    to,
    steps,
    seconds: steps.length * length,
    pace: mean / length,
    isSteady,
    isNearlySteady: smallSteps <= 1,
    lastPace: smaller >= Math.max(leastStep, shortRun.slowest * last) ? last / length : undefined,
    steadyFrom: hidden / length,
    risingFrom: Math.max(leastStep, leastStep - smaller, missing(last, smaller)) / length,
  };
}

/** What must be added to each step so that the smallest has its share of the mean. */
const missing = (mean: number, smallest: number) => (shortRun.slowest * mean - smallest) / (1 - shortRun.slowest);

function lowsOf({ times, values }: Series, start: number, end: number, least: Least): number[] | undefined {
  const lows = new Array<number>(shortRun.parts).fill(Number.POSITIVE_INFINITY);
  const samples = new Array<number>(shortRun.parts).fill(0);
  for (const [i, time] of times.entries()) {
    const value = values[i] as number;
    const part = Math.floor(((time - start) / (end - start)) * shortRun.parts);
    if (!(part >= 0 && part < shortRun.parts) || Number.isNaN(value)) continue;
    lows[part] = Math.min(lows[part] as number, value);
    samples[part] = (samples[part] as number) + 1;
  }
  return samples.every((count) => count >= least.samples) ? lows : undefined;
}
