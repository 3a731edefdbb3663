// What is made of what a process showed, over one time or two of three minutes each.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { answerOf, answerOfLoads, type Evidence, type Measured, needsLoad } from "../../exporter/detect/answer.ts";

const spans = [
  { start: 20, end: 180 },
  { start: 180, end: 360 },
];

type Curve = (second: number) => number;

const points = (curve: Curve | undefined, every = 1) => {
  const times = curve === undefined ? [] : Array.from({ length: 360 / every }, (_, i) => i * every);
  return { times, values: times.map((second) => curve?.(second) ?? 0) };
};

/** In MiB and counts; what is not given is level, and what a runtime would say unknown. */
function evidence(runtime: Evidence["runtime"], curves: Partial<Record<Measured, Curve>>): Evidence {
  const mib = (curve: Curve | undefined) => curve && ((second: number) => curve(second) * MiB);
  return {
    runtime,
    series: {
      memory: points(mib(curves.memory ?? (() => 50))),
      live: points(mib(curves.live), 8),
      descriptors: points(curves.descriptors ?? (() => 20)),
      threads: points(curves.threads ?? (() => 8)),
    },
  };
}

const level = () => 20;
const rises: Curve = (s) => 20 + s / 20;
const stops: Curve = (s) => 20 + Math.min(s, 200) / 20;
const warmsUp: Curve = (s) => 20 + 10 * (1 - Math.exp(-s / 30));

type Row = [string, Evidence, string, string];

