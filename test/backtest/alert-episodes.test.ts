// What a judge says, minute by minute, as alerts with a start and an end.

import { describe, expect, test } from "vitest";
import { rules } from "../../detection/rules.ts";
import { AlertEpisodes } from "../../exporter/backtest/alert-episodes.ts";
import type { SeverityNumber } from "../../exporter/backtest/judged.ts";

const minute = 60;
const keep = rules.keepFiring.leak;

/** `said` is word and severity from a minute on, until the next. */
function episodes(
  said: readonly [minute: number, word: string, severity: SeverityNumber][],
  end: number,
  slot: string | null = "0",
) {
  const alerts = new AlertEpisodes(rules);
  for (let m = 0; m <= end; m++) {
    const [, word, severity] = said.findLast(([from]) => from <= m) ?? [0, "stable", 0];
    alerts.add(slot, { word, severity } as { word: string; severity: SeverityNumber }, m * minute);
  }
  return alerts
    .end(end * minute)
    .map((one) => [
      one.alert.replace("Leakwatch", ""),
      one.severity,
      one.start / minute,
      one.end === null ? null : one.end / minute,
    ]);
}

describe("a leak", () => {
  test("alerts from its claim on, and as long after it as alerts go on", () => {
    expect(
      episodes(
        [
          [5, "leaking", 2],
          [10, "stable", 0],
        ],
        600,
      ),
    ).toEqual([["MemoryLeak", "warning", 5, 9 + keep / minute]]);
  });

  test("that is claimed again meanwhile is one alert", () => {
    expect(
      episodes(
        [
          [5, "leaking", 2],
          [10, "stable", 0],
          [20, "leaking", 2],
        ],
        30,
      ),
    ).toEqual([["MemoryLeak", "warning", 5, null]]);
  });

  test("that is claimed again later is two", () => {
    const again = 10 + keep / minute + 5;
    expect(
      episodes(
        [
          [5, "leaking", 2],
          [10, "stable", 0],
          [again, "leaking", 2],
        ],
        again + 5,
      ),
    ).toEqual([
      ["MemoryLeak", "warning", 5, 9 + keep / minute],
      ["MemoryLeak", "warning", again, null],
    ]);
  });

  test("becomes critical at once, and milder only after a while", () => {
    const milder = 30 + keep / minute;
    expect(
      episodes(
        [
          [5, "leaking", 2],
          [20, "leaking", 4],
          [30, "leaking", 2],
        ],
        milder + 10,
      ),
    ).toEqual([
      ["MemoryLeak", "warning", 5, 20],
      ["MemoryLeak", "critical", 20, milder],
      ["MemoryLeak", "warning", milder, null],
    ]);
  });

  test("of low severity is information, and another word nothing", () => {
    expect(episodes([[5, "leaking", 1]], 30)).toEqual([["MemoryLeak", "info", 5, null]]);
    expect(episodes([[10, "growing", 4]], 30)).toEqual([]);
  });

  test("of one process is no alert of its service too", () => {
    expect(episodes([[5, "leaking", 4]], 30, null)).toEqual([]);
  });
});

test("a service's words are alerts of the service, none graver than such an alert can be", () => {
  expect(episodes([[5, "masked_leak", 4]], 10, null)).toEqual([["MemoryLeakMasked", "warning", 5, null]]);
  expect(episodes([[5, "restart_loop", 2]], 10, null)).toEqual([["RestartLoop", "warning", 5, null]]);
});
