import { serialize } from "node:v8";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LifeHistory } from "../../exporter/memory/life-history.ts";

const hour = 3600;
const day = 24 * hour;

/** A life that is sampled every so many seconds; bytes are a function of its age. */
function life(seconds: number, bytes: (age: number) => number, every = 5, start = 0): LifeHistory {
  const history = new LifeHistory();
  for (let age = 0; age <= seconds; age += every) history.add(start + age, bytes(age));
  return history;
}

describe("LifeHistory", () => {
  test("knows nothing before its second sample", () => {
    const history = new LifeHistory();
    expect(history.spanSeconds).toBe(0);
    expect(history.floorsOfParts(3)).toEqual([undefined, undefined, undefined]);
    history.add(1000, 5);
    expect(history.spanSeconds).toBe(0);
    expect(history.floorsOfParts(3)).toEqual([undefined, undefined, undefined]);
  });

  test("tells the floor of each part of a life", () => {
    // grows by a byte a second, so each part's floor is the age at its beginning
    const history = life(1200, (age) => age, 1);
    expect(history.spanSeconds).toBe(1200);
    expect(history.floorsOfParts(12)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100]);
    expect(history.floorsOfParts(2)).toEqual([0, 600]);
  });

  test("gives a stretch that lies on a border to the part that holds its middle", () => {
    // stretches of 10 s, parts of 33.3 s: the one from 30 to 40 belongs to the second part, that from 60 to 70 too
    expect(life(100, (age) => age, 1).floorsOfParts(3)).toEqual([0, 30, 70]);
  });

  test("counts from the first sample, whatever the clock says", () => {
    const history = life(1200, (age) => age, 1, 987_654_321);
    expect(history.spanSeconds).toBe(1200);
    expect(history.floorsOfParts(4)).toEqual([0, 300, 600, 900]);
  });

  test("doubles its stretches when a life outgrows them", () => {
    // 128 floors of 10 s hold 1280 s; the second life needs 20 s, the third 40 s
    for (const seconds of [1200, 2400, 4800]) {
      const floors = life(seconds, (age) => age, 1).floorsOfParts(12);
      expect(floors).toEqual(Array.from({ length: 12 }, (_, part) => (part * seconds) / 12));
    }
  });

  test("keeps the floor under garbage collection and spikes", () => {
    const saw = (age: number) => 100 + (age % 60) + (age % 977 === 0 ? 5000 : 0);
    expect(new Set(life(2 * hour, saw).floorsOfParts(12))).toEqual(new Set([100]));
  });

  test("keeps one life of three days in the space of one of an hour", () => {
    const [short, long] = [life(hour, (age) => 1e6 + age), life(3 * day, (age) => 1e6 + age)];
    expect(long.spanSeconds).toBe(3 * day);
    expect(serialize({ ...long }).byteLength).toBeLessThan(2048);
    expect(serialize({ ...long }).byteLength - serialize({ ...short }).byteLength).toBeLessThan(64);
    // stretches are 40 min by now: each floor is that of its 6 h, or of a stretch that reaches into them
    long.floorsOfParts(12).forEach((floor, part) => {
      expect(Math.abs((floor ?? 0) - 1e6 - part * 6 * hour)).toBeLessThanOrEqual(2560);
    });
  });

  test("leaves parts without samples undefined", () => {
    const history = new LifeHistory();
    for (const age of [0, 10, 20, 1100, 1200]) history.add(age, 7);
    expect(history.floorsOfParts(4)).toEqual([7, undefined, undefined, 7]);
  });

  test("survives a gap of weeks between two samples", () => {
    const history = new LifeHistory();
    history.add(0, 5);
    history.add(30 * day, 9);
    expect(history.spanSeconds).toBe(30 * day);
    expect(history.floorsOfParts(3)).toEqual([5, undefined, 9]);
  });

  test("leaves out what is no number, and what comes from before the first sample", () => {
    const history = life(1200, () => 100);
    history.add(1300, Number.NaN);
    history.add(-5, 1);
    expect(history.spanSeconds).toBe(1200);
    expect(new Set(history.floorsOfParts(6))).toEqual(new Set([100]));
  });

  test("takes samples that arrive late", () => {
    const history = life(1200, () => 100);
    history.add(310, 40);
    expect(history.floorsOfParts(4)).toEqual([100, 40, 100, 100]);
    expect(history.spanSeconds).toBe(1200);
  });
});

describe("LifeHistory for any samples", () => {
  const sample = fc.tuple(fc.nat({ max: 100_000 }), fc.nat({ max: 1e12 }));
  const count = fc.integer({ min: 1, max: 24 });

  test("the least of its floors is the least of the samples, and every floor is a sample", () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 300 }), count, (steps, parts) => {
        const history = new LifeHistory();
        let seconds = 0;
        for (const [step, bytes] of steps) {
          seconds += step + 1;
          history.add(seconds, bytes);
        }
        const floors = history.floorsOfParts(parts).filter((floor) => floor !== undefined);
        const bytes = steps.map(([, one]) => Math.fround(one)); // kept in single precision
        expect(Math.min(...floors)).toBe(Math.min(...bytes));
        expect(bytes).toEqual(expect.arrayContaining(floors));
      }),
    );
  });

  test("the floors of memory that never shrinks never shrink", () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 300 }), count, (steps, parts) => {
        const history = new LifeHistory();
        let [seconds, bytes] = [0, 0];
        for (const [step, growth] of steps) {
          seconds += step + 1;
          bytes += growth;
          history.add(seconds, bytes);
        }
        const floors = history.floorsOfParts(parts).filter((floor) => floor !== undefined);
        expect(floors).toEqual([...floors].sort((left, right) => left - right));
      }),
    );
  });
});
