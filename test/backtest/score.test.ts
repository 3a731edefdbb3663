import { describe, expect, test } from "vitest";
import type { EpisodeReport } from "../../exporter/backtest/report.ts";
import {
  medianStep,
  paceOf,
  type ScoredTrace,
  score,
  seenSeconds,
  type TraceLabels,
} from "../../exporter/backtest/score.ts";
import type { Trace } from "../../exporter/backtest/traces.ts";
import { MiB } from "../support/fixtures.ts";

const hour = 3600;

/** What is known of a trace, how long it is, and what was found in it. */
interface Case {
  label: Partial<TraceLabels>;
  days?: number;
  processes?: number;
  /** Starts in hours, of class leak and severity warning unless it says otherwise. */
  alerts?: (Partial<EpisodeReport> & { at: number })[];
  timeToOom?: [hours: number, seconds: number][];
}

/** MiB an hour. */
const rate = (perHour: number) => (perHour * MiB) / hour;

function scoreOf(cases: Record<string, Case>) {
  const labels = Object.entries(cases).map(
    ([id, { label }]): TraceLabels => ({
      id,
      family: "linear",
      label: "leak",
      onset: label.label === "healthy" ? null : 0,
      leak_rate_bytes_per_s: rate(10),
      oom_times: [],
      ...label,
    }),
  );
  const traces = Object.entries(cases).map(([id, { days = 7, processes = 1 }]): Trace => {
    const times = Float64Array.from({ length: days * 24 }, (_, i) => i * hour);
    const member = { times, resident: times, limit: times, startTime: times };
    return { id, members: Array.from({ length: processes }, (_, slot) => ({ slot, ...member })) };
  });
  const report = {
    traces: Object.entries(cases).map(([id, { alerts = [], timeToOom = [] }]) => ({
      id,
      episodes: alerts.map(
        ({ at, ...rest }): EpisodeReport => ({
          alert: "Leak",
          severity: "warning",
          class: "leak",
          slot: "0",
          start: at * hour,
          end: null,
          ...rest,
        }),
      ),
      time_to_oom: timeToOom.map(([at, seconds]): [number, number] => [at * hour, seconds]),
    })),
  };
  return score(report, new Map(traces.map((trace) => [trace.id, seenSeconds(trace)])), labels);
}

const healthy = { label: "healthy" } as const;

describe("precision and recall", () => {
  test("count traces: found leaks, missed ones, and healthy ones with an alert", () => {
    const found = { label: {}, alerts: [{ at: 30 }, { at: 40 }] };
    const {
      precision,
      recall,
      f1,
      leaks,
      healthy: wells,
    } = scoreOf({
      a: found,
      b: found,
      c: found,
      missed: { label: {} },
      well: { label: healthy },
      accused: { label: healthy, alerts: [{ at: 1 }, { at: 2 }] },
    });
    expect({ leaks, wells }).toEqual({ leaks: 4, wells: 2 });
    expect([precision, recall, f1]).toEqual([3 / 4, 3 / 4, 3 / 4]);
  });

  test.each([
    ["an alert before the onset finds nothing", { label: { onset: 10 * hour }, alerts: [{ at: 9 }] }, 0],
    ["one at the onset does", { label: { onset: 10 * hour }, alerts: [{ at: 10 }] }, 1],
    ["and so does one after an early one", { label: { onset: 10 * hour }, alerts: [{ at: 9 }, { at: 30 }] }, 1],
    ["an alert of another class finds nothing", { label: {}, alerts: [{ at: 30, class: "capacity" }] }, 0],
  ])("%s", (_, leak, recall) => {
    expect(scoreOf({ leak }).recall).toBe(recall);
  });

  test("an alert of another class on a healthy trace is not false", () => {
    const { precision } = scoreOf({
      leak: { label: {}, alerts: [{ at: 1 }] },
      full: { label: healthy, alerts: [{ at: 1, class: "capacity" }] },
    });
    expect(precision).toBe(1);
  });

  test("traces without a label, and labels without a trace, do not count", () => {
    const traces: ScoredTrace[] = [{ id: "unknown", episodes: [], time_to_oom: [] }];
    const label: TraceLabels = {
      id: "gone",
      family: "f",
      label: "leak",
      onset: 0,
      leak_rate_bytes_per_s: 1,
      oom_times: [],
    };
    expect(score({ traces }, new Map(), [label])).toMatchObject({ leaks: 0, healthy: 0 });
  });
});

test("false alerts are per process and week, each start counts", () => {
  const { falseAlerts } = scoreOf({
    // 2 processes for 14 days and one for 7: 5 process-weeks
    group: {
      label: healthy,
      days: 14,
      processes: 2,
      alerts: [{ at: 1 }, { at: 50, severity: "critical" }, { at: 90 }],
    },
    well: { label: healthy, days: 7 },
    leak: { label: {}, days: 70, alerts: [{ at: 1 }] },
  });
  expect(falseAlerts.all).toBeCloseTo(3 / 5, 10);
  expect(falseAlerts.critical).toBeCloseTo(1 / 5, 10);
});

