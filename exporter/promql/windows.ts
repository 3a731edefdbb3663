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
  deriv: (samples, times, range) => regression(samples, times, range, "slope"),
  rate: counterRate,
  increase: (samples, times, range) => counterRate(samples, times, range).map((rate) => rate * range),
  changes: (samples, times, range) =>
    scan(samples, times, range, (values, from, to) => {
      let changes = 0;
      for (let i = from + 1; i < to; i++) if (values[i] !== values[i - 1]) changes++;
      return changes;
    }),
};

/**
 * Slope by least squares, and the line's value `ahead` seconds after the window's end, as deriv and predict_linear.
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#predict_linear
 */
export function regression(
  samples: Samples,
  times: Float64Array,
  range: number,
  ahead: number | "slope",
): Float64Array {
  const { times: at } = known(samples);
  return scan(samples, times, range, (values, from, to, now) => {
    const n = to - from;
    if (n < 2) return Number.NaN;
    let [sumT, sumV, sumTV, sumTT] = [0, 0, 0, 0];
    const origin = values[from] as number; // near to the values, so that little is lost
    for (let i = from; i < to; i++) {
      const t = (at[i] as number) - now;
      const v = (values[i] as number) - origin;
      sumT += t;
      sumV += v;
      sumTV += t * v;
      sumTT += t * t;
    }
    const slope = (sumTV - (sumT * sumV) / n) / (sumTT - (sumT * sumT) / n);
    return ahead === "slope" ? slope : origin + sumV / n - (slope * sumT) / n + slope * ahead;
  });
}

/** A counter's increase per second, extrapolated to the whole window; each fall counts as a reset. */
export function counterRate(samples: Samples, times: Float64Array, range: number): Float64Array {
  const { times: at } = known(samples);
  return scan(samples, times, range, (values, from, to, now) => {
    if (to - from < 2) return Number.NaN;
    let increase = (values[to - 1] as number) - (values[from] as number);
    for (let i = from + 1; i < to; i++)
      if ((values[i] as number) < (values[i - 1] as number)) increase += values[i - 1] as number;
    const [first, last] = [at[from] as number, at[to - 1] as number];
    const between = (last - first) / (to - from - 1);
    // reach to the window's ends, or by half a step where samples begin or end inside it, and never to below zero
    const reach = (gap: number) => (gap < 1.1 * between ? gap : between / 2);
    const start = values[from] as number;
    const sinceZero = increase > 0 && start >= 0 ? ((last - first) * start) / increase : Number.POSITIVE_INFINITY;
    const before = Math.min(reach(first - (now - range)), sinceZero);
    const after = reach(now - last);
    return (increase * ((last - first + before + after) / (last - first))) / range;
  });
}

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
  of: (values: ArrayLike<number>, from: number, to: number, now: number) => number,
): Float64Array {
  const { times: at, values } = known(samples);
  const result = new Float64Array(times.length);
  let from = 0;
  let to = 0;
  for (let i = 0; i < times.length; i++) {
    const t = times[i] as number;
    while (to < at.length && (at[to] as number) <= t) to++;
    while (from < to && (at[from] as number) <= t - range) from++;
    result[i] = from < to ? of(values, from, to, t) : Number.NaN;
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
