// A stretch of a series of any length, from a server that gives it in pieces.

import { maximumPoints, type PrometheusApi, sampleValue, TooManySamples } from "../prometheus/api.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import type { Stretch } from "./history.ts";

/** A server that does not give so few points gives nothing. */
const fewestPoints = 100;

/** What a selector finds, a series for each set of labels. */
export async function fetchRange(
  api: PrometheusApi,
  selector: string,
  { from, to, step }: Stretch,
): Promise<Samples[]> {
  const found = new Map<string, { labels: LabelSet; times: number[]; values: number[] }>();
  let points = maximumPoints;
  for (let start = from; start <= to; ) {
    const end = Math.min(to, start + (points - 1) * step);
    try {
      for (const { metric, values } of await api.range(selector, start, end, step)) {
        const key = JSON.stringify(metric);
        const series = found.get(key) ?? { labels: metric, times: [], values: [] };
        found.set(key, series);
        for (const [t, text] of values) {
          series.times.push(t);
          series.values.push(sampleValue(text));
        }
      }
      start = end + step;
    } catch (error) {
      if (!(error instanceof TooManySamples) || points <= fewestPoints) throw error;
      points = Math.floor(points / 2);
    }
  }
  return [...found.values()].map(({ labels, times, values }) => ({
    labels,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
  }));
}
