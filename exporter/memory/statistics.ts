// The robust statistics that the verdicts rest on: one odd sample must not move them.

/** The middle value; the mean of the two middle ones for an even count; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Slope of a line through the points, as the median of the slopes of all pairs; NaN for fewer than two.
 * Theil (1950), Sen (1968), https://doi.org/10.1080/01621459.1968.10480934
 */
export function theilSenSlope(points: readonly Point[]): number {
  const slopes: number[] = [];
  points.forEach((from, index) => {
    for (const to of points.slice(index + 1)) slopes.push((to.y - from.y) / (to.x - from.x));
  });
  return median(slopes);
}
