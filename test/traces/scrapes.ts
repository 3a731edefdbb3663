// What a scrape misses: one now and then, and sometimes everything for a while.

import { happens, type Random, uniform } from "./draws.ts";
import type { Row } from "./simulate.ts";
import { minute } from "./units.ts";

export interface Misses {
  /** Share of single scrapes. */
  singly: number;
  gapsPerDay: number;
}

export function someMisses(random: Random): Misses {
  return { singly: uniform(random, 0, 0.0054), gapsPerDay: 0.15 };
}

/** `interval` is in seconds. */
export function scraped(random: Random, rows: readonly Row[], interval: number, { singly, gapsPerDay }: Misses): Row[] {
  let gapEnd = Number.NEGATIVE_INFINITY;
  return rows.filter(({ time }) => {
    if (time < gapEnd) return false;
    if (happens(random, interval, gapsPerDay)) gapEnd = time + uniform(random, 5, 40) * minute;
    return random() >= singly && time >= gapEnd;
  });
}
