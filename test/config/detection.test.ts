import { describe, expect, test } from "vitest";
import { judgeSettings } from "../../detection/judge.ts";
import { decodeConfig } from "../../exporter/config/config.ts";
import { withDetection } from "../../exporter/config/detection.ts";

const decoded = (detection: unknown) => decodeConfig({ detection }, []).detection;

const complaint = (detection: unknown): string => {
  try {
    decoded(detection);
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("thresholds of the judge", () => {
  test("are those that are shipped where the file says nothing", () => {
    expect(withDetection(judgeSettings, decoded({}))).toEqual(judgeSettings);
  });

  test("are those of docs/configuration.md where it is copied", () => {
    const shown = {
      critical_within: "2h",
      high_within: "1d",
      medium_within: "7d",
      confirm: "3m",
      keep: "1h",
      points: 3.5,
      notable_growth: 0.03,
      near_limit: 0.9,
    };
    expect(withDetection(judgeSettings, decoded(shown))).toEqual(judgeSettings);
  });

  test("change one by one, and the others stay", () => {
    const changed = withDetection(judgeSettings, decoded({ confirm: "10m", points: 5 }));
    expect(changed.windowRules.map((rule) => rule.for)).toEqual([600, 600, 600]);
    expect(changed.card.threshold).toBe(5);
    expect({ ...changed, windowRules: judgeSettings.windowRules, card: judgeSettings.card }).toEqual(judgeSettings);
  });
});

describe("is rejected", () => {
  test.each<[string, object, string]>([
    [
      "a worse severity that is further away",
      { critical_within: "2d" },
      'critical_within to be at most high_within, got "48h and 24h"',
    ],
    [
      "a middle one beyond the least",
      { high_within: "10d" },
      'high_within to be at most medium_within, got "240h and 168h"',
    ],
    ["a share above the whole", { near_limit: 1.1 }, "a number from 0.5 to 1, got 1.1"],
    ["a share as a text", { notable_growth: "3%" }, 'a number from 0.001 to 1, got "3%"'],
    ["no number", { points: Number.NaN }, "a number from 0 to 20"],
    ["a time without a unit", { confirm: 3 }, "a duration such as 5s or 1m30s, got 3"],
    ["a time that is too long", { confirm: "2h" }, "a duration from 0m to 60m"],
    ["a threshold that does not exist", { criticalWithin: "2h" }, "criticalWithin"],
  ])("%s", (_, detection, message) => {
    expect(complaint(detection)).toContain(message);
  });
});
