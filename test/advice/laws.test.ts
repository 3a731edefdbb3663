// The longest safe life against services whose law is known. docs/restarts.md shows what this measures with more draws.

import { describe, expect, test } from "vitest";
import { laws, measure } from "./simulated-service.ts";

interface Bounds {
  readonly law: string;
  readonly interval: number;
  readonly count: number;
  /** Least share of the true quantile, of what the pace promises: where the data suffice. */
  readonly least?: number;
}

/** Every law, with few processes and with many, restarted every 2, 6 and 24 hours. */
const cases: readonly Bounds[] = Object.keys(laws).flatMap((law, i) => [
  { law, interval: [2, 6, 24][i % 3] as number, count: 8 },
  { law, interval: [6, 24, 2][i % 3] as number, count: 40 },
]);

const enough: readonly Bounds[] = [
  { law: "lognormal .1", interval: 24, count: 20, least: 0.7 },
  { law: "lognormal .3", interval: 2, count: 20, least: 0.7 },
  { law: "lognormal .3", interval: 24, count: 20, least: 0.7 },
  { law: "lognormal .5", interval: 6, count: 40, least: 0.7 },
  { law: "gamma 4", interval: 24, count: 40, least: 0.7 },
  { law: "Weibull 4", interval: 24, count: 40, least: 0.7 },
  { law: "exponential, e in 24 h", interval: 24, count: 40, least: 0.7 },
  { law: "noise: teeth of 60 MiB", interval: 24, count: 40, least: 0.7 },
];

describe("of 10,000 more processes, 99 % outlast the recommended life", () => {
  test.each([...cases, ...enough])("$law, every $interval h, of $count", ({ law, least = 0, ...options }) => {
    const found = measure(laws[law] as (typeof laws)[string], { ...options, datasets: 20, draws: 10_000 });
    expect(found.survived).toBeGreaterThanOrEqual(0.99);
    expect(found.atThisPace).toBeGreaterThanOrEqual(least);
  });
});
