// A stretch of time in pieces that fit a server's bounds and our memory; the next piece is fetched while one is worked on.

import { maximumPoints, type PrometheusApi, type RangeResult, TooManySamples } from "../prometheus/api.ts";
import type { Stretch } from "./stretch.ts";

/** Values that are held at a time: some tens of megabytes of text. */
const mostValues = 300_000;
/** A server that does not give so few points of each series gives nothing. */
const fewestPoints = 100;

export interface Chunk {
  readonly from: number;
  readonly to: number;
  /** What each query gave, in their order. */
  readonly results: readonly (readonly RangeResult[])[];
}

/** What these queries give over a stretch, in the order of time. `series` is how many series they give in all, about. */
export async function* chunksOf(
  api: PrometheusApi,
  queries: readonly string[],
  series: number,
  { from, to, step }: Stretch,
): AsyncGenerator<Chunk> {
  let points = Math.min(maximumPoints, Math.max(fewestPoints, Math.floor(mostValues / Math.max(1, series))));
  const fetchFrom = async (start: number): Promise<Chunk> => {
    for (;;) {
      const end = Math.min(to, start + (points - 1) * step);
      try {
        const results: RangeResult[][] = [];
        for (const query of queries) results.push(await api.range(query, start, end, step));
        return { from: start, to: end, results };
      } catch (error) {
        if (!(error instanceof TooManySamples) || points <= fewestPoints) throw error;
        points = Math.floor(points / 2);
      }
    }
  };
  let next: Promise<Chunk> | undefined = fetchFrom(from);
  while (next !== undefined) {
    const chunk: Chunk = await next;
    next = chunk.to + step <= to ? fetchFrom(chunk.to + step) : undefined;
    next?.catch(() => undefined); // heard when its turn comes, if it comes
    yield chunk;
  }
}
