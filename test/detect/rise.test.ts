import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { least, shortRun } from "../../detection/short-run.ts";
import { riseOf, riseOfLows } from "../../exporter/detect/rise.ts";

const seconds = 160;

/** A sample every second. */
const series = (value: (second: number) => number) => {
  const times = Array.from({ length: seconds }, (_, i) => i);
  return { times, values: times.map(value) };
};

const isSteady = (value: (second: number) => number) => riseOf(series(value), 0, seconds, least.memory)?.isSteady;

describe("a rise", () => {
  test.each<[string, (second: number) => number]>([
    ["of 1 MiB a minute", (s) => 20 * MiB + (s / 60) * MiB],
    ["under garbage of 10 MiB that is collected every few seconds", (s) => (20 + s / 60 + 10 * ((s % 7) / 7)) * MiB],
    ["in small chunks", (s) => (20 + Math.floor(s / 10)) * MiB],
  ])("%s is steady", (_, value) => expect(isSteady(value)).toBe(true));

  test.each<[string, (second: number) => number]>([
    ["that is none", () => 20 * MiB],
    ["that stops after two thirds", (s) => (20 + Math.min(s, 100) / 10) * MiB],
    ["that slows down as a warm-up does", (s) => (20 + 30 * (1 - Math.exp(-s / 40))) * MiB],
    ["in one step", (s) => (s < 80 ? 20 : 60) * MiB],
    ["of 1 % of the level", (s) => (500 + (5 * s) / seconds) * MiB],
    ["of some KiB", (s) => 20 * MiB + 2000 * s],
    ["that falls once", (s) => (20 + (s % 100) / 10) * MiB],
  ])("%s is not steady", (_, value) => expect(isSteady(value)).toBe(false));

  test("has its steps from minimum to minimum, and its pace", () => {
    const rise = riseOf(
      series((s) => (20 + s) * MiB),
      0,
      seconds,
      least.memory,
    );
    expect(rise?.steps).toEqual(Array(4).fill(32 * MiB));
    expect(rise?.pace).toBe(MiB);
    expect(rise).toMatchObject({ from: 20 * MiB, to: 148 * MiB, lastPace: MiB });
  });

  test("is not known where a part of the time was hardly sampled", () => {
    const { times, values } = series(() => MiB);
    const holed = { times: times.filter((s) => s < 32 || s > 62), values };
    expect(riseOf(holed, 0, seconds, least.memory)).toBeUndefined();
    const unreadable = series((s) => (s < 40 ? Number.NaN : MiB));
    expect(riseOf(unreadable, 0, seconds, least.memory)).toBeUndefined();
  });
});

describe("the bound", () => {
  const low = fc.integer({ min: 10, max: 200 }).map((mib) => mib * MiB);
  const lows = fc.array(low, { minLength: shortRun.parts, maxLength: shortRun.parts });
  const length = 32;
  /** The share of the level moves with what is added, by a few percent. */
  const withLeak = (seen: number[], pace: number) => seen.map((bytes, i) => bytes + i * (1.05 * pace + 1) * length);

  // whatever was seen: had a leak of this pace been added, it would have been found
  test("of a steady rise holds for any unevenness", () => {
    fc.assert(
      fc.property(lows, (seen) => {
        const { steadyFrom } = riseOfLows(seen, length, least.memory);
        expect(riseOfLows(withLeak(seen, steadyFrom), length, least.memory).isSteady).toBe(true);
      }),
    );
  });

  test("of a rise at the end holds for any unevenness", () => {
    fc.assert(
      fc.property(lows, (seen) => {
        const { risingFrom } = riseOfLows(seen, length, least.memory);
        expect(riseOfLows(withLeak(seen, risingFrom), length, least.memory).lastPace).toBeDefined();
      }),
    );
  });

  test("of a level is what is worth mentioning", () => {
    const { steadyFrom, risingFrom } = riseOfLows(Array(5).fill(10 * MiB), length, least.live);
    expect(steadyFrom * length * 4).toBeCloseTo(least.live.total, -1);
    expect(risingFrom).toBe(steadyFrom);
  });

  test("after a warm-up is that of the level, for what rises then is observed further", () => {
    const { steadyFrom, risingFrom } = riseOfLows(
      [10, 40, 40, 40, 40].map((mib) => mib * MiB),
      length,
      least.live,
    );
    expect(risingFrom).toBeLessThan(steadyFrom / 20);
  });
});
