import { describe, expect, test } from "vitest";
import { detection } from "../../catalog/detection.ts";
import { leastGrowth, passInterval, runFor, speedFor, wholeRun, windowsAt } from "../../exporter/detect/windows.ts";
import { MiB } from "../support/fixtures.ts";

const minute = 60;
const hour = 60 * minute;

describe("windows for a run", () => {
  test("of any length hold the longest that a leak without a limit needs", () => {
    for (const seconds of [10, 10 * minute, 24 * hour]) {
      expect(wholeRun(windowsAt(speedFor(seconds)))).toBeCloseTo(seconds, 6);
      expect(runFor(speedFor(seconds))).toBeCloseTo(seconds, 6);
    }
  });

  test("take longer than every window for urgent and for steady leaks, with the floors before it", () => {
    const { urgent, steady, floorAge, horizons } = detection;
    const longest = Math.max(...steady.lookedAt) + horizons["6h"].seconds + steady.for;
    expect(wholeRun(detection)).toBeGreaterThan(longest + floorAge.hour);
    expect(longest).toBeGreaterThan(urgent.twelveHours.over + urgent.twelveHours.for);
  });

  test("see slower growth the longer they are, in proportion", () => {
    const least = (seconds: number) => leastGrowth(windowsAt(speedFor(seconds)), 100 * MiB);
    expect(least(10 * minute) / least(hour)).toBeCloseTo(6, 6);
  });

  test.each([
    [10, 0.05],
    [24 * hour, 5],
  ])("of %d s have passes every %d s", (seconds, interval) => {
    expect(passInterval(windowsAt(speedFor(seconds)))).toBe(interval);
  });
});
