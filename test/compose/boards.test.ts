import { describe, expect, test } from "vitest";
import { faster } from "../../compose/boards.ts";

describe("the clock of a query, 60 times faster", () => {
  test.each([
    ["a window", "max_over_time(a[1d])", "max_over_time(a[24m])"],
    ["a window and its step", "sum_over_time(a[7d:1h])", "sum_over_time(a[2h48m:1m])"],
    ["an offset", "a offset 1w", "a offset 2h48m"],
    ["a range", "now-90m", "now-1m30s"],
    ["less than a second", "rate(a[5s])", "rate(a[1s])"],
    ["seconds of an age", "time() - x >= 600 < 1200", "time() - x >= 10 < 20"],
    ["seconds that are left", "max(x < 2700)", "max(x < 45)"],
  ])("%s", (_, real, demo) => {
    expect(faster(real, 60)).toBe(demo);
  });

  test.each([
    ["names of series", "slot:leakwatch_memory_floor_bytes:min10m"],
    ["words in quotes", 'label_replace(a, "window", "15m", "", "")'],
    ["Grafana's own intervals", "rate(a[$__rate_interval])"],
    ["numbers", "a * 3600 > 1e12"],
  ])("leaves %s as they are", (_, text) => {
    expect(faster(text, 60)).toBe(text);
  });
});
