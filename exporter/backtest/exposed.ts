// What the exporter would have exposed of a trace: the per-process gauges, and the ledger's counters, kept by the same
// code that judges ended lives in the exporter itself.

import { ledger } from "../../catalog/defaults.ts";
import { type Detection, detection, newHighWindows } from "../../catalog/detection.ts";
import type { Metric } from "../../catalog/metric.ts";
import { groupMetrics, processMetrics, recentMetrics } from "../../catalog/metrics.ts";
import { isSteadyCadence } from "../ledger/cadence.ts";
import { judgeEndedLife } from "../memory/ended-life.ts";
import { LifeHistory } from "../memory/life-history.ts";
import { SlotMemory } from "../memory/slot-memory.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import type { Member, Trace } from "./traces.ts";

/** One end of a life, as the ledger books it. */
interface End {
  /** When the next life was first seen, which is when it is counted, in seconds. */
  readonly seen: number;
  readonly growing: boolean;
  readonly reason: "suspected_oom" | "scheduled" | "exit";
}

/** Series by name, on the trace's clock; with windows of another clock where that runs faster. */
export function exposedSeries(trace: Trace, windows: Detection = detection): Map<string, Samples[]> {
  const series = new Map<string, Samples[]>();
  const add = (name: string, labels: LabelSet, times: Float64Array, values: Float64Array) => {
    series.set(name, [...(series.get(name) ?? []), { labels: { __name__: name, ...labels }, times, values }]);
  };
  for (const member of trace.members) {
    const labels = { group: trace.id, slot: String(member.slot) };
    add(processMetrics.residentMemory.name, labels, member.times, member.resident);
    add(processMetrics.startTime.name, labels, member.times, member.startTime);
    add(processMetrics.memoryLimit.name, labels, member.times, member.limit);
    for (const { metric, window, values } of recentOf(member, windows)) {
      add(metric.name, window === undefined ? labels : { ...labels, window }, member.times, values);
    }
  }
  const times = allTimes(trace.members);
  const ends = trace.members.flatMap(endsOf);
  const counter = (counts: (end: End) => boolean) =>
    runningCount(
      times,
      ends.filter(counts).map(({ seen }) => seen),
    );
  const group = { group: trace.id };
  add(
    groupMetrics.livesEnded.name,
    group,
    times,
    counter(() => true),
  );
  add(
    groupMetrics.livesEndedGrowing.name,
    group,
    times,
    counter(({ growing }) => growing),
  );
  for (const reason of ["suspected_oom", "scheduled", "exit"] as const) {
    add(
      groupMetrics.restarts.name,
      { ...group, reason },
      times,
      counter((end) => end.reason === reason),
    );
  }
  return series;
}

export interface Recent {
  readonly metric: Metric;
  readonly window?: string;
  /** At the times of the member; NaN where there is no series. */
  readonly values: Float64Array;
}

/** One of the numbers that the exporter makes of a slot's memory. */
export interface RecentValue {
  readonly metric: Metric;
  readonly window?: string;
  readonly of: (memory: SlotMemory) => number;
}

export const recentValues: readonly RecentValue[] = [
  { metric: recentMetrics.floor, of: ({ floor }) => floor },
  { metric: recentMetrics.hourFloor, of: ({ hourFloor }) => hourFloor },
  { metric: recentMetrics.peak, of: ({ peak }) => peak },
  { metric: recentMetrics.headroom, of: ({ headroom }) => headroom },
  { metric: recentMetrics.youngStart, of: ({ youngStart }) => youngStart },
  ...newHighWindows(detection).map(({ window }, i) => ({
    metric: recentMetrics.newHigh,
    window,
    of: (memory: SlotMemory) => memory.newHigh(i),
  })),
];

/** What the memory did lately, by the same code as in the exporter. */
export function recentOf({ times, resident, startTime, limit }: Member, windows: Detection = detection): Recent[] {
  const memory = new SlotMemory({}, windows);
  const recent = recentValues.map((one) => ({ ...one, values: new Float64Array(times.length) }));
  for (let i = 0; i < times.length; i++) {
    memory.add(times[i] as number, {
      resident: resident[i] as number,
      startTime: startTime[i] as number,
      limit: limit[i] as number,
    });
    for (const { values, of } of recent) values[i] = of(memory);
  }
  return recent;
}

/** Every life but the last ended. Traces do not tell why; nearness to the limit and a steady beat do. */
function endsOf({ times, resident, limit, startTime }: Member): End[] {
  const ends: End[] = [];
  const starts: number[] = [];
  let history = new LifeHistory();
  for (let i = 0; i < times.length; i++) {
    const start = startTime[i] as number;
    const before = startTime[i - 1];
    if (before === undefined) starts.push(start);
    else if (start !== before) {
      starts.push(start);
      const nearLimit = (resident[i - 1] as number) >= ledger.nearLimitRatio * (limit[i - 1] as number);
      const scheduled = !nearLimit && isSteadyCadence(starts);
      ends.push({
        seen: times[i] as number,
        growing: judgeEndedLife(history).growing,
        reason: nearLimit ? "suspected_oom" : scheduled ? "scheduled" : "exit",
      });
      history = new LifeHistory();
    }
    history.add(times[i] as number, resident[i] as number);
  }
  return ends;
}

function allTimes(members: readonly Member[]): Float64Array {
  if (members.length === 1) return (members[0] as Member).times;
  return Float64Array.from(new Set(members.flatMap(({ times }) => [...times]))).sort();
}

function runningCount(times: Float64Array, events: readonly number[]): Float64Array {
  const sorted = [...events].sort((a, b) => a - b);
  let seen = 0;
  return times.map((t) => {
    while (seen < sorted.length && (sorted[seen] as number) <= t) seen++;
    return seen;
  });
}
