// What is said of one process, from its samples alone. Whether that is right over many services is measured with traces and recordings;
// here is what must hold of every word.

import { describe, expect, test } from "vitest";
import { KiB, MiB } from "../../catalog/defaults.ts";
import { judgeSettings, severityTimes } from "../../detection/judge.ts";
import { levelAges } from "../../detection/windows.ts";
import type { Finding, Reason } from "../../exporter/judge/finding.ts";
import { ServiceMemory } from "../../exporter/memory/service-memory.ts";
import { day, hour, judged, type Level, minute, wobble } from "./samples.ts";

/** 3 MiB a minute from 40 MiB on: a limit of 256 MiB is reached after 72 minutes. */
const fast: Level = (age) => 40 + (3 * age) / minute + 0.3 * wobble(age);
const flat: Level = (age) => 200 + wobble(age);
const fills: Level = (age) => 100 + 300 * (1 - Math.exp(-age / (20 * minute))) + wobble(age);

const kinds = ({ reasons }: Finding) => reasons.map(({ kind }) => kind);
const reason = <K extends Reason["kind"]>({ reasons }: Finding, kind: K) =>
  reasons.find((one) => one.kind === kind) as Extract<Reason, { kind: K }> | undefined;

describe("a young process", () => {
  test("is collecting data, and says how much of it", () => {
    const { findings } = judged(flat, { to: 12 * minute });
    expect(findings.map(({ word }) => word)).toEqual(Array(13).fill("collecting"));
    expect(reason(findings[12] as Finding, "tooYoung")).toEqual({
      kind: "tooYoung",
      watched: 12 * minute,
      needed: 20 * minute,
    });
  });

  test("is growing from its second minute on where it grows notably, and has a pace", () => {
    const { findings } = judged(fast, { to: 10 * minute });
    expect(findings[0]?.growth).toBeUndefined();
    for (const [i, finding] of findings.entries()) {
      if (i < 2) continue;
      expect(finding.word, `minute ${i}`).toBe("growing");
      expect((finding.growth as number) / MiB, `minute ${i}`).toBeCloseTo(3 / minute, 1);
      expect(kinds(finding)).toEqual(["tooYoung", "grew"]);
    }
  });

  test("has no severity, no confidence and no verdict before the first window fits", () => {
    for (const { severity, confidence, rule } of judged(fast, { to: 19 * minute, limit: 256 }).findings)
      expect([severity, confidence, rule]).toEqual([0, undefined, undefined]);
  });

  test("of which one sample is known is collecting, and nothing is made up", () => {
    const { last } = judged(flat, { to: 0, limit: 256 });
    expect(last).toMatchObject({
      word: "collecting",
      growth: undefined,
      growthBy: {},
      timeToOom: undefined,
      confidence: undefined,
    });
    expect((last.headroom as number) / MiB).toBeCloseTo(56, 0);
  });
});

describe("a leak of 3 MiB a minute under 256 MiB", () => {
  const { findings } = judged(fast, { to: 70 * minute, limit: 256 });
  const called = findings.findIndex(({ word }) => word === "leaking");

  test("is called one within 25 minutes of its start", () => {
    expect(called).toBeGreaterThan(0);
    expect(called).toBeLessThanOrEqual(25);
  });

  test("stays one, and its severity never falls while its time runs out", () => {
    let before = 0;
    for (const finding of findings.slice(called)) {
      expect(finding.word).toBe("leaking");
      expect(finding.severity).toBeGreaterThanOrEqual(before);
      before = finding.severity;
    }
    expect(before).toBe(4);
  });

  test("runs out of memory when it says it does, to a quarter of the time left", () => {
    for (const [minutes, { timeToOom }] of findings.entries()) {
      if (minutes < called) continue;
      const really = ((256 - fast(minutes * minute)) / 3) * minute;
      expect(Math.abs((timeToOom as number) - really), `minute ${minutes}`).toBeLessThanOrEqual(
        0.25 * really + 2 * minute,
      );
    }
  });

  test("says why in numbers that its memory bears out", () => {
    const finding = findings[called] as Finding;
    const grew = reason(finding, "grew");
    expect((grew?.bytes as number) / MiB).toBeCloseTo((3 * ((grew?.seconds as number) * 8)) / 9 / minute, -1);
    expect(reason(finding, "steady")?.slowest).toBeGreaterThan(0.8);
    expect(reason(finding, "steady")?.deviation).toBeLessThan(0.03);
    expect(reason(finding, "timeLeft")).toMatchObject({ limit: 256 * MiB });
    expect(finding.confidence).toBeGreaterThanOrEqual(0.5);
  });

  test("is known by its growth over each window that it is old enough for, and no other", () => {
    const { growthBy } = findings[70] as Finding;
    expect(Object.keys(growthBy)).toEqual(["15m", "1h"]);
    for (const growth of Object.values(growthBy)) expect(growth / MiB).toBeCloseTo(3 / minute, 2);
  });

  test("is never called one without a limit that it could reach, by the rules for what is near", () => {
    const { last } = judged(fast, { to: 70 * minute });
    expect(last.timeToOom).toBeUndefined();
    expect(last.severity).toBeLessThan(4);
  });
});

