// When the judge is asked, and in which order it hears.

import { describe, expect, test } from "vitest";
import type { JudgedSample, ServiceJudge, SlotFinding } from "../../exporter/backtest/judged.ts";
import { ServiceRun } from "../../exporter/backtest/service-run.ts";
import { judgeTrace } from "../../exporter/backtest/trace-run.ts";
import type { Member } from "../../exporter/backtest/traces.ts";

/** Writes down what it hears and is asked. */
class Listener implements ServiceJudge {
  readonly heard: string[] = [];
  readonly asked: number[] = [];

  add(slot: string, { time }: JudgedSample): void {
    this.heard.push(`${slot}@${time}`);
  }

  slotFinding(slot: string, time: number): SlotFinding {
    this.heard.push(`${slot}?${time}`);
    return { word: "stable", severity: 0, growth: undefined, confidence: undefined, timeToOom: undefined, reasons: [] };
  }

  finding(time: number) {
    this.asked.push(time);
    return { word: "stable", severity: 0 as const };
  }
}

function run(samples: readonly (readonly [slot: string, time: number])[]) {
  const judge = new Listener();
  const service = new ServiceRun(judge);
  for (const [slot, time] of samples) service.add(slot, { time, bytes: 1, limit: Number.NaN, startTime: 0 });
  return { judge, report: service.end() };
}

describe("the judge", () => {
  test("hears all samples up to a minute before it is asked what holds then", () => {
    const { judge } = run([
      ["0", 0],
      ["0", 30],
      ["0", 60],
      ["0", 61],
      ["0", 90],
    ]);
    expect(judge.heard).toEqual(["0@0", "0?0", "0@30", "0@60", "0?60", "0@61", "0@90", "0?90"]);
  });

  test("is not asked about a slot that is gone", () => {
    const { judge } = run([["0", 0], ...Array.from({ length: 20 }, (_, i) => ["1", 60 * (i + 1)] as const)]);
    expect(judge.heard.filter((one) => one.startsWith("0?")).at(-1)).toBe("0?300");
  });

  test("is not asked through a gap, however long it is", () => {
    const { judge, report } = run([
      ["0", 0],
      ["0", 365 * 86_400],
      ["0", 365 * 86_400 + 60],
    ]);
    expect(judge.asked.length).toBeLessThan(12);
    expect(judge.asked.at(-1)).toBe(365 * 86_400 + 60);
    expect(report.extent).toEqual([0, 365 * 86_400 + 60]);
  });

  test("is asked of one sample, too", () => {
    expect(run([["0", 7]]).judge.asked).toEqual([7]);
  });

  test("is asked nothing of no sample", () => {
    const { judge, report } = run([]);
    expect(judge.asked).toEqual([]);
    expect(report).toMatchObject({ episodes: [], slots: 0, samples: 0, extent: undefined });
  });
});

test("members of a trace are heard in the order of time, each with what its file says", () => {
  const member = (slot: number, times: number[]): Member => {
    const all = Float64Array.from(times);
    return { slot, times: all, resident: all.map(() => 1), limit: all, startTime: all.map(() => -60) };
  };
  const judge = new Listener();
  judgeTrace({ id: "web", members: [member(0, [0, 60, 120]), member(3, [30, 60])] }, judge, false);
  expect(judge.heard.filter((one) => one.includes("@"))).toEqual(["0@0", "3@30", "0@60", "3@60", "0@120"]);
});
