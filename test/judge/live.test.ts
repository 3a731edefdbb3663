// The exporter's own verdict against that of the rules, on the same memory: it keeps less (the hour's floor by the quarter of
// an hour), so it may come a little earlier or later, and must not come to another conclusion.

import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import { tracedGroups } from "../../exporter/backtest/builtin.ts";
import { exposedSeries } from "../../exporter/backtest/exposed.ts";
import type { Member } from "../../exporter/backtest/traces.ts";
import { GroupSeries, LiveRules } from "../../exporter/judge/live.ts";
import { SlotMemory } from "../../exporter/memory/slot-memory.ts";
import { RuleEngine } from "../../exporter/rule-engine/engine.ts";
import { MiB } from "../support/fixtures.ts";
import { curves, memberOf } from "../support/memory-curves.ts";

const engine = new RuleEngine(tracedGroups(ruleGroups()));
const live = new LiveRules(ruleGroups());
const [hour, quarter] = [3600, 15 * 60];

/**
 * What each of them says as the number that stands for the word: by the hour, and by the quarter of an hour around the first leak
 * that the rules find. The exporter's verdict takes some 15 ms.
 */
function bothVerdicts(member: Member): { time: number; rules: number; live: number; growth: [number?, number?] }[] {
  const last = member.times[member.times.length - 1] as number;
  const { series } = engine.evaluate(exposedSeries({ id: "api", members: [member] }), 0, last);
  const at = (name: string, time: number) => {
    const samples = series.get(name)?.[0];
    const index = samples === undefined ? -1 : Array.from(samples.times).findLastIndex((t) => t <= time);
    const value = samples?.values[index];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  };
  // the word is a label, so each word has a series of its own
  const codeAt = (time: number) =>
    Math.max(
      ...(series.get(slotRecordings.verdict.name) ?? []).map(({ times, values }) => {
        const index = Array.from(times).findLastIndex((t) => t <= time);
        return Number.isNaN(values[index] ?? Number.NaN) ? -1 : (values[index] as number);
      }),
    );
  const firstLeak = member.times.find((time) => time % quarter === 0 && codeAt(time) === verdictCode.leaking);
  const isJudged = (time: number) =>
    time > 0 &&
    (time % hour === 0 || (time % quarter === 0 && firstLeak !== undefined && Math.abs(time - firstLeak) <= hour));
  const memory = new SlotMemory({ group: "api", slot: "0" });
  const found = [];
  for (let i = 0; i < member.times.length; i++) {
    const time = member.times[i] as number;
    memory.add(time, {
      resident: member.resident[i] as number,
      startTime: member.startTime[i] as number,
      limit: member.limit[i] as number,
    });
    if (!isJudged(time)) continue;
    const judged = live.judgeSlot(memory, time);
    memory.forget();
    found.push({
      time,
      rules: codeAt(time),
      live: verdictCode[judged.verdict],
      growth: [at(slotRecordings.growth.name, time), judged.growth] as [number?, number?],
    });
  }
  return found;
}

describe("the exporter and the rules", () => {
  test.each([
    ["a level process", curves.flat, { hours: 30, limit: 1024 * MiB }],
    ["a warm-up", curves.warmUp, { hours: 30, limit: 1024 * MiB }],
    ["a cache that fills", curves.cacheFills, { hours: 40, limit: 2048 * MiB }],
    ["daily load", curves.daily, { hours: 80, limit: 1024 * MiB }],
  ])("both find no leak in %s", (_, curve, options) => {
    const verdicts = bothVerdicts(memberOf(curve, options));
    expect(verdicts.filter(({ rules }) => rules === verdictCode.leaking)).toEqual([]);
    expect(verdicts.filter((verdict) => verdict.live === verdictCode.leaking)).toEqual([]);
  });

  test.each([
    ["5 MiB a minute", curves.fastLeak, { hours: 4, limit: 1536 * MiB }],
    ["20 MiB an hour", curves.steadyLeak, { hours: 40, limit: 4096 * MiB }],
    ["4 MiB an hour", curves.slowLeak, { hours: 90, limit: 4096 * MiB }],
  ])("both find the leak of %s, within 45 minutes of each other", (_, curve, options) => {
    const verdicts = bothVerdicts(memberOf(curve, options));
    const first = (who: "rules" | "live") =>
      verdicts.find((verdict) => verdict[who] === verdictCode.leaking)?.time ?? Number.POSITIVE_INFINITY;
    expect(first("rules")).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(Math.abs(first("live") - first("rules"))).toBeLessThanOrEqual(45 * 60);
  });

  test("measure the same growth", () => {
    const verdicts = bothVerdicts(memberOf(curves.steadyLeak, { hours: 40, limit: 4096 * MiB }));
    const old = verdicts.filter(({ time }) => time >= 8 * 3600);
    for (const { growth } of old) {
      const [rules, own] = growth;
      expect(rules).toBeDefined();
      expect(Math.abs(((own ?? 0) - (rules ?? 0)) / (rules ?? 1))).toBeLessThan(0.1);
    }
  });
});

describe("a group", () => {
  const now = 40 * 86_400;
  const ended = (hoursAgo: number, growing: boolean, restart: string) => ({
    time: now - hoursAgo * 3600,
    growing,
    reason: restart,
    restart,
  });
  const everyTwoHours = Array.from({ length: 24 }, (_, i) => 2 * i + 0.5);
  const judge = (events: ReturnType<typeof ended>[]) =>
    live.judgeGroup(
      new GroupSeries("api", { events: events.reverse(), knownSince: now - 5 * 86_400, processes: 1 }, now),
      ["stable"],
      now,
    );

  test("whose lives end growing, every two hours, hides a leak", () => {
    expect(judge(everyTwoHours.map((hours) => ended(hours, true, "scheduled")))).toBe("masked_leak");
  });

  test("that is restarted every two hours in good health is as its processes are", () => {
    expect(judge(everyTwoHours.map((hours) => ended(hours, false, "scheduled")))).toBe("stable");
  });

  test("that is OOM-killed twice in hours is in a restart loop", () => {
    expect(judge([ended(0.5, true, "oom"), ended(2, true, "suspected_oom")])).toBe("restart_loop");
  });

  test("that crashed four times within the hour is in a restart loop, from the fourth time on", () => {
    const crashes = [0.9, 0.6, 0.3, 0].map((hours) => ended(hours, false, "exit"));
    expect(judge([...crashes])).toBe("restart_loop");
    expect(judge(crashes.slice(1))).toBe("stable");
  });

  test("that a clock restarts, or that is OOM-killed, is in no loop of crashes", () => {
    expect(judge([0.9, 0.6, 0.3, 0].map((hours) => ended(hours, false, "scheduled")))).toBe("stable");
    expect(judge([ended(0.5, false, "oom"), ...[0.9, 0.6, 0.3].map((hours) => ended(hours, false, "exit"))])).toBe(
      "stable",
    );
  });

  test("that had one OOM kill is not", () => {
    expect(judge([ended(0.5, true, "oom")])).toBe("stable");
  });
});

test("a level process is called stable, and not merely unknown", () => {
  const memory = new SlotMemory({ group: "api", slot: "0" });
  const minutes = Array.from({ length: 200 }, (_, i) => i * 60);
  for (const time of minutes) memory.add(time, { resident: 45 * MiB, startTime: 0, limit: 200 * MiB });
  expect(live.judgeSlot(memory, 199 * 60).verdict).toBe("stable");
});