describe("what grows is never stable", () => {
  test.each<[string, Level]>([
    ["steadily", fast],
    ["slowing down", fills],
    ["by an hour's steps", (age) => 100 + 40 * Math.floor(age / hour) + wobble(age)],
    ["in the second half", (age) => 100 + Math.max(0, age - hour) / 20 + wobble(age)],
  ])("%s", (_, level) => {
    for (const [i, { word, growth }] of judged(level, { to: 3 * hour }).findings.entries())
      if (word === "stable") expect((growth as number) * hour, `minute ${i}`).toBeLessThan(0.2 * 100 * MiB);
  });
});

describe("what is no leak", () => {
  const words = (level: Level, options: Parameters<typeof judged>[1]) =>
    new Set(
      judged(level, options)
        .findings.slice(21)
        .map(({ word }) => word),
    );

  test("is stable where its memory is flat", () => {
    expect([...words(flat, { to: 6 * hour, limit: 1024 })]).toEqual(["stable"]);
  });

  test("is high and stable near its limit", () => {
    expect([...words(flat, { to: 3 * hour, limit: 210 })]).toEqual(["high_stable"]);
  });

  test("is spiky where its peaks are far above", () => {
    expect([...words((age) => (age % 600 === 0 ? 400 : 200), { to: 3 * hour, limit: 1024 })]).toEqual(["spiky"]);
  });

  test("is warming up, then stable, where a cache fills", () => {
    const { findings } = judged(fills, { to: 5 * hour, limit: 1024 });
    expect(findings.map(({ word }) => word)).not.toContain("leaking");
    expect(findings[45]?.word).toBe("warming_up");
    expect(findings.at(-1)?.word).toBe("stable");
  });

  test("is not a heap that a runtime fills with garbage before it collects", () => {
    const facts = { heapMaximum: 512 * MiB, heapKind: "fills" } as const;
    const { findings } = judged(fast, { to: 70 * minute, limit: 1024, facts });
    expect(findings.map(({ word }) => word)).not.toContain("leaking");
    expect(reason(findings.at(-1) as Finding, "heapMaximum")).toEqual({
      kind: "heapMaximum",
      bytes: 512 * MiB,
      below: true,
    });
  });
});

describe("the limit", () => {
  test("is what others leave of it: their memory counts, and is named", () => {
    const alone = judged(fast, { to: 40 * minute, limit: 512 }).last;
    const shared = judged(fast, { to: 40 * minute, limit: 512, facts: { others: 200 * MiB } }).last;
    expect((alone.headroom as number) - (shared.headroom as number)).toBe(200 * MiB);
    expect(shared.timeToOom).toBeLessThan(alone.timeToOom as number);
    expect(reason(shared, "sharedLimit")).toEqual({ kind: "sharedLimit", others: 200 * MiB });
  });

  test("comes nearer as fast as all that share it grow", () => {
    const pace = (3 * MiB) / minute;
    const alone = judged(fast, { to: 40 * minute, limit: 512 }).last;
    const together = judged(fast, { to: 40 * minute, limit: 512, facts: { neighbours: () => 3 * pace } }).last;
    expect((alone.timeToOom as number) / (together.timeToOom as number)).toBeCloseTo(4, 0);
  });

  test("is that of V8's heap where this is the nearer one", () => {
    const { last } = judged(fast, {
      to: 40 * minute,
      limit: 4096,
      facts: { heapMaximum: 256 * MiB, heapKind: "ends" },
    });
    expect(last.word).toBe("leaking");
    expect((last.headroom as number) / MiB).toBeLessThan(256 + 32 - fast(40 * minute) + 1);
  });

  test("is never below nothing: memory above it leaves a little, and no negative time", () => {
    const { last } = judged(fast, { to: 60 * minute, limit: 100 });
    expect(last.headroom).toBeGreaterThan(0);
    expect(last.timeToOom).toBeGreaterThan(0);
  });

  test("that moves away takes the urgency with it, when the claim's time is over", () => {
    const settings = { ...judgeSettings, keepClaim: 5 * minute };
    const before = judged(fast, { to: 50 * minute, limit: 256, settings });
    expect(before.last.severity).toBe(4);
    const after = judged(fast, { from: 51 * minute, to: 90 * minute, limit: 64 * KiB, slot: before.slot, settings });
    expect(after.last.severity).toBeLessThan(4);
  });
});

