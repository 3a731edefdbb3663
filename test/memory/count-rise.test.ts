import { describe, expect, test } from "vitest";
import { CountRise } from "../../exporter/memory/count-rise.ts";

const minute = 60;
const hour = 60 * minute;

/** A reading a minute. */
function rise(counts: (minute: number) => number, hours: number, startTime: (time: number) => number = () => 0) {
  const count = new CountRise();
  for (let time = 0; time <= hours * hour; time += minute) count.add(time, counts(time / minute), startTime(time));
  return count.rise;
}

describe("what three hours have gained", () => {
  test("is exact where it grows evenly", () => {
    expect(rise((minutes) => 100 + Math.floor(minutes / 3), 5)).toBe(60);
  });

  test.each<[string, (minutes: number) => number]>([
    ["level", () => 100],
    ["falling", (minutes) => 1000 - minutes],
    ["opened and closed again within minutes", (minutes) => (minutes % 10 === 0 ? 100 : 400)],
    ["one more in three hours", (minutes) => 100 + Math.floor(minutes / 180)],
  ])("is not there for what is %s", (_, counts) => {
    expect(rise(counts, 8)).toBe(Number.NaN);
  });

  test("is not there before three hours have been seen", () => {
    expect(rise((minutes) => 100 + minutes, 3)).toBe(Number.NaN);
    expect(rise((minutes) => 100 + minutes, 3.4)).toBe(180);
  });

  test("is gone at once when the count falls", () => {
    expect(rise((minutes) => (minutes < 299 ? 100 + minutes : 50), 5)).toBe(Number.NaN);
  });

  test("does not look across a restart", () => {
    const restarts = (time: number) => (time < 2 * hour ? 0 : 2 * hour);
    expect(rise((minutes) => 100 + minutes, 5, restarts)).toBe(Number.NaN);
    expect(rise((minutes) => 100 + minutes, 5.4, restarts)).toBe(180);
  });

  test("goes on where readings are missing", () => {
    expect(rise((minutes) => (minutes > 100 && minutes < 130 ? Number.NaN : 100 + minutes), 6)).toBe(180);
  });
});
