// What is served to Prometheus of a slot's last while, and what must not be.

import { describe, expect, test } from "vitest";
import { SlotMemory } from "../../exporter/memory/slot-memory.ts";
import { MiB } from "../support/fixtures.ts";

const minute = 60;
const hour = 60 * minute;
const limit = 1000 * MiB;

interface Process {
  /** Seconds. */
  startTime?: number;
  from?: number;
  to: number;
  /** MiB at a time. */
  memory: (time: number) => number;
  highest?: number;
}

/** A reading every 20 seconds, both ends included. */
function watch(
  memory: SlotMemory,
  { startTime = 0, from = startTime, to, memory: curve, highest }: Process,
): SlotMemory {
  for (let time = from; time <= to; time += 20) {
    const sample = { resident: curve(time) * MiB, startTime, limit };
    memory.add(time, highest === undefined ? sample : { ...sample, highest: highest * MiB });
  }
  return memory;
}

const level = () => 300;
/** 1 MiB a minute. */
const leak = (time: number) => 300 + time / minute;
const fresh = () => new SlotMemory({});
const inMiB = (bytes: number) => bytes / MiB;

describe("the floor", () => {
  test.each([
    ["not in the first ten minutes", 10 * minute - 20, Number.NaN],
    ["then that of them", 10 * minute, 301],
    ["then that of the last ten", 30 * minute, 321],
  ])("%s", (_, to, floor) => {
    expect(inMiB(watch(fresh(), { to, memory: leak }).floor)).toBe(floor);
  });

  test("is what is below the spikes, at once", () => {
    const spiky = (time: number) => (time % (5 * minute) === 40 ? 300 : 800);
    expect(inMiB(watch(fresh(), { to: hour, memory: spiky }).floor)).toBe(300);
    const fallen = (time: number) => (time === hour ? 100 : 300);
    expect(inMiB(watch(fresh(), { to: hour, memory: fallen }).floor)).toBe(100);
  });

  test("of an hour comes with the first hour after the first ten minutes", () => {
    const hourFloor = (to: number) => inMiB(watch(fresh(), { to, memory: leak }).hourFloor);
    expect(hourFloor(70 * minute - 20)).toBe(Number.NaN);
    expect(hourFloor(3 * hour)).toBe(300 + 180 - 69);
  });
});

describe("the peak", () => {
  test.each([
    ["of a young process is that of ten minutes", 20 * minute, 309],
    ["then that of half an hour", 3 * hour, 300],
  ])("%s", (_, to, peak) => {
    const once = (time: number) => (time === to - 9 * minute ? peak : time < to - 40 * minute ? 900 : 300);
    expect(inMiB(watch(fresh(), { to, memory: once }).peak)).toBe(peak);
  });

  test("leaves headroom; an old process has that of its worst day", () => {
    const spike = (time: number) => (time === 20 * hour ? 900 : 300);
    expect(inMiB(watch(fresh(), { to: 29 * hour, memory: spike }).headroom)).toBe(700);
    expect(inMiB(watch(fresh(), { to: 31 * hour, memory: spike }).headroom)).toBe(100);
    expect(inMiB(watch(fresh(), { to: 45 * hour, memory: spike }).headroom)).toBe(700);
  });
});

describe("a new high", () => {
  const [forty, two] = [0, 1];

  test("is how far the floor stands above the peak before the window", () => {
    const memory = watch(fresh(), { to: 4 * hour, memory: leak });
    // the floor is ten minutes old, and the peak before the window may be some minutes younger than it
    expect(inMiB(memory.newHigh(forty))).toBeGreaterThan(25);
    expect(inMiB(memory.newHigh(forty))).toBeLessThanOrEqual(31);
    expect(inMiB(memory.newHigh(two))).toBeGreaterThan(105);
    expect(inMiB(memory.newHigh(two))).toBeLessThanOrEqual(111);
  });

  test("is none where the day before was as high, in another process too", () => {
    const memory = watch(fresh(), { to: 2 * hour, memory: (time) => (time < hour ? 600 : 300) });
    expect(memory.newHigh(forty)).toBe(Number.NaN);
    watch(memory, { startTime: 2 * hour, to: 4 * hour, memory: (time) => leak(time - 2 * hour) });
    expect(memory.newHigh(forty)).toBe(Number.NaN);
  });
});

describe("after a restart of the process", () => {
  const memory = () => watch(fresh(), { to: 3 * hour, memory: () => 800 });

  test("nothing of the life before is served", () => {
    const young = watch(memory(), { startTime: 3 * hour, to: 3 * hour + 9 * minute, memory: level });
    expect([young.floor, young.hourFloor, young.peak, young.headroom]).toEqual(Array(4).fill(Number.NaN));
    const older = watch(memory(), { startTime: 3 * hour, to: 3 * hour + 15 * minute, memory: level });
    expect([older.floor, older.peak].map(inMiB)).toEqual([300, 300]);
  });

  test("its start time is there until it is no longer young", () => {
    const at = (hours: number) => watch(fresh(), { startTime: 60, to: hours * hour, memory: level }).youngStart;
    expect(at(49)).toBe(60);
    expect(at(50)).toBe(Number.NaN);
  });
});

describe("after a restart of the exporter", () => {
  const from = 50 * hour;
  const seen = (minutes: number, highest?: number) =>
    watch(fresh(), {
      from,
      to: from + minutes * minute,
      memory: level,
      ...(highest === undefined ? {} : { highest }),
    });

  test("an old process has no floor before some minutes of it were seen", () => {
    expect(seen(2).floor).toBe(Number.NaN);
    expect([seen(3).floor, seen(3).hourFloor].map(inMiB)).toEqual([300, 300]);
  });

  test("what it ever reached counts for the day that was not seen", () => {
    expect(inMiB(seen(10, 900).headroom)).toBe(100);
    expect(seen(10, 900).newHigh(0)).toBe(Number.NaN);
    expect(inMiB(seen(24 * 60, 900).headroom)).toBe(700);
    expect(inMiB(seen(10).headroom)).toBe(700);
  });
});
