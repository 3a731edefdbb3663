import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adviseRestart, type RestartAdvice, type RestartFacts } from "../../exporter/advice/scheduled-restart.ts";
import { restartAdviceTexts } from "../../exporter/advice/sentences.ts";
import type { EndedLife } from "../../exporter/memory/service-memory.ts";
import { hour, lifeOf, limit, livesOf } from "./lives.ts";

const day = 24 * hour;
const now = 1000 * hour + 30 * 2 * hour;

const advise = (facts: Partial<RestartFacts> = {}): RestartAdvice =>
  adviseRestart({ ended: [], limit, interval: 2 * hour, now, ...facts });

const texts = (facts: Partial<RestartFacts>) =>
  restartAdviceTexts(advise(facts), (seconds) => `in ${Math.round((seconds - now) / hour)} h`);

const many = (pace: number, count = 40, hours = 2) => livesOf(new Array<number>(count).fill(pace), { hours });
/** Healthy ones: growth that is measured, a little above and below 0. */
const level = (count: number, noise = 0.2) =>
  livesOf(Array.from({ length: count }, (_, i) => (i % 2 === 0 ? noise : -noise)));

describe("the scheduled restart", () => {
  test("is needed where processes reach the limit soon after the interval", () => {
    const { verdict, recommended, safeLife, reason } = advise({ ended: many(330) });
    expect([verdict, recommended, reason]).toEqual(["needed", undefined, undefined]);
    expect("kind" in safeLife ? 0 : safeLife.seconds).toBeLessThan(2.5 * hour);
  });

  test("is needed where they are killed before it", () => {
    const ended = many(900, 40, 0.9).map((life) => ({ ...life, atLimit: true }));
    expect(advise({ ended }).verdict).toBe("needed");
  });

  test("may come less often where the limit is far away", () => {
    const { verdict, recommended, avoided } = advise({ ended: many(20) });
    expect([verdict, recommended]).toEqual(["less_often", 8 * hour]);
    expect(avoided).toBe(84 - 21);
  });

  test("may go where the newest version does not grow", () => {
    const { verdict, avoided, recommended, watchUntil } = advise({ ended: level(40, 0.05) });
    expect([verdict, avoided, recommended, watchUntil]).toEqual(["safe_to_remove", 84, undefined, undefined]);
  });

  test("may not go because of growth after a fix that is too fast, however well it is known", () => {
    const { verdict, watchUntil } = advise({ ended: many(5) });
    expect([verdict, watchUntil]).toEqual(["less_often", undefined]);
  });

  test("may not go where a process of the newest version was killed for its memory", () => {
    const ended = level(40, 0.05).map((life, i) => (i === 20 ? { ...life, atLimit: true } : life));
    expect(advise({ ended }).verdict).not.toBe("safe_to_remove");
  });
});

describe("after a fix", () => {
  const before = many(60, 20);
  const fixed = (count: number, noise = 0.05) =>
    level(count, noise).map((life, i) => ({ ...life, version: "1.8", endedAt: 2000 * hour + 2 * hour * (i + 1) }));
  const after = (count: number, noise?: number): Partial<RestartFacts> => ({
    ended: [...before, ...fixed(count, noise)],
    now: 2000 * hour + 2 * hour * count,
  });

  test("it is the new version that decides", () => {
    expect(advise(after(14))).toMatchObject({ verdict: "safe_to_remove", version: "1.8", growth: { lives: 14 } });
  });

  test("says until when to watch, while a day is not over", () => {
    const { verdict, watchUntil } = advise(after(7));
    expect(verdict).not.toBe("safe_to_remove");
    expect(watchUntil).toBe(2000 * hour + day);
  });

  test("says until when to watch, while noise hides what is left", () => {
    const { verdict, watchUntil = 0 } = advise(after(14, 1));
    expect(verdict).not.toBe("safe_to_remove");
    const more = (watchUntil - (2000 + 28) * hour) / (2 * hour);
    expect(more).toBeGreaterThan(0);
    expect(advise(after(14 + 2 * Math.ceil(more / 2), 1)).verdict).toBe("safe_to_remove");
  });

  test("says nothing about the end of watching where no number of processes would be enough", () => {
    expect(advise(after(14, 20)).watchUntil).toBeUndefined();
  });

  test("replicas show it sooner", () => {
    const until = (replicas: number) => advise({ ...after(14, 1), replicas }).watchUntil as number;
    expect(until(4)).toBeGreaterThan(0);
    expect(until(4)).toBeLessThan(until(1));
  });

  test("a version of a few processes borrows those before it for the longest safe life, and says so", () => {
    expect(advise(after(3))).toMatchObject({ otherVersions: true, safeLife: { lives: 23 } });
    expect(advise(after(5))).toMatchObject({ otherVersions: false });
  });

  test("processes that run count", () => {
    const running = [lifeOf({ hours: 30, pace: 0.01, endedAt: 3000 * hour })].map((life) => ({
      ...life,
      version: "1.9",
    }));
    expect(advise({ ...after(14), running })).toMatchObject({ version: "1.9" });
  });
});

