// The longest safe life against services whose law is known. docs/restarts.md shows what this measures with more draws.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { adviseRestart } from "../../exporter/advice/scheduled-restart.ts";
import { laws, limit, measure, SimulatedService } from "./simulated-service.ts";

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
    const found = measure(laws[law] as (typeof laws)[string], { ...options, datasets: 16, draws: 10_000 });
    expect(found.survived).toBeGreaterThanOrEqual(0.99);
    expect(found.atThisPace).toBeGreaterThanOrEqual(least);
  });
});

describe("a restart is called safe to remove", () => {
  /** Share of 100 services, restarted every day, 12 processes of each. */
  const safe = (typicalPace: number): number => {
    const service = new SimulatedService({ pace: () => 1, levels: 0.05 }, { interval: 24, typicalPace, seed: 5 });
    const verdicts = Array.from({ length: 100 }, () =>
      adviseRestart({ ended: service.lives(12), limit: limit * MiB, interval: 86_400, now: 0 }),
    );
    return verdicts.filter(({ verdict }) => verdict === "safe_to_remove").length / 100;
  };
  /** MiB an hour that reach the limit in 90 days. */
  const allowed = (limit - 220) / (90 * 24);

  test("of most services that do not grow", () => expect(safe(0)).toBeGreaterThanOrEqual(0.9));
  test("of few that would reach their limit a little sooner than in 90 days", () =>
    expect(safe(1.05 * allowed)).toBeLessThanOrEqual(0.07));
  test("of none that would reach it in 45 days", () => expect(safe(2 * allowed)).toBe(0));
});
