// What the exporter would expose about a process, a group, or itself.

import { evidenceWords, reasonWords } from "../../catalog/last-exit.ts";
import {
  groupMetrics,
  processInfo,
  processMetrics,
  type RestartReason,
  recentMetrics,
  restartReasons,
} from "../../catalog/metrics.ts";
import { type RecentValue, recentValues } from "../../exporter/backtest/exposed.ts";
import { CountRise } from "../../exporter/memory/count-rise.ts";
import { SlotMemory } from "../../exporter/memory/slot-memory.ts";
import { alongside, gap, lengthOf, level, notation, type Stretch, stretchesOf, valuesOf } from "./shape.ts";

export type Labels = Readonly<Record<string, string>>;

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

export const series = (name: string, labels: Labels, ...stretches: readonly Stretch[]): InputSeries => ({
  series: `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(",")}}`,
  values: notation(stretches),
});

/** One life of a process. `age` is how long it has run when the test begins, in minutes. */
export interface Life {
  readonly memory: readonly Stretch[];
  readonly age?: number;
}

/** Memory, start time and limit of a slot, life after life. A gap at the end of a life is the time until the next. */
export function memoryOf(labels: Labels, limit: number, ...lives: readonly Life[]): InputSeries[] {
  let now = 0;
  const starts = lives.flatMap(({ memory, age = 0 }) => {
    const stretches = alongside(memory, (now - age) * 60);
    now += lengthOf(memory);
    return stretches;
  });
  const memory = lives.flatMap((life) => life.memory);
  return toldOf(labels, { memory, starts, limits: alongside(memory, limit) });
}

/** What an exporter sees of one slot. */
export interface Seen {
  readonly memory: readonly Stretch[];
  /** In seconds. */
  readonly starts: readonly Stretch[];
  readonly limits: readonly Stretch[];
  /** How far the exporter's clock is ahead of the server's, in minutes. */
  readonly clockAhead?: number;
  /** Minutes at which the exporter is started again, and remembers nothing. */
  readonly exporterRestarts?: readonly number[];
}

/** What it tells of that: the readings, and what the memory did lately, by the exporter's own code. */
export function toldOf(labels: Labels, seen: Seen): InputSeries[] {
  const slot = { ...labels, slot: labels["slot"] ?? "0" };
  const ahead = (seen.clockAhead ?? 0) * 60;
  const later = ({ minutes, from, step }: Stretch) => ({
    minutes,
    from: from === undefined ? from : from + ahead,
    step,
  });
  return [
    series(processMetrics.residentMemory.name, slot, ...seen.memory),
    series(processMetrics.startTime.name, slot, ...seen.starts.map(later)),
    series(processMetrics.memoryLimit.name, slot, ...seen.limits),
    ...recentOf(seen).map(({ metric, window, stretches }) =>
      series(
        metric.name,
        window === undefined ? slot : { ...slot, window },
        ...(metric === recentMetrics.youngStart ? stretches.map(later) : stretches),
      ),
    ),
  ];
}

function recentOf({ memory, starts, limits, exporterRestarts = [] }: Seen) {
  const resident = valuesOf(memory);
  const startTimes = valuesOf(starts);
  const bounds = valuesOf(limits);
  const told = new Map<RecentValue, (number | undefined)[]>();
  let remembered = new SlotMemory({});
  resident.forEach((bytes, minute) => {
    if (exporterRestarts.includes(minute)) remembered = new SlotMemory({});
    if (bytes === undefined) return;
    const [startTime = Number.NaN, limit = Number.NaN] = [startTimes[minute], bounds[minute]];
    remembered.add(minute * 60, { resident: bytes, startTime, limit });
    for (const one of recentValues) {
      const value = one.of(remembered);
      if (Number.isNaN(value)) continue;
      const values = told.get(one) ?? new Array<number | undefined>(resident.length).fill(undefined);
      values[minute] = value;
      told.set(one, values);
    }
  });
  return [...told].map(([one, values]) => ({ ...one, stretches: stretchesOf(values) }));
}