describe("what restarts cost", () => {
  test("is the median gap, for each restart of a week", () => {
    const ended = many(20).map((life, i) => ({ ...life, replacedAfter: i === 0 ? 600 : 5 }));
    expect(advise({ ended })).toMatchObject({
      downtime: 5,
      present: { restarts: 84, downtime: 420 },
      longer: { restarts: 21, downtime: 105 },
    });
  });

  test("is of all replicas", () => {
    expect(advise({ ended: many(20), replicas: 3 }).present?.restarts).toBe(252);
  });

  test("has no downtime where no replacement was seen", () => {
    const ended = many(20).map(({ replacedAfter: _, ...life }) => life);
    expect(advise({ ended })).toMatchObject({ downtime: undefined, present: { downtime: undefined } });
  });

  test("is what the leak holds: half of what it grew, for the time after warm-up", () => {
    // 20 MiB an hour, for 80 minutes after 40 of warm-up
    const held = (84 * 20 * (4 / 3) ** 2) / 2 / 1024;
    expect(advise({ ended: many(20) }).present?.heldGibHours).toBeCloseTo(held, 9);
    expect(advise({ ended: many(20) }).present?.heldPrice).toBeUndefined();
    expect(advise({ ended: many(20), pricePerGibHour: 0.5 }).present?.heldPrice).toBeCloseTo(held / 2, 9);
  });

  test("holds more at a longer interval", () => {
    const { present, longer } = advise({ ended: many(20) });
    expect(longer?.heldGibHours).toBeGreaterThan(present?.heldGibHours as number);
  });

  test("holds nothing where nothing grows", () => {
    expect(advise({ ended: level(40, 0) }).present?.heldGibHours).toBe(0);
  });
});

describe("it is not known", () => {
  test.each<[string, Partial<RestartFacts>, object]>([
    ["of a service that was never restarted", { interval: undefined }, { kind: "noSchedule" }],
    [
      "of one that no clock restarts, though its longest safe life is",
      { interval: undefined, ended: many(20) },
      { kind: "noSchedule" },
    ],
    ["with an interval that is none", { interval: Number.NaN, ended: many(20) }, { kind: "noSchedule" }],
    ["with one of 0", { interval: 0, ended: many(20) }, { kind: "noSchedule" }],
    ["of no process", {}, { kind: "fewLives", lives: 0, needed: 5 }],
    ["of one", { ended: many(20, 1) }, { kind: "fewLives", lives: 1, needed: 5 }],
    ["without a limit", { ended: many(20), limit: undefined }, { kind: "noLimit" }],
    ["with a limit that is no number", { ended: many(20), limit: Number.NaN }, { kind: "noLimit" }],
    ["where none grew, and too few were seen", { ended: many(0, 6) }, { kind: "noGrowth" }],
    ["of a few that would all last long", { ended: many(60, 5) }, { kind: "tooUncertain", lives: 5 }],
    [
      "where clocks ran backwards",
      { ended: many(20).map((life) => ({ ...life, lifetime: -1 })) },
      { kind: "fewLives", lives: 0 },
    ],
  ])("%s", (_, facts, reason) => {
    const found = advise(facts);
    expect(found).toMatchObject({ verdict: "not_known", reason });
    expect(found.recommended).toBeUndefined();
  });

  test("until when to watch, where the present time is not", () => {
    expect(advise({ ended: many(0, 6), now: Number.NaN }).watchUntil).toBeUndefined();
  });
});

