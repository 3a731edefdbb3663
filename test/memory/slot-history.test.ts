import { describe, expect, test } from "vitest";
import { GiB, KiB, MiB } from "../../catalog/defaults.ts";
import { levelAges, scales } from "../../detection/windows.ts";
import { SlotHistory } from "../../exporter/memory/slot-history.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Samples every 10 s of a life that began at `startTime`: bytes by its age in seconds. */
function live(
  history: SlotHistory,
  {
    startTime = 0,
    from = 0,
    to,
    every = 10,
    bytes,
  }: { startTime?: number; from?: number; to: number; every?: number; bytes: (age: number) => number },
): SlotHistory {
  for (let age = from; age <= to; age += every) history.add({ time: startTime + age, bytes: bytes(age), startTime });
  return history;
}

/** The level that is kept of an age, in MiB. */
const levelAt = ({ levels }: SlotHistory, age: number) => (levels[levelAges.indexOf(age)] as number) / KiB;

describe("a life", () => {
  test("is kept by 10 seconds, by minutes and by half hours", () => {
    const history = live(new SlotHistory(), { to: hour, bytes: (age) => 100 * MiB + age * KiB });
    expect(history.fine.low(6)).toBe(100 * KiB + 60);
    expect(history.minutes.low(1)).toBe(100 * KiB + 60);
    expect(history.minutes.high(1)).toBe(100 * KiB + 110);
    expect(history.halfHours.low(1)).toBe(100 * KiB + hour / 2);
    expect([history.age, history.value]).toEqual([hour, 100 * KiB + hour]);
  });

  test("takes no more room however long it goes on", () => {
    const history = live(new SlotHistory(), { to: 30 * day, every: 300, bytes: () => 100 * MiB });
    const { fine, minutes, halfHours } = history;
    for (const [name, scale] of Object.entries({ fine, minutes, halfHours }) as [keyof typeof scales, typeof fine][])
      expect(scale.newest - scale.first + 1, name).toBeLessThanOrEqual(scales[name].kept);
    const bytes = Object.values(scales).reduce((sum, { kept }) => sum + 2 * kept * Float32Array.BYTES_PER_ELEMENT, 0);
    expect(bytes).toBeLessThanOrEqual(12 * KiB);
  });

  test("is noted by the lowest level around each age", () => {
    const history = live(new SlotHistory(), {
      to: hour,
      bytes: (age) => (age % 30 === 0 ? 50 : 90) * MiB + (age > 20 * minute ? 100 * MiB : 0),
    });
    expect(levelAt(history, 5 * minute)).toBe(50);
    expect(levelAt(history, 30 * minute)).toBe(150);
    expect(levelAt(history, 90 * minute)).toBeNaN();
  });

  test("that was met late has no level of the ages before", () => {
    const history = live(new SlotHistory(), { from: 3 * hour, to: 5 * hour, bytes: () => 80 * MiB });
    expect(levelAt(history, hour)).toBeNaN();
    expect(levelAt(history, 4 * hour)).toBe(80);
  });

  test("that was met late reached before what the kernel says", () => {
    const history = new SlotHistory();
    history.add({ time: hour, bytes: 80 * MiB, startTime: 0, highest: 120 * MiB });
    expect(history.reachedBefore).toBe(120 * KiB);
  });
});

describe("a restart", () => {
  const restarted = () => {
    const history = live(new SlotHistory(), { to: 3 * hour, bytes: () => 400 * MiB });
    return live(history, { startTime: 4 * hour, to: hour, bytes: () => 50 * MiB });
  };

  test("clears what growth is read from", () => {
    const history = restarted();
    expect(history.minutes.highest(0, 10_000)).toBe(50 * KiB);
    expect(history.fine.highest(0, 10_000)).toBe(50 * KiB);
    expect([history.startTime, history.seenSince, history.peak]).toEqual([4 * hour, 4 * hour, 50 * KiB]);
  });

  test("keeps the half hours before, and says where the new life begins", () => {
    const history = restarted();
    expect(history.halfHours.highest(0, history.firstHalfHour)).toBe(400 * KiB);
    expect(history.halfHours.highest(history.firstHalfHour, 100)).toBe(50 * KiB);
  });

  test("is not what an earlier exporter reached", () => {
    const history = restarted();
    expect(history.reachedBefore).toBe(0);
  });
});

describe("a reading", () => {
  test.each([
    ["without a number", Number.NaN],
    ["below zero", -1],
  ])("%s is none", (_, bytes) => {
    const history = live(new SlotHistory(), { to: hour, bytes: () => 100 * MiB });
    history.add({ time: hour + 10, bytes, startTime: 0 });
    expect([history.time, history.value]).toEqual([hour, 100 * KiB]);
  });

  test("from before the last one is none", () => {
    const history = live(new SlotHistory(), { to: hour, bytes: () => 100 * MiB });
    history.add({ time: hour - 10, bytes: GiB, startTime: 0 });
    expect(history.peak).toBe(100 * KiB);
  });
});

describe("what is written down", () => {
  test("comes back whole, and goes on as if nothing had happened", () => {
    const bytes = (age: number) => 100 * MiB + age * KiB;
    const whole = live(new SlotHistory(), { startTime: -day, to: 5 * hour, bytes });
    const first = live(new SlotHistory(), { startTime: -day, to: 2 * hour, bytes });
    const second = new SlotHistory();
    second.restore(JSON.parse(JSON.stringify(first.save())));
    live(second, { startTime: -day, from: 2 * hour + 10, to: 5 * hour, bytes });
    expect(second.save()).toEqual(whole.save());
  });

  test("and is not a history is refused", () => {
    const saved = live(new SlotHistory(), { to: hour, bytes: () => MiB }).save();
    expect(() => new SlotHistory().restore({ ...saved, numbers: saved.numbers.slice(1) })).toThrow(RangeError);
    expect(() => new SlotHistory().restore({ ...saved, levels: "" })).toThrow(RangeError);
  });
});
