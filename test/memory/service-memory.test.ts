import { describe, expect, test } from "vitest";
import { KiB, MiB } from "../../catalog/defaults.ts";
import { endedLives } from "../../detection/judge.ts";
import { levelAges } from "../../detection/windows.ts";
import { type EndedLifeVerdict, judgeEndedLife } from "../../exporter/memory/ended-life.ts";
import { LifeHistory } from "../../exporter/memory/life-history.ts";
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
  seenUntil: 10 * hour,
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

  test("was replaced after a time that two samples bound, in their middle", () => {
    const memory = new ServiceMemory();
    // last seen 4 s before its end was noticed; the next started 10 s after that
    memory.recordEnd(ended({ slot: "0", seenUntil: 10 * hour - 4 }), levels(), settledAfter);
    memory.begin("0", 10 * hour + 13, 600, 10 * hour + 10);
    expect(memory.lives[0]?.replacedAfter).toBe(12);
  });

  test("may have been replaced before its end was noticed", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ slot: "0", seenUntil: 10 * hour - 4 }), levels(), settledAfter);
    memory.begin("0", 10 * hour, 600, 10 * hour - 2);
    expect(memory.lives[0]?.replacedAfter).toBe(1);
  });

  test("has no such time where it is not known when it was last seen, or where the next one was there before", () => {
    const memory = new ServiceMemory();
    memory.recordEnd(ended({ slot: "0", seenUntil: Number.NaN }), levels(), settledAfter);
    memory.recordEnd(ended({ slot: "1", seenUntil: 10 * hour - 4 }), levels(), settledAfter);
    memory.begin("0", 10 * hour, 600);
    memory.begin("1", 10 * hour, 600, 9 * hour);
    expect(memory.lives.map(({ followed, replacedAfter }) => [followed, replacedAfter])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
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

describe("the growth of an ended life", () => {
  /** 100 MiB and 60 more an hour, with a peak in its first hour. */
  const history = new SlotHistory();
  const life = new LifeHistory();
  for (let second = 0; second <= 3 * hour; second += 60) {
    const bytes = (100 + second / 60 + (second === 30 * minute ? 500 : 0)) * MiB;
    history.add({ time: second, bytes, startTime: 0 });
    life.add(second, bytes);
  }
  const of = (verdict: EndedLifeVerdict, atLimit = false) =>
    endedLifeOf(history, verdict, { slot: "0", now: 3 * hour + 3, watchedSince: 0, atLimit });

  test("is kept in KiB a second, with the level after warm-up and the highest of its end", () => {
    const kept = of(judgeEndedLife(life));
    expect((kept.growth as number) / (KiB / 60)).toBeCloseTo(1, 1);
    // a few hundredths of itself an hour, since samples a minute apart meet the stretches unevenly
    expect(Math.abs((kept.acceleration as number) * hour)).toBeLessThan(0.03 * (kept.growth as number));
    expect((kept.level as number) / KiB).toBeCloseTo(160, -1);
    expect((kept.top as number) / KiB).toBe(280);
    expect(kept.seenUntil).toBe(3 * hour);
  });

  test("that speeds up is kept with by how much", () => {
    const faster = new LifeHistory();
    // growth of x bytes a second at x seconds
    for (let second = 0; second <= 3 * hour; second += 60) faster.add(second, 100 * MiB + second ** 2 / 2);
    expect(judgeEndedLife(faster).acceleration).toBeCloseTo(1, 1);
  });

  test("is that of all that was seen where it reached its limit too soon to be judged", () => {
    const kept = of({ growing: false, reason: "too short", growthPerSecond: undefined }, true);
    expect(kept.growth).toBeCloseTo((530 * KiB) / (3 * hour), 0);
    expect(kept.acceleration).toBeUndefined();
  });

  test("is not known where it was too short", () => {
    const kept = of({ growing: false, reason: "too short", growthPerSecond: undefined });
    expect([kept.growth, kept.level]).toEqual([undefined, undefined]);
  });
});

describe("what is written down", () => {
  test("comes back whole", () => {
    const before = new ServiceMemory();
    before.knownSince = 5;
    before.recordEnd(ended({ growing: undefined }), levels(50, 60), settledAfter);
    before.recordEnd(ended({ slot: "1", version: "2.3" }), levels(70), settledAfter);
    before.recordEnd(ended({ growth: 3, acceleration: -1e-4, level: 5, top: 9, seenUntil: 4 }), levels(), settledAfter);
    before.begin("0", 10 * hour + 5, 600);
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