describe("whatever is remembered", () => {
  const anything = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, 0, -1, undefined, null)) as fc.Arbitrary<number>;
  const damaged = fc.record({
    endedAt: anything,
    lifetime: anything,
    watched: anything,
    growing: fc.boolean(),
    atLimit: fc.boolean(),
    peak: anything,
    slot: fc.string(),
    version: fc.string(),
    followed: fc.boolean(),
    growth: anything,
    acceleration: anything,
    level: anything,
    top: anything,
    replacedAfter: anything,
  }) as fc.Arbitrary<EndedLife>;

  test("there is an answer, and no sentence has NaN, undefined or a full stop in it", () => {
    fc.assert(
      fc.property(
        fc.array(damaged, { maxLength: 64 }),
        anything,
        anything,
        anything,
        (ended, bytes, interval, time) => {
          const found = adviseRestart({ ended: [...ended, ...many(20, 6)], limit: bytes, interval, now: time });
          for (const text of restartAdviceTexts(found, () => "Friday")) expect(text).not.toMatch(/NaN|undefined|\.$/);
        },
      ),
    );
  });

  test("the order of processes does not matter", () => {
    const ended = [...many(10, 10), ...many(40, 10, 3)];
    const shuffled = [...ended.filter((_, i) => i % 2 === 1), ...ended.filter((_, i) => i % 2 === 0)];
    const [a, b] = [advise({ ended }), advise({ ended: shuffled })];
    expect([b.verdict, b.recommended, b.watchUntil]).toEqual([a.verdict, a.recommended, a.watchUntil]);
  });
});

describe("in sentences", () => {
  test("less often, with what it costs", () => {
    expect(texts({ ended: many(20, 64, 12), interval: 12 * hour })).toEqual([
      "restarts every 12 h; every 36 h would do: at most 1 process in 100 would reach its limit",
      "avoids 9 restarts a week; each restart leaves about 4 s without a process; the leak holds 8.8 GiB-hours a week, 47 GiB-hours at the longer interval",
    ]);
  });

  test("less often, step by step, with a price", () => {
    expect(texts({ ended: many(20), pricePerGibHour: 0.5 })).toMatchInlineSnapshot(`
      [
        "restarts every 2 h; every 8 h would do: at most 1 process in 100 would reach its limit",
        "at this pace every 33 h, but processes of 2 h cannot show whether growth speeds up later: set the longer interval, then look again after 40 processes",
        "avoids 63 restarts a week; each restart leaves about 4 s without a process; the leak holds 1.5 GiB-hours a week, 11 GiB-hours at the longer interval; at the configured price 0.73 a week, then 5.51",
      ]
    `);
  });

  test("safe to remove", () => {
    const ended = level(14, 0.09);
    expect(texts({ ended })).toMatchInlineSnapshot(`
      [
        "safe to remove the scheduled restart: 14 processes of 2 h grew by at most 45.3 KiB/h (95 %)",
        "avoids 84 restarts a week; each restart leaves about 4 s without a process",
      ]
    `);
  });

  test("needed", () => {
    expect(texts({ ended: many(330) })).toMatchInlineSnapshot(`
      [
        "the restart every 2 h is needed: 1 process in 100 may reach its limit after 2 h 1 min",
        "each restart leaves about 4 s without a process; the leak holds 24 GiB-hours a week",
      ]
    `);
  });

  test("not known", () => {
    expect(texts({ ended: many(20, 2) })).toMatchInlineSnapshot(`
      [
        "unknown whether the restart is needed: too few processes (2 of 5)",
        "each restart leaves about 4 s without a process; the leak holds 1.5 GiB-hours a week",
      ]
    `);
    expect(texts({ ended: many(60, 5) })).toMatchInlineSnapshot(`
      [
        "unknown whether the restart is needed: 5 processes are too few, although none of them would reach its limit before 13 h 43 min",
        "each restart leaves about 4 s without a process; the leak holds 4.4 GiB-hours a week",
      ]
    `);
    expect(texts({ ended: many(20), limit: undefined })[0]).toMatchInlineSnapshot(
      `"unknown whether the restart is needed: no memory limit is known"`,
    );
    expect(texts({ ended: many(0, 6) })).toMatchInlineSnapshot(`
      [
        "unknown whether the restart is needed: no process grew, but too little was seen to rule out a slow leak",
        "each restart leaves about 4 s without a process",
        "whether the restart can be removed: watch until in 12 h",
      ]
    `);
    expect(texts({ interval: undefined })).toMatchInlineSnapshot(`
      [
        "not restarted on a schedule",
      ]
    `);
  });
});