test("the worst family is that of which the fewest are found; healthy ones do not count", () => {
  const { worstFamily, families } = scoreOf({
    a: { label: { family: "slow" }, alerts: [{ at: 30 }] },
    b: { label: { family: "slow" } },
    c: { label: { family: "fast" }, alerts: [{ at: 1 }] },
    d: { label: { ...healthy, family: "flat" } },
  });
  expect(worstFamily).toEqual({ family: "slow", recall: 1 / 2 });
  expect(families).toEqual([
    { family: "slow", label: "leak", traces: 2, hit: 1, medianDelayHours: 30 },
    { family: "fast", label: "leak", traces: 1, hit: 1, medianDelayHours: 1 },
    { family: "flat", label: "healthy", traces: 1, hit: 0, medianDelayHours: undefined },
  ]);
});

describe("the delay", () => {
  test("is the median from onset to the first alert, a missed leak counts as endless", () => {
    const leak = (at?: number): Case => ({
      label: { onset: 10 * hour },
      alerts: at === undefined ? [] : [{ at }, { at: at + 1 }],
    });
    expect(scoreOf({ a: leak(12), b: leak(14), c: leak() }).delayHours.medium).toBe(4);
    expect(scoreOf({ a: leak(12), b: leak(), c: leak() }).delayHours.medium).toBe(Number.POSITIVE_INFINITY);
  });

  test("is told by pace", () => {
    const leak = (perHour: number, at: number): Case => ({
      label: { leak_rate_bytes_per_s: rate(perHour) },
      alerts: [{ at }],
    });
    expect(scoreOf({ a: leak(300, 1), b: leak(20, 24), c: leak(1.4, 60) }).delayHours).toEqual({
      fast: 1,
      medium: 24,
      slow: 60,
    });
  });

  test.each([
    [60, "fast"],
    [59.9, "medium"],
    [5, "medium"],
    [4.9, "slow"],
  ])("%d MiB an hour is %s", (perHour, pace) => {
    expect(paceOf(rate(perHour))).toBe(pace);
  });
});

test("an OOM kill is warned of half an hour ahead, by an alert after the onset", () => {
  const killed = (at: number): Case => ({
    label: { onset: hour, oom_times: [10 * hour, 20 * hour] },
    alerts: [{ at }],
  });
  const share = (one: Case) => scoreOf({ one, other: { label: {} } }).warnedBeforeOom;
  expect(share(killed(9.5))).toBe(1);
  expect(share(killed(9.6))).toBe(0);
  expect(share(killed(0.5))).toBe(0);
});

describe("the error of the time to OOM", () => {
  // at half of the way, 5 h, 5 h are left
  const label = { tto: { start: 0, oom: 10 * hour, end: 10 * hour } };
  const errorAt = (one: Case) => scoreOf({ one }).timeToOomError;

  test("is relative to what is left at 50, 75 and 90 %", () => {
    const timeToOom: Case["timeToOom"] = [
      [5, 6 * hour],
      [7.5, 2 * hour],
      [9, hour],
    ];
    const errors = errorAt({ label, timeToOom });
    expect(errors["50"]).toBeCloseTo(0.2, 10);
    expect(errors["75"]).toBeCloseTo(0.2, 10);
    expect(errors["90"]).toBeCloseTo(0, 10);
  });

  test.each([
    ["the last estimate before counts, for ten minutes", [[4.9, 5 * hour]], 0],
    ["then there is none", [[4.8, 5 * hour]], Number.POSITIVE_INFINITY],
    ["one that comes later does not count", [[5.1, 5 * hour]], Number.POSITIVE_INFINITY],
  ] satisfies [string, Case["timeToOom"], number][])("%s", (_, timeToOom, error) => {
    expect(errorAt({ label, timeToOom })["50"]).toBe(error);
  });

  test("is not asked of a life that ended before", () => {
    const restarted = { tto: { start: 0, oom: 10 * hour, end: 6 * hour } };
    const errors = errorAt({ label: restarted, timeToOom: [[5, 5 * hour]] });
    expect(errors).toEqual({ "50": 0, "75": Number.NaN, "90": Number.NaN });
  });

  test("is the median of all traces that have one", () => {
    const estimate = (seconds: number): Case => ({ label, timeToOom: [[5, seconds]] });
    const cases = { a: estimate(5 * hour), b: estimate(6 * hour), c: estimate(20 * hour), d: { label: {} } };
    expect(scoreOf(cases).timeToOomError["50"]).toBeCloseTo(0.2, 10);
  });
});

test.each([
  ["the usual distance", [0, 60, 120, 600, 660], 60],
  ["nothing of one sample", [5], 0],
  ["nothing of none", [], 0],
])("the step of a trace is %s", (_, times, step) => {
  expect(medianStep(times)).toBe(step);
});
