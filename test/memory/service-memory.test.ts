import { describe, expect, test } from "vitest";
import { KiB, MiB } from "../../catalog/defaults.ts";
import { endedLives } from "../../detection/judge.ts";
import { levelAges } from "../../detection/windows.ts";
import { type EndedLife, endedLifeOf, ServiceMemory } from "../../exporter/memory/service-memory.ts";
import { SlotHistory } from "../../exporter/memory/slot-history.ts";

const minute = 60;
const hour = 60 * minute;

const ended = (differs: Partial<EndedLife> = {}): EndedLife => ({
  endedAt: 10 * hour,
  lifetime: 2 * hour,
  watched: 2 * hour,
  growing: false,
  atLimit: false,
  peak: 300 * KiB,
  slot: "0",
  version: "",
  followed: false,
  ...differs,
});

/** MiB at the first ages; what the life did not reach is not known. */
const levels = (...mebibytes: number[]) =>
  levelAges.map((_, i) => (mebibytes[i] === undefined ? Number.NaN : mebibytes[i] * KiB));

const { settledAfter } = endedLives;
const [oneMinute, twoMinutes, threeMinutes] = levelAges as [number, number, number];

describe("the level of earlier lives", () => {
  test("is the highest that one had at that age", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ growing: true }), levels(50, 60, 70), settledAfter);
    expect([oneMinute, twoMinutes, threeMinutes].map((age) => memory.levelAt(age) / KiB)).toEqual([50, 60, 70]);
    expect(memory.levelAt(oneMinute + 1) / KiB).toBe(60);
  });

  test("is nothing beyond the age that any reached", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ growing: true }), levels(50, 60), settledAfter);
    expect(memory.levelAt(threeMinutes)).toBe(0);
  });

  test("is at any age what a life reached that had stopped growing", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ growing: false, peak: 300 * KiB }), levels(50), settledAfter);
    expect(memory.levelAt(30 * 24 * hour)).toBe(300 * KiB);
  });

  test("learns nothing from a life that its memory ended", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ atLimit: true }), levels(500, 600), settledAfter);
    expect(memory.levelAt(oneMinute)).toBe(0);
  });

  test("learns no lasting level from a life that was too short to settle", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ watched: settledAfter - 1 }), levels(50), settledAfter);
    expect(memory.levelAt(30 * 24 * hour)).toBe(0);
  });

  test("is that of the same version, and of another as long as it has none of its own", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ growing: true, version: "2.2" }), levels(50, 60), settledAfter);
    expect(memory.levelAt(oneMinute, "2.3") / KiB).toBe(50);
    memory.recordEnd(ended({ growing: true, version: "2.3" }), levels(80), settledAfter);
    expect(memory.levelAt(oneMinute, "2.3") / KiB).toBe(80);
    expect(memory.levelAt(twoMinutes, "2.3") / KiB).toBe(60);
    expect(memory.levelAt(oneMinute, "2.2") / KiB).toBe(50);
  });

  test("is forgotten of versions that three others followed", () => {
    const memory = new ServiceMemory();
    for (const version of ["1", "2", "3", "4"])
      memory.recordEnd(ended({ growing: true, version }), levels(10 * Number(version)), settledAfter);
    expect(memory.levelAt(oneMinute, "1") / KiB).toBe(40);
    expect(memory.levelAt(oneMinute, "2") / KiB).toBe(20);
  });

  test("fades when lives after it stay below", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ growing: true }), levels(100), settledAfter);
    for (let i = 0; i < 30; i++) memory.recordEnd(ended({ growing: true }), levels(20), settledAfter);
    expect(memory.levelAt(oneMinute) / KiB).toBeLessThan(50);
    expect(memory.levelAt(oneMinute) / KiB).toBeGreaterThan(20);
  });
});

describe("an ended life", () => {
  test("is followed by the one that takes its slot in time", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ slot: "0" }), levels(), settledAfter);
    memory.recordEnd(ended({ slot: "1" }), levels(), settledAfter);
    memory.begin("0", 10 * hour + 60, 600);
    memory.begin("1", 10 * hour + 601, 600);
    expect(memory.lives.map(({ followed }) => followed)).toEqual([true, false]);
  });

  test("is one of the last 64", () => {
    const memory = new ServiceMemory();
    for (let i = 0; i < 100; i++) memory.recordEnd(ended({ endedAt: i }), levels(), settledAfter);
    expect([memory.lives.length, memory.lives[0]?.endedAt]).toEqual([64, 36]);
  });

  const history = new SlotHistory();
  history.add({ time: hour, bytes: 100 * MiB, startTime: 0 });
  history.add({ time: 3 * hour, bytes: 200 * MiB, startTime: 0 });
  const of = (verdict: Parameters<typeof endedLifeOf>[1], atLimit: boolean) =>
    endedLifeOf(history, verdict, { slot: "0", now: 3 * hour, watchedSince: hour, atLimit });
  const verdict = (growing: boolean, reason: string) => ({ growing, reason }) as Parameters<typeof endedLifeOf>[1];

  test("has been watched from when it was met, and lived from its start", () => {
    expect(of(verdict(false, "flat"), false)).toMatchObject({
      lifetime: 3 * hour,
      watched: 2 * hour,
      peak: 200 * KiB,
      growing: false,
    });
  });

  test("that was too short to judge says neither that it grew nor that it did not", () => {
    expect(of(verdict(false, "too short"), false).growing).toBeUndefined();
  });

  test("that was too short to judge, doubled and was killed for its memory grew", () => {
    expect(of(verdict(false, "too short"), true).growing).toBe(true);
  });
});

describe("what is written down", () => {
  test("comes back whole", () => {
    const before = new ServiceMemory();
    before.knownSince = 5;
    before.recordEnd(ended({ growing: undefined }), levels(50, 60), settledAfter);
    before.recordEnd(ended({ slot: "1", version: "2.3" }), levels(70), settledAfter);
    const after = new ServiceMemory();
    after.restore(JSON.parse(JSON.stringify(before.save())));
    expect(after).toEqual(before);
  });

  test("before anything is known stays unknown, not 0", () => {
    const after = new ServiceMemory();
    after.restore(JSON.parse(JSON.stringify(new ServiceMemory().save())));
    expect(after.knownSince).toBeNaN();
  });

  test("and is something else is refused", () => {
    const saved = new ServiceMemory().save();
    expect(() => new ServiceMemory().restore({ ...saved, levels: "AAAA" as never })).toThrow(RangeError);
    const levels = [{ version: "", byAge: "AAAA", settled: 0 }];
    expect(() => new ServiceMemory().restore({ ...saved, levels })).toThrow(RangeError);
    expect(() => new ServiceMemory().restore({ ...saved, lives: null as never })).toThrow(RangeError);
  });
});
