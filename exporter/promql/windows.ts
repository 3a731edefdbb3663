// Functions over a stretch of samples, as PromQL's *_over_time: for every time t of a grid, over the samples in (t - range, t].
// Times and samples both ascend, so each function passes over them once.

import type { Samples } from "./series.ts";

type WindowFunction = (samples: Samples, times: Float64Array, range: number) => Float64Array;

/** By PromQL's name. Samples that are NaN do not count. */
export const windowFunctions: Readonly<Record<string, WindowFunction>> = {
  min_over_time: (samples, times, range) => extreme(samples, times, range, (a, b) => a <= b),
  max_over_time: (samples, times, range) => extreme(samples, times, range, (a, b) => a >= b),
  last_over_time: (samples, times, range) => scan(samples, times, range, (values, _, to) => values[to - 1] as number),
  count_over_time: (samples, times, range) => scan(samples, times, range, (_, from, to) => to - from),
  present_over_time: (samples, times, range) => scan(samples, times, range, () => 1),
  sum_over_time: (samples, times, range) => sums(samples, times, range, (sum) => sum),
  avg_over_time: (samples, times, range) => sums(samples, times, range, (sum, count) => sum / count),
  changes: (samples, times, range) =>
    scan(samples, times, range, (values, from, to) => {
      let changes = 0;
      for (let i = from + 1; i < to; i++) if (values[i] !== values[i - 1]) changes++;
      return changes;
    }),
};

/** The samples that count: those with a value. */
function known({ times, values }: Samples): { times: ArrayLike<number>; values: ArrayLike<number> } {
  let holes = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i] as number)) holes++;
  if (holes === 0) return { times, values };
  const keptTimes = new Float64Array(values.length - holes);
  const keptValues = new Float64Array(values.length - holes);
  for (let i = 0, at = 0; i < values.length; i++) {
    if (Number.isNaN(values[i] as number)) continue;
    keptTimes[at] = times[i] as number;
    keptValues[at++] = values[i] as number;
  }
  return { times: keptTimes, values: keptValues };
}

/** `of` gets the bounds of the window's samples, which are never empty. */
function scan(
  samples: Samples,
  times: Float64Array,
  range: number,
  of: (values: ArrayLike<number>, from: number, to: number) => number,
): Float64Array {
  const { times: at, values } = known(samples);
  const result = new Float64Array(times.length);
  let from = 0;
  let to = 0;
  for (let i = 0; i < times.length; i++) {
    const t = times[i] as number;
    while (to < at.length && (at[to] as number) <= t) to++;
    while (from < to && (at[from] as number) <= t - range) from++;
    result[i] = from < to ? of(values, from, to) : Number.NaN;
  }
  return result;
}

/** Sums by differences of running sums; exact for the counts that the rules sum. */
function sums(
  samples: Samples,
  times: Float64Array,
  range: number,
  of: (sum: number, count: number) => number,
): Float64Array {
  const { values } = known(samples);
  const running = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) running[i + 1] = (running[i] as number) + (values[i] as number);
  return scan(samples, times, range, (_, from, to) =>
    of((running[to] as number) - (running[from] as number), to - from),
  );
}

/** Sliding extreme with a queue of candidates, each of which is beaten by none that came after it. */
function extreme(
  samples: Samples,
  times: Float64Array,
  range: number,
  beats: (a: number, b: number) => boolean,
): Float64Array {
  const { times: at, values } = known(samples);
  const result = new Float64Array(times.length);
  const queue = new Int32Array(at.length);
  let head = 0;
  let tail = 0;
  let to = 0;
  for (let i = 0; i < times.length; i++) {
    const t = times[i] as number;
    for (; to < at.length && (at[to] as number) <= t; to++) {
      while (tail > head && beats(values[to] as number, values[queue[tail - 1] as number] as number)) tail--;
      queue[tail++] = to;
    }
    while (head < tail && (at[queue[head] as number] as number) <= t - range) head++;
    result[i] = head < tail ? (values[queue[head] as number] as number) : Number.NaN;
  }
  return result;
}
