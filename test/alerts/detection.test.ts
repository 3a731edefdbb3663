// The rules as functions of their windows and thresholds: with another clock they are the same rules.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { duration } from "../../alerts/promql.ts";
import { renderRules } from "../../alerts/render.ts";
import { isAlert } from "../../alerts/rule.ts";
import { compressed, detection, times } from "../../catalog/detection.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import { builtinEngine, tracedGroups } from "../../exporter/backtest/builtin.ts";
import { exposedSeries } from "../../exporter/backtest/exposed.ts";
import type { Trace } from "../../exporter/backtest/traces.ts";
import { LiveRules } from "../../exporter/judge/live.ts";
import { SlotMemory } from "../../exporter/memory/slot-memory.ts";
import { RuleEngine } from "../../exporter/rule-engine/engine.ts";
import { MiB } from "../support/fixtures.ts";
import { curves, memberOf } from "../support/memory-curves.ts";
import { promtool } from "./promtool.ts";

const speed = 60;

/** Every number of the value, by the name under which it stands. */
function numbersIn(value: unknown, name = ""): [name: string, value: number][] {
  if (typeof value === "number") return [[name, value]];
  if (Array.isArray(value)) return value.flatMap((one) => numbersIn(one, name));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => numbersIn(one, key));
}

/** The same on a clock that runs faster. */
const faster = ({ id, members }: Trace): Trace => ({
  id,
  members: members.map((member) => ({
    ...member,
    times: member.times.map((t) => t / speed),
    startTime: member.startTime.map((t) => t / speed),
  })),
});

describe("windows and thresholds", () => {
  test("are times, or shares, counts and bytes: a new one must be put among its like", () => {
    const others = numbersIn(detection).filter(([name]) => !times.has(name));
    expect([...new Set(others.map(([name]) => name))].sort()).toEqual(
      [
        ...[
          "aboveDayPeak",
          "beyondLimit",
          "biggest",
          "bounded",
          "bytes",
          "count",
          "gain",
          "historyBuckets",
          "intervals",
        ],
        ...[
          "level",
          "lives",
          "maximumStep",
          "minimum",
          "minimumConfidence",
          "minimumGain",
          "minimumNewHigh",
          "minimumPace",
        ],
        ...[
          "minimumSignal",
          "nearLimit",
          "pace",
          "parts",
          "perSlot",
          "present",
          "quarters",
          "rulesLate",
          "seen",
          "share",
          "slowest",
          "spike",
        ],
        ...["stillGrowing", "together", "tolerance", "warmingUp"],
      ].sort(),
    );
  });

  test("no name is declared a time that nothing has", () => {
    const names = new Set(numbersIn(detection).map(([name]) => name));
    expect([...times].filter((name) => !names.has(name))).toEqual([]);
  });

  test("compressing changes the times and nothing else", () => {
    const before = numbersIn(detection);
    expect(numbersIn(compressed(detection, speed))).toEqual(
      before.map(([name, value]) => [name, times.has(name) ? value / speed : value]),
    );
  });
});

describe("a compressed clock", () => {
  const fast = ruleGroups(compressed(detection, speed));

  test("gives rules that Prometheus reads, with the same names", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-rules-"));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, "rules.yml");
    fs.writeFileSync(file, renderRules(fast));
    const { ok, said } = await promtool("check", "rules", "--lint=all", "--lint-fatal", file);
    expect(ok, said).toBe(true);
    const namesOf = (groups: typeof fast) =>
      groups.flatMap(({ rules }) => rules.map((rule) => (isAlert(rule) ? rule.alert : rule.record)));
    expect(namesOf(fast)).toEqual(namesOf(ruleGroups()));
  });

  test.each([
    ["5 MiB a minute", curves.fastLeak, { hours: 4, limit: 1536 * MiB }, "LeakwatchMemoryLeakUrgent"],
    ["20 MiB an hour", curves.steadyLeak, { hours: 40, limit: 4096 * MiB }, "LeakwatchMemoryLeakSteady"],
    ["a cache that fills", curves.cacheFills, { hours: 40, limit: 2048 * MiB }, undefined],
  ])("gives the same alerts of %s, at the same time on its own clock", (_, curve, options, first) => {
    const trace: Trace = { id: "api", members: [memberOf(curve, options)] };
    const slowly = builtinEngine(ruleGroups())(trace).episodes;
    const quickly = builtinEngine(fast, compressed(detection, speed))(faster(trace)).episodes;
    expect(slowly[0]?.alert).toBe(first);
    const told = ({ alert, severity, start }: (typeof slowly)[number], by: number) => [alert, severity, start * by];
    expect(quickly.map((episode) => told(episode, speed))).toEqual(slowly.map((episode) => told(episode, 1)));
  });

  test.each([
    ["every second", 1],
    ["every five seconds, which are minutes here", 5],
  ])("the exporter's own verdict comes as early, with a sample %s", (_, every) => {
    const member = faster({
      id: "api",
      members: [memberOf(curves.fastLeak, { hours: 4, limit: 1536 * MiB })],
    }).members[0] as Trace["members"][number];
    const live = new LiveRules(fast);
    const memory = new SlotMemory({ group: "api", slot: "0" }, compressed(detection, speed));
    const found = Array.from(member.times).find((time, i) => {
      const [resident, startTime, limit] = [member.resident, member.startTime, member.limit].map((of) => of[i]) as [
        number,
        number,
        number,
      ];
      if (i % every === 0) memory.add(time, { resident, startTime, limit });
      return time > 0 && time % 15 === 0 && live.judgeSlot(memory, time).verdict === "leaking";
    });
    expect(found).toBeGreaterThan(40); // seconds that stand for minutes
    expect(found).toBeLessThanOrEqual(180);
  });
});

test("labels that users give to alerts do not come between an alert and the verdict", () => {
  const labelled = ruleGroups().map((group) => ({
    ...group,
    rules: group.rules.map((rule) => (isAlert(rule) ? { ...rule, labels: { ...rule.labels, team: "shop" } } : rule)),
  }));
  const { series } = new RuleEngine(tracedGroups(labelled)).evaluate(
    exposedSeries({ id: "api", members: [memberOf(curves.fastLeak, { hours: 3, limit: 1536 * MiB })] }),
    0,
    3 * 3600,
  );
  const last = (name: string) =>
    (series.get(name) ?? [])
      .filter(({ values }) => !Number.isNaN(values[values.length - 1]))
      .map(({ labels: { __name__: _, ...labels }, values }) => ({ ...labels, code: values[values.length - 1] }));
  expect(last(slotRecordings.verdict.name)).toEqual([{ group: "api", slot: "0", verdict: "leaking", code: 6 }]);
  expect(last(slotRecordings.severity.name)).toEqual([{ group: "api", slot: "0", severity: "critical", code: 3 }]);
});

test.each([
  [600, "10m"],
  [5400, "1h30m"],
  [90_061, "1d1h1m1s"],
  [0.5, "500ms"],
  [600 / 7, "1m25s714ms"],
  [0, "0s"],
])("%d seconds are %s in PromQL", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
