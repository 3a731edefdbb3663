import { expect, test } from "vitest";
import { RecentHigh } from "../../exporter/memory/recent-high.ts";

/** After these readings, one every so many seconds. */
function after(step: number, ...readings: readonly number[]): number {
  const high = new RecentHigh();
  for (const [i, bytes] of readings.entries()) high.add(i * step, bytes);
  return high.bytes;
}

test("is unknown before the first reading, and a reading that is not known changes nothing", () => {
  expect(after(1)).toBe(Number.NaN);
  expect(after(1, Number.NaN)).toBe(Number.NaN);
  expect(after(1, 5, Number.NaN)).toBe(5);
});

test("is the highest of the last ten seconds", () => {
  expect(after(1, 1, 9, 2)).toBe(9);
  expect(after(2, 1, 2, 9, 3, 3, 3, 3)).toBe(9);
});

test("forgets what is longer ago than twenty seconds", () => {
  expect(after(2, 9, ...new Array<number>(12).fill(3))).toBe(3);
});

test("is the higher of the last two readings, however far apart they are", () => {
  expect(after(60, 9, 5, 4)).toBe(5);
  expect(after(60, 9, 4, 5)).toBe(5);
});
