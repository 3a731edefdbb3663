import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { growthOfLives } from "../../exporter/advice/growth-of-life.ts";
import { longestSafeLife, type SafeLife } from "../../exporter/advice/safe-life.ts";
import type { EndedLife } from "../../exporter/memory/service-memory.ts";
import { hour, type KnownLife, lifeOf, limit, livesOf, type Words } from "./lives.ts";

const answer = (lives: readonly EndedLife[], bytes: number | undefined = limit) =>
  longestSafeLife(growthOfLives(lives), bytes);

const hours = (lives: readonly EndedLife[], bytes?: number): number => {
  const found = answer(lives, bytes);
  if ("kind" in found) throw new Error(found.kind);
  return found.seconds / hour;
};

const equal = (count: number, words: Words = {}) => livesOf(new Array<number>(count).fill(words.pace ?? 10), words);

describe("the longest safe life", () => {
  test("of many processes that all reach 1024 MiB after 82.4 hours is not far below", () => {
    const found = hours(equal(64, { hours: 24 }));
    expect(found).toBeGreaterThan(0.75 * 82.4);
    expect(found).toBeLessThan(82.4);
  });

  test("is shorter the fewer they are", () => {
    const found = [5, 8, 12, 20, 40, 64].map((count) => hours(equal(count, { hours: 24 })));
    expect(found).toEqual([...found].sort((a, b) => a - b));
  });

  test("is shorter where paces differ", () => {
    const spread = Array.from({ length: 20 }, (_, i) => 10 * Math.exp(0.5 * ((i - 9.5) / 9.5)));
    expect(hours(livesOf(spread, { hours: 24 }))).toBeLessThan(hours(equal(20, { hours: 24 })));
  });

  test("is no longer than the shortest that was seen to reach the limit", () => {
    const killed: EndedLife = { ...lifeOf({ hours: 9, pace: 90 }), atLimit: true };
    expect(hours([...equal(63, { hours: 12, pace: 30 }), killed])).toBeLessThanOrEqual(9);
  });

  test("is no longer than four times the longest process, and says what the pace would allow", () => {
    const found = answer(equal(64, { pace: 1 })) as SafeLife;
    expect(found.seconds).toBe(8 * hour);
    expect(found.atThisPace).toBeGreaterThan(500 * hour);
  });

  test("is shorter where growth speeds up in every process", () => {
    const steady = equal(20, { hours: 24 });
    // by a tenth of itself an hour
    const faster = steady.map((life) => ({ ...life, acceleration: (life.growth * 0.1) / hour }));
    expect(hours(faster)).toBeLessThan(0.6 * hours(steady));
  });

  test("is not longer where growth slows down", () => {
    const steady = equal(20, { hours: 24 });
    expect(hours(steady.map((life) => ({ ...life, acceleration: -1e-6 })))).toBe(hours(steady));
  });

  test("starts from the highest reading, since peaks meet the limit", () => {
    const steady = equal(20, { hours: 24 });
    expect(hours(steady.map((life) => ({ ...life, top: life.top * 1.5 })))).toBeLessThan(hours(steady));
  });
});

