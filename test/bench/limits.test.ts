import { describe, expect, test } from "vitest";
import { judge } from "./limits.ts";
import { median, quantile, seriesValue } from "./measure.ts";
import { show, table } from "./table.ts";

describe("judge", () => {
  // must 5 ms, aim 2 ms
  test.each([
    ["reaches the aim", 2, 0, "ok, aim reached"],
    ["is at the limit", 5, 0, "ok"],
    ["is over the limit", 5.1, 0, "FAIL"],
    ["is over the limit by what the machine may have added", 5 + 1.5 * 3, 3, "noise"],
    ["is over the limit by more than the machine can have added", 9.6, 3, "FAIL"],
    ["could not be measured", Number.NaN, 3, "FAIL"],
  ])("a value that %s", (_, value, noise, verdict) => {
    expect(judge({ limit: "block", how: "", value, noise })).toBe(verdict);
  });

  test("a limit without an aim has no aim to reach", () => {
    expect(judge({ limit: "memory", how: "", value: 0 })).toBe("ok");
  });
});

describe("quantile", () => {
  test("lies between the two values that enclose it", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([10, 20, 30], 0.75)).toBe(25);
  });
  test("of nothing is not a number", () => {
    expect(median([])).toBeNaN();
  });
});

test("a series is found by its whole name", () => {
  const text = "# TYPE passes_total counter\npasses_total_by_kind 7\npasses_total 12\n";
  expect(seriesValue(text, "passes_total")).toBe(12);
  expect(seriesValue(text, "passes")).toBeNaN();
});

test("numbers have three digits, and columns line up on the right", () => {
  expect([0.03926, 1.6449, 22.06, 518.1, Number.NaN].map(show)).toEqual(["0.0393", "1.64", "22.1", "518", "–"]);
  expect(table([["what", "x"], ["ours", "12"]])).toBe("  what   x\n  ours  12"); // biome-ignore format: a table
});
