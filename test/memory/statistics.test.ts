import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { median, theilSenSlope } from "../../exporter/memory/statistics.ts";

const number = fc.integer({ min: -1e6, max: 1e6 });

describe("median", () => {
  test.each([
    ["one value", [7], 7],
    ["an odd count", [9, 1, 5], 5],
    ["an even count", [1, 10, 4, 2], 3],
    ["numbers that would sort differently as texts", [9, 10, 100], 10],
    ["repeated values", [2, 2, 2, 9], 2],
    ["one odd sample among many", [5, 5, 5, 5, 1e12], 5],
  ])("of %s", (_, values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test("of nothing is not a number", () => {
    expect(median([])).toBeNaN();
  });

  test("leaves as many values below it as above", () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1 }), (values) => {
        const middle = median(values);
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  test("does not change the order of what it was given", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("theilSenSlope", () => {
  const points = (...ys: number[]) => ys.map((y, x) => ({ x, y }));

  test.each([
    ["a line that rises", points(1, 4, 7, 10), 3],
    ["a line that falls", points(9, 7, 5), -2],
    ["a level", points(5, 5, 5), 0],
    ["two points", points(0, 8), 8],
    ["a line with one spike", points(0, 1, 2, 900, 4, 5, 6), 1],
    ["a line with one hole", points(10, 11, 12, -900, 14, 15, 16), 1],
    [
      "points with a gap between them",
      [
        { x: 0, y: 0 },
        { x: 1, y: 2 },
        { x: 9, y: 18 },
      ],
      2,
    ],
  ])("of %s", (_, line, slope) => {
    expect(theilSenSlope(line)).toBe(slope);
  });

  test.each([
    ["no point", []],
    ["one point", points(5)],
  ])("of %s is not a number", (_, line) => {
    expect(theilSenSlope(line)).toBeNaN();
  });

  test("is that of the line while fewer than a quarter of the points are anywhere else", () => {
    const outliers = fc.dictionary(fc.constantFrom("0", "5", "10", "15", "19"), number, { maxKeys: 4 });
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), outliers, (slope, odd) => {
        const line = Array.from({ length: 20 }, (_, x) => ({ x, y: odd[String(x)] ?? slope * x }));
        expect(theilSenSlope(line)).toBe(slope);
      }),
    );
  });
});