describe("it is unknown", () => {
  test.each<[string, readonly EndedLife[], number | undefined, object]>([
    ["of no process", [], limit, { kind: "fewLives", lives: 0, needed: 5 }],
    ["of one", equal(1), limit, { kind: "fewLives", lives: 1, needed: 5 }],
    ["of four", equal(4), limit, { kind: "fewLives", lives: 4, needed: 5 }],
    ["without a limit", equal(9), Number.NaN, { kind: "noLimit" }],
    ["with one that is infinite", equal(9), Number.POSITIVE_INFINITY, { kind: "noLimit" }],
    ["with none at all", equal(9), 0, { kind: "noLimit" }],
    ["where none grew", equal(9, { pace: 0 }), limit, { kind: "noGrowth" }],
    ["where all shrank", equal(9, { pace: -3 }), limit, { kind: "noGrowth" }],
    [
      "where too little was seen of each to know its growth",
      equal(9).map(({ growth, acceleration, level, ...life }) => life),
      limit,
      { kind: "fewLives", lives: 0, needed: 5 },
    ],
    [
      "where it is no number",
      equal(9).map((life) => ({ ...life, growth: Number.NaN })),
      limit,
      { kind: "fewLives", lives: 0 },
    ],
    [
      "where it came back as null",
      equal(9).map((life) => ({ ...life, growth: null as never })),
      limit,
      { kind: "fewLives" },
    ],
    ["where clocks ran backwards", equal(9).map((life) => ({ ...life, lifetime: -5 })), limit, { kind: "fewLives" }],
    [
      "where more was watched than there was",
      equal(9).map((life) => ({ ...life, watched: 1e6 })),
      limit,
      { kind: "fewLives" },
    ],
  ])("%s", (_, lives, bytes, reason) => {
    expect(answer(lives, bytes)).toMatchObject(reason);
  });

  test("is the answer of processes of which nothing is known; the others count", () => {
    const damaged = equal(5).map((life) => ({ ...life, level: Number.NaN }));
    expect(hours([...damaged, ...equal(8)])).toBe(hours(equal(8)));
  });
});

describe("some that did not grow", () => {
  test("do not shorten the answer as fast ones do", () => {
    const mixed = livesOf([...new Array<number>(15).fill(10), 0, 0, -1, 0.01, 0], { hours: 24 });
    expect(hours(mixed)).toBeGreaterThan(20);
    expect(hours(mixed)).toBeLessThanOrEqual(82.4);
  });
});

describe("whatever the processes are", () => {
  const anyLives = fc
    .array(
      fc.record({
        hours: fc.double({ min: 0.5, max: 50, noNaN: true }),
        pace: fc.double({ min: -2, max: 80, noNaN: true }),
        level: fc.double({ min: 150, max: 1500, noNaN: true }),
        speedUp: fc.double({ min: -0.2, max: 0.2, noNaN: true }),
        atLimit: fc.boolean(),
      }),
      { minLength: 5, maxLength: 64 },
    )
    .map((all) => all.map(lifeFrom))
    .filter((lives) => lives.some(({ growth }) => growth > 0.001));

  function lifeFrom({ speedUp, atLimit, ...words }: Words & { speedUp: number; atLimit: boolean }): KnownLife {
    const life = lifeOf(words);
    return { ...life, acceleration: (life.growth * speedUp) / hour, atLimit };
  }

  const seconds = (lives: readonly EndedLife[], mebibytes: number) => {
    const found = answer(lives, mebibytes * MiB);
    return "kind" in found ? Number.NaN : found.atThisPace;
  };
  const bytes = fc.double({ min: 10, max: 8000, noNaN: true });
  const tolerance = 1 + 1e-6;

  test("more headroom never makes it shorter", () => {
    fc.assert(
      fc.property(anyLives, bytes, fc.double({ min: 0, max: 4000, noNaN: true }), (lives, mebibytes, more) => {
        expect(seconds(lives, mebibytes + more) * tolerance).toBeGreaterThanOrEqual(seconds(lives, mebibytes));
      }),
    );
  });

  test("faster growth of all never makes it longer", () => {
    fc.assert(
      fc.property(anyLives, bytes, fc.double({ min: 1, max: 10, noNaN: true }), (lives, mebibytes, times) => {
        const faster = lives.map((life) => ({
          ...life,
          growth: life.growth * times,
          acceleration: life.acceleration * times,
        }));
        expect(seconds(faster, mebibytes)).toBeLessThanOrEqual(seconds(lives, mebibytes) * tolerance);
      }),
    );
  });

  test("their order does not matter, and it is a positive number", () => {
    fc.assert(
      fc.property(anyLives, bytes, (lives, mebibytes) => {
        const found = seconds(lives, mebibytes);
        expect(found).toBeGreaterThan(0);
        expect(Number.isFinite(found)).toBe(true);
        expect(seconds(lives.toReversed(), mebibytes) / found).toBeCloseTo(1, 6);
      }),
    );
  });
});