/** What the exporter tells of a count that grows; the start of the process is in seconds. */
export function riseOf(counts: readonly Stretch[], startTime: number): Stretch[] {
  const count = new CountRise();
  return stretchesOf(
    valuesOf(counts).map((value, minute) => {
      count.add(minute * 60, value ?? Number.NaN, startTime);
      return value === undefined || Number.isNaN(count.rise) ? undefined : count.rise;
    }),
  );
}

/** Where the limit of a slot comes from. */
export const limitSource = (labels: Labels, source: "cgroup" | "node", minutes: number): InputSeries =>
  series(processInfo.memoryLimit.name, { ...labels, slot: "0", source }, level(1, minutes));

/** The end of a life, in minutes after the test begins. */
export interface End {
  readonly at: number;
  readonly reason: RestartReason;
  readonly growing?: boolean;
}

const evidence: Record<RestartReason, keyof typeof evidenceWords> = {
  oom: "cgroup_oom_kill",
  suspected_oom: "near_limit",
  scheduled: "steady_cadence",
  exit: "none",
  unknown: "not_watched",
};

/** The counters of a group. They start again from 0 when the exporter itself is restarted, at these times. */
export function ledgerOf(
  labels: Labels,
  minutes: number,
  ends: readonly End[],
  exporterRestarts: readonly number[] = [],
): InputSeries[] {
  const counted = (name: string, more: Labels, counts: (end: End) => boolean) => {
    const changes = [...ends.filter(counts).map(({ at }) => at), ...exporterRestarts].sort((a, b) => a - b);
    const stretches: Stretch[] = [];
    let value = 0;
    let from = 0;
    for (const at of changes) {
      if (at > from) stretches.push(level(value, at - from));
      value = exporterRestarts.includes(at) ? 0 : value + 1;
      from = at;
    }
    return series(name, { ...labels, ...more }, ...stretches, level(value, minutes - from));
  };
  const [first] = ends;
  return [
    counted(groupMetrics.livesEnded.name, {}, () => true),
    counted(groupMetrics.livesEndedGrowing.name, {}, ({ growing }) => growing === true),
    counted(groupMetrics.oomKills.name, {}, ({ reason }) => reason === "oom"),
    ...restartReasons.map((reason) => counted(groupMetrics.restarts.name, { reason }, (end) => end.reason === reason)),
    ...restartReasons
      .filter((reason) => ends.some((end) => end.reason === reason))
      .map((reason) =>
        series(
          groupMetrics.lastEnd.name,
          { ...labels, reason, evidence: evidence[reason] },
          gap(first?.at ?? 0),
          ...ends.map((end, i) => {
            const until = (ends[i + 1]?.at ?? minutes) - end.at;
            return end.reason === reason ? level(1, until) : gap(until);
          }),
        ),
      ),
    ...(first === undefined
      ? []
      : [series(groupMetrics.lastEndMemoryLimit.name, labels, gap(first.at), level(0.97, minutes - first.at))]),
  ];
}

/** How the text of an alert says it. */
export const lastExit = (reason: RestartReason) =>
  `Last exit: ${reasonWords[reason]} (${evidenceWords[evidence[reason]]}), at 97% of its limit.`;

/** A value that changes at these minutes; undefined where there is no sample. */
export function changing(
  minutes: number,
  ...points: readonly (readonly [from: number, value: number | undefined])[]
): Stretch[] {
  const ends = [...points.slice(1).map(([from]) => from), minutes];
  const stretches = points.map(
    ([from, value], i): Stretch => ({ minutes: (ends[i] ?? minutes) - from, from: value, step: 0 }),
  );
  const [first] = points;
  return [...(first !== undefined && first[0] > 0 ? [gap(first[0])] : []), ...stretches];
}

/** Ends at these times, all alike. */
export const endsAt = (at: readonly number[], reason: RestartReason, growing = false): End[] =>
  at.map((time) => ({ at: time, reason, growing }));

/** `from`, `from + step`, … before `to`. */
export const every = (step: number, from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
