import { describe, expect, test } from "vitest";
import { exposedSeries } from "../../exporter/backtest/exposed.ts";
import type { Member } from "../../exporter/backtest/traces.ts";
import { MiB } from "../support/fixtures.ts";

const minute = 60;
const hour = 60 * minute;
const limit = 1000 * MiB;

/** Hours at which a life begins, how long it lasts, and MiB at each hour of it. */
interface Life {
  from: number;
  hours: number;
  memory: (hours: number) => number;
}

/** A process with these lives one after another, sampled once a minute, down for two minutes between them. */
function member(lives: readonly Life[], slot = 0): Member {
  const rows = lives.flatMap(({ from, hours, memory }) =>
    Array.from({ length: hours * 60 - 2 }, (_, i) => ({
      time: from * hour + i * minute,
      resident: memory(i / 60) * MiB,
      start: from * hour,
    })),
  );
  return {
    slot,
    times: Float64Array.from(rows, ({ time }) => time),
    resident: Float64Array.from(rows, ({ resident }) => resident),
    limit: new Float64Array(rows.length).fill(limit),
    startTime: Float64Array.from(rows, ({ start }) => start),
  };
}

const level = () => 300;
const leak = (hours: number) => 300 + 50 * hours;
/** Reaches 950 MiB, which is 95 % of the limit, just before the end of the second hour. */
const toTheLimit = (hours: number) => 300 + 330 * hours;
const everyTwoHours = (memory: Life["memory"], from: readonly number[]): Life[] =>
  from.map((start, i) => ({ from: start, hours: (from[i + 1] ?? start + 2) - start, memory }));

/** Value of a counter at an hour, by its labels. */
function counterAt(
  members: readonly Member[],
  name: string,
  hours: number,
  labels: Record<string, string> = {},
): number | undefined {
  const series = exposedSeries({ id: "api", members }).get(name) ?? [];
  const one = series.find((samples) => Object.entries(labels).every(([key, value]) => samples.labels[key] === value));
  const index = Array.from(one?.times ?? []).findLastIndex((t) => t <= hours * hour);
  return one?.values[index];
}

describe("per process", () => {
  test("the gauges are those of the file, with the trace as group", () => {
    const one = member([{ from: 0, hours: 1, memory: level }], 3);
    const series = exposedSeries({ id: "api", members: [one] });
    expect(series.get("leakwatch_process_resident_memory_bytes")).toEqual([
      {
        labels: { __name__: "leakwatch_process_resident_memory_bytes", group: "api", slot: "3" },
        times: one.times,
        values: one.resident,
      },
    ]);
    expect(series.get("leakwatch_process_memory_limit_bytes")?.[0]?.values).toBe(one.limit);
    expect(series.get("leakwatch_process_start_time_seconds")?.[0]?.values).toBe(one.startTime);
  });
});

describe("the ledger", () => {
  const restarts = (lives: readonly Life[], reason: string, at: number) =>
    counterAt([member(lives)], "leakwatch_group_restarts_total", at, { reason });

  test("counts a life as ended when the next one is first seen", () => {
    const lives = everyTwoHours(level, [0, 2, 4]);
    const ended = (at: number) => counterAt([member(lives)], "leakwatch_group_lives_ended_total", at);
    expect([1.9, 1.97, 2, 3.9, 4, 5.9].map(ended)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test.each<[string, Life["memory"], number]>([
    ["level lives end level", level, 0],
    ["growing lives end growing", leak, 2],
  ])("%s", (_, memory, growing) => {
    const lives = everyTwoHours(memory, [0, 2, 4]);
    expect(counterAt([member(lives)], "leakwatch_group_lives_ended_growing_total", 5)).toBe(growing);
    expect(counterAt([member(lives)], "leakwatch_group_lives_ended_total", 5)).toBe(2);
  });

  test("an end near the limit is a suspected OOM kill, also when it comes like a clock", () => {
    const lives = everyTwoHours(toTheLimit, [0, 2, 4, 6, 8]);
    expect(restarts(lives, "suspected_oom", 9)).toBe(4);
    expect(restarts(lives, "scheduled", 9)).toBe(0);
  });

  test("an even beat is a schedule, from the third interval on", () => {
    const lives = everyTwoHours(level, [0, 2, 4, 6, 8]);
    expect([2, 4, 6, 8].map((at) => restarts(lives, "scheduled", at))).toEqual([0, 0, 1, 2]);
    expect(restarts(lives, "exit", 9)).toBe(2);
  });

  test("an uneven one is none", () => {
    const lives = everyTwoHours(level, [0, 2, 5, 6, 10]);
    expect(restarts(lives, "scheduled", 11)).toBe(0);
    expect(restarts(lives, "exit", 11)).toBe(4);
  });

  test("sums over the members of a group, at the times of all of them", () => {
    const members = [
      member(everyTwoHours(level, [0, 2, 4]), 0),
      member(everyTwoHours(level, [0, 3]), 1),
      member([{ from: 5, hours: 3, memory: level }], 2),
    ];
    const ended = (at: number) => counterAt(members, "leakwatch_group_lives_ended_total", at);
    expect([1, 2, 3, 4, 7].map(ended)).toEqual([0, 1, 2, 3, 3]);
  });

  test("is known from the first sample, at 0", () => {
    const one = [member([{ from: 0, hours: 1, memory: level }])];
    for (const reason of ["suspected_oom", "scheduled", "exit"]) {
      expect(counterAt(one, "leakwatch_group_restarts_total", 0, { reason })).toBe(0);
    }
  });
});
