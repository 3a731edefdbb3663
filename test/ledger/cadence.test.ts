import { describe, expect, test } from "vitest";
import { isSteadyCadence, steadyInterval } from "../../exporter/ledger/cadence.ts";

/** Start times, from the distances between them. */
function startsAfter(...intervals: number[]): number[] {
  const starts = [1_795_213_000];
  for (const interval of intervals) starts.push((starts.at(-1) as number) + interval);
  return starts;
}

describe("isSteadyCadence", () => {
  test.each<[string, number[], boolean]>([
    ["three equal intervals", [300, 300, 300], true],
    ["only two intervals", [300, 300], false],
    ["a first start", [], false],
    ["a timer that is 2 s late", [300, 302, 300], true],
    ["a crash that comes 10 s late", [300, 310, 300], false],
    ["a daily restart within 2 %", [86_400, 86_400 + 1700, 86_400], true],
    ["a daily restart beyond 2 %", [86_400, 86_400 + 1800, 86_400], false],
    ["a crash loop with a steady back-off, too fast for a timer", [59, 59, 59], false],
    ["the fastest timer", [60, 60, 60], true],
    ["a back-off that doubles", [80, 160, 320], false],
    ["crashes long ago, a timer since", [17, 3, 4711, 300, 300, 300], true],
    ["a timer long ago, crashes since", [300, 300, 300, 17], false],
    ["starts in no order, after the time of day jumped", [300, -3300, 300], false],
  ])("%s", (_, intervals, steady) => {
    expect(isSteadyCadence(startsAfter(...intervals))).toBe(steady);
  });

  test("has the median of the intervals as its own, and none where it is not steady", () => {
    expect(steadyInterval(startsAfter(17, 7200, 7201, 7199))).toBe(7200);
    expect(steadyInterval(startsAfter(7200, 17, 7200))).toBeUndefined();
  });

  test("with the numbers of a time-compressed demo", () => {
    const thresholds = {
      intervals: 2,
      tolerance: 0.02,
      toleranceSeconds: 0.5,
      minimumSeconds: 10,
    };
    expect(isSteadyCadence(startsAfter(12, 12), thresholds)).toBe(true);
    expect(isSteadyCadence(startsAfter(12, 14), thresholds)).toBe(false);
  });
});