describe("after the first time", () => {
  test.each<Row>([
    ["a steady rise may be one that stops", evidence("none", { memory: rises }), "suspicious", "memory"],
    ["so may that of live memory", evidence("collected", { live: rises, memory: rises }), "suspicious", "live"],
    [
      "memory beside a level heap may stop",
      evidence("collected", { live: level, memory: rises }),
      "suspicious",
      "outside",
    ],
    ["level memory", evidence("none", {}), "no_leak_seen", "memory"],
    ["a warm-up", evidence("none", { memory: warmsUp }), "no_leak_seen", "memory"],
  ])("%s", (_, seen, word, kind) => {
    const answer = answerOf(seen, spans.slice(0, 1));
    expect([answer.word, answer.kind]).toEqual([word, kind]);
  });

  test("is weak where it is suspicious, or rises at its end", () => {
    const isWeak = (memory: Curve) => answerOf(evidence("none", { memory }), spans.slice(0, 1)).isWeak;
    expect([rises, level, warmsUp, (s: number) => 20 + Math.max(0, s - 90) / 10].map(isWeak)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test("nothing is said of a process that was not there", () => {
    const none = { times: [], values: [] };
    const series = { memory: none, live: none, descriptors: none, threads: none };
    expect(answerOf({ runtime: "none", series }, spans).word).toBe("no_verdict");
    expect(answerOf(evidence("none", {}), []).word).toBe("no_verdict");
  });
});

describe("after as much time again", () => {
  test.each<Row>([
    ["what rose goes on to rise", evidence("none", { memory: rises }), "leaking", "memory"],
    ["what rose has stopped", evidence("none", { memory: stops }), "no_leak_seen", "memory"],
    ["live memory rises", evidence("collected", { live: rises, memory: level }), "leaking", "live"],
    ["a cache has filled", evidence("collected", { live: stops, memory: stops }), "no_leak_seen", "live"],
    [
      "it rises at a quarter of the pace",
      evidence("none", { memory: (s) => 20 + Math.min(s, 180) / 5 + Math.max(0, s - 180) / 20 }),
      "suspicious",
      "memory",
    ],
    [
      "one step of a leak was hidden by a batch",
      evidence("none", { memory: (s) => 20 + s / 20 + (s > 116 && s < 148 ? 2 : 0) }),
      "leaking",
      "memory",
    ],
    [
      "a cache filled in three quarters of the first time",
      evidence("none", { memory: (s) => 20 + Math.min(s, 140) / 20 }),
      "no_leak_seen",
      "memory",
    ],
    [
      "a leak goes on after a warm-up",
      evidence("none", { memory: (s) => 20 + s / 20 + 30 * (1 - Math.exp(-s / 15)) }),
      "leaking",
      "memory",
    ],
    [
      "a warm-up slows down all the time",
      evidence("none", { memory: (s) => 20 + 40 * (1 - Math.exp(-s / 150)) }),
      "suspicious",
      "memory",
    ],
    [
      "a rise begins only then",
      evidence("none", { memory: (s) => 20 + Math.max(0, s - 180) / 20 }),
      "suspicious",
      "memory",
    ],
    [
      "native memory rises beside a level heap",
      evidence("collected", { live: level, memory: rises }),
      "leaking",
      "outside",
    ],
    [
      "native memory rises with small objects in the heap that own it",
      evidence("collected", { live: (s) => 20 + s / 200, memory: rises }),
      "leaking",
      "outside",
    ],
    [
      "memory beside a level heap has stopped",
      evidence("collected", { live: level, memory: stops }),
      "no_leak_seen",
      "live",
    ],
    [
      "memory beside a level heap begins to rise",
      evidence("collected", { live: level, memory: (s) => 20 + Math.max(0, s - 180) / 20 }),
      "no_leak_seen",
      "live",
    ],
    [
      "a JVM that was not asked to collect rises",
      evidence("passive", { live: rises, memory: rises }),
      "suspicious",
      "live",
    ],
    ["a Node.js that was not asked rises", evidence("silent", { memory: rises }), "suspicious", "memory"],
    ["descriptors rise", evidence("none", { descriptors: (s) => 20 + Math.floor(s / 4) }), "leaking", "descriptors"],
    ["threads rise", evidence("none", { threads: (s) => 8 + Math.floor(s / 8) }), "leaking", "threads"],
    ["a pool fills", evidence("none", { descriptors: (s) => 20 + Math.min(100, s) }), "no_leak_seen", "memory"],
  ])("%s", (_, seen, word, kind) => {
    const answer = answerOf(seen, spans);
    expect([answer.word, answer.kind]).toEqual([word, kind]);
  });

  test("the bound is that of the second time, in which a leak is steady", () => {
    const bound = (memory: Curve, count: number) =>
      answerOf(evidence("none", { memory }), spans.slice(0, count)).visibleFrom as number;
    expect(bound((s) => (s < 100 ? 20 : 30), 2) / bound(() => 30, 2)).toBeCloseTo(1);
    expect(bound((s) => (s < 300 ? 20 : 30), 2)).toBeGreaterThan(5 * bound(() => 30, 2));
    expect(bound((s) => (s < 50 ? 20 : 30), 1) / bound(() => 30, 1)).toBeCloseTo(1);
  });
});

describe("after loads", () => {
  const levels = (changes: Partial<Record<Measured, number[]>>, loads: number) => {
    const flat = (value: number) => Array<number>(loads).fill(value);
    const all = {
      live: flat(Number.NaN),
      memory: flat(50),
      descriptors: flat(20),
      threads: flat(8),
    };
    const inBytes = (kind: Measured, values: number[]) =>
      kind === "descriptors" || kind === "threads" ? values : values.map((value) => value * MiB);
    return Object.fromEntries(
      Object.entries({ ...all, ...changes }).map(([kind, values]) => [kind, inBytes(kind as Measured, values)]),
    ) as Record<Measured, number[]>;
  };

  test.each<[string, Evidence["runtime"], Partial<Record<Measured, number[]>>, number, string]>([
    ["one load says nothing", "none", {}, 1, "no_verdict"],
    ["level after the first", "none", {}, 2, "no_leak_seen"],
    ["grew by the second", "none", { memory: [50, 60] }, 2, "suspicious"],
    ["grew by the second and the third", "none", { memory: [50, 60, 70] }, 3, "leaking"],
    ["was full after the second", "none", { memory: [50, 60, 60] }, 3, "no_leak_seen"],
    ["live memory decides", "collected", { live: [20, 20], memory: [50, 50] }, 2, "no_leak_seen"],
    ["live memory grew", "collected", { live: [20, 25, 30] }, 3, "leaking"],
    ["memory beside a level heap grew", "collected", { live: [20, 20, 20], memory: [50, 60, 70] }, 3, "suspicious"],
    ["a runtime that was not asked", "silent", { memory: [50, 60, 70] }, 3, "suspicious"],
    ["descriptors grew", "none", { descriptors: [20, 70, 120] }, 3, "leaking"],
  ])("%s: %s", (_, runtime, changes, loads, word) => {
    expect(answerOfLoads(runtime, levels(changes, loads)).word).toBe(word);
  });

  test("a third is needed only where the second grew", () => {
    const needs = (memory: number[]) =>
      needsLoad(answerOfLoads("none", levels({ memory }, memory.length)), memory.length);
    expect([[50], [50, 50], [50, 60], [50, 60, 70]].map(needs)).toEqual([true, false, true, false]);
  });
});