describe("severity", () => {
  test("follows the time left", () => {
    for (const { severity, timeToOom } of judged(fast, { to: 70 * minute, limit: 256 }).findings)
      if (severity === 4) expect(timeToOom).toBeLessThanOrEqual(severityTimes.critical);
  });

  test("is as the configuration has it", () => {
    const settings = { ...judgeSettings, severityTimes: { ...severityTimes, critical: 60, high: 120 } };
    const { findings } = judged(fast, { to: 40 * minute, limit: 256, settings });
    const severities = new Set(findings.map(({ severity }) => severity));
    expect(severities).toContain(2);
    expect(severities).not.toContain(4);
  });
});

describe("earlier processes of the same service", () => {
  /** One that stood at 400 MiB for an hour. */
  const taught = () => {
    const memory = new ServiceMemory();
    memory.recordEnd(
      {
        endedAt: 0,
        lifetime: 5 * hour,
        watched: 5 * hour,
        growing: false,
        atLimit: false,
        peak: 400 * KiB,
        slot: "0",
        version: "",
        seenUntil: 0,
        followed: true,
      },
      levelAges.map(() => Number.NaN),
      20 * minute,
    );
    return memory;
  };

  test("that stood higher keep one that only gets there from being called a leak by what is near", () => {
    const level: Level = (age) => 40 + (5 * age) / minute;
    const options = { to: 55 * minute, limit: 512 };
    expect(judged(level, options).findings.map(({ word }) => word)).toContain("leaking");
    const { findings } = judged(level, { ...options, memory: taught() });
    expect(findings.filter(({ severity }) => severity === 4)).toEqual([]);
  });
});

describe("a restart", () => {
  test("clears the claim: the next process has not leaked yet", () => {
    const before = judged(fast, { to: 60 * minute, limit: 256 });
    expect(before.last.word).toBe("leaking");
    const { findings } = judged(flat, { startTime: 61 * minute, to: 30 * minute, limit: 256, slot: before.slot });
    expect(findings.map(({ severity }) => severity)).toEqual(Array(31).fill(0));
    expect(findings.map(({ word }) => word)).not.toContain("growing");
  });
});

describe("bad samples", () => {
  test("a hole of ten minutes costs no claim and makes none", () => {
    const holed =
      (level: Level): Level =>
      (age) =>
        age > 30 * minute && age < 40 * minute ? Number.NaN : level(age);
    expect(judged(holed(fast), { to: 45 * minute, limit: 256 }).last.word).toBe("leaking");
    expect(judged(holed(flat), { to: 45 * minute, limit: 256 }).last.word).toBe("stable");
  });

  test("memory that falls to nothing for a moment is not growth afterwards", () => {
    const { findings } = judged((age) => (age === 30 * minute ? 0 : flat(age)), { to: 3 * hour, limit: 256 });
    expect(findings.map(({ severity }) => severity)).toEqual(findings.map(() => 0));
  });

  test("a limit of no bytes gives no infinite number", () => {
    const { last } = judged(fast, { to: 30 * minute, limit: 0 });
    for (const value of [last.headroom, last.timeToOom, last.growth, last.confidence])
      if (value !== undefined) expect(Number.isFinite(value)).toBe(true);
  });
});

describe("a clock that runs faster", () => {
  test("says the same, sooner: a minute stands for an hour", () => {
    const slow = judged(fast, { to: 40 * minute, limit: 256 }).findings.map(({ word, severity }) => [word, severity]);
    const compressed = judged(fast, { to: 40 * minute, limit: 256, speed: 60 }).findings.map(({ word, severity }) => [
      word,
      severity,
    ]);
    const first = (findings: typeof slow) => findings.findIndex(([word]) => word === "leaking");
    expect(Math.abs(first(compressed) - first(slow))).toBeLessThanOrEqual(2);
  });
});

test("a leak of hours and days is called by points, and says how many", () => {
  // 1 MiB an hour on 200 MiB, under 512 MiB: twelve days to live
  const level: Level = (age) => 200 + age / hour + 0.5 * wobble(age);
  const slot = judged(level, { to: 0 }).slot;
  let finding: Finding | undefined;
  for (let from = 0; from < 4 * day; from += day) {
    const { last } = judged(level, { from, to: from + day - 10, limit: 512, slot });
    finding = last;
  }
  expect(finding?.word).toBe("leaking");
  expect(finding?.rule).toBe("card");
  expect(finding?.severity).toBeLessThan(4); // nobody is woken for what is days away
  const points = reason(finding as Finding, "points");
  expect(points?.points).toBeGreaterThanOrEqual(points?.threshold as number);
  expect((finding?.timeToOom as number) / day).toBeGreaterThan(5);
  expect((finding?.timeToOom as number) / day).toBeLessThan(20);
});
