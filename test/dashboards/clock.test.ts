import { describe, expect, test } from "vitest";
import { Clock, life, timeText } from "../../dashboards/clock.ts";
import { rules } from "../../detection/rules.ts";

describe("a span of life", () => {
  test.each(["7d", "24h", "1w", "90s"] as const)("of %s is what it says on the clock of life", (span) => {
    expect(life.time(span)).toBe(span);
  });

  test.each([
    [60, "7d", "168m"],
    [60, "23h", "23m"],
    [60, "10m", "10s"],
    [60, "1m", "1s"],
    [240, "7d", "42m"],
    [240, "6h", "90s"],
    [240, "10m", "3s"], // two and a half
    [240, "1m", "1s"], // a quarter: the demo is not scraped more often
  ] as const)("on a clock %i times faster, %s take %s", (speed, span, expected) => {
    expect(new Clock(speed).time(span)).toBe(expected);
  });

  test("is no shorter than what is asked for at least", () => {
    expect(new Clock(60).time("1m", 5)).toBe("5s");
    expect(new Clock(60).time("10m", 5)).toBe("10s");
  });

  test("has the same seconds in numbers as in words", () => {
    for (const clock of [new Clock(60), new Clock(240)]) {
      expect(timeText(clock.seconds("10m"))).toBe(clock.time("10m"));
    }
    expect(life.seconds("1h")).toBe(3600);
  });
});

test("the demo's rules are compared with the demo's times, its scrapes are those of the demo", () => {
  const { scrapeInterval, sampleInterval, rules: fast } = new Clock(60);
  expect([scrapeInterval, sampleInterval]).toEqual([1, 1]);
  expect(fast.evaluation.slow).toBe(rules.evaluation.slow / 60);
  expect([life.scrapeInterval, life.sampleInterval]).toEqual([15, 5]);
});
