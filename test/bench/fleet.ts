// A thousand slots with a past: what the exporter would have exposed of them, and what the rules would have recorded. Some
// forty processes are worked out, by the builtin engine from the same rules; all others are copies under other names.

import { KiB, MiB } from "../../catalog/defaults.ts";
import type { Metric } from "../../catalog/metric.ts";
import { metricFamilies, processMetrics, recentMetrics, restartReasons } from "../../catalog/metrics.ts";
import { type Recent, recentOf } from "../../exporter/backtest/exposed.ts";
import type { LabelSet, Samples } from "../../exporter/promql/series.ts";
import { RuleEngine } from "../../exporter/rule-engine/engine.ts";
import { type FileGroup, reaches, recordingGroups } from "./rule-file.ts";

export const slotsPerGroup = 4;
const modelGroups = 10;
const day = 86_400;
/** Age of every process, in days: enough for every window that the rules have. */
const age = 8 * day;
const scrapeInterval = 15;
/** The recorded series, and what the exporter tells of the last while, are worked out from samples at this distance. */
const modelStep = 60;
/** The present goes on for this long, in seconds. */
const present = 3600;

/** One series: how far back it is needed, and its value at a time; NaN where it has none. */
export interface FleetSeries {
  labels: LabelSet;
  step: number;
  /** Seconds of history. */
  reach: number;
  value(time: number): number;
}

export interface Fleet {
  /** What a server would scrape. */
  scraped: FleetSeries[];
  /** What the rules recorded until now. */
  recorded: FleetSeries[];
  /** Names that the rules read and nothing here provides. */
  absent: string[];
}

/** `now` is the end of the history; one process in `leaks` grows, which is 40 at the most. */
export function makeFleet(groups: readonly FileGroup[], slots: number, now: number, leaks = 10): Fleet {
  const reach = reaches(groups);
  const copies = slots / slotsPerGroup / modelGroups;
  const metrics = [...metricFamilies.flatMap((family) => family.metrics as readonly Metric[]), ...ofOthers];
  const read = metrics.filter(({ name }) => reach.has(name));
  const models = read.flatMap((metric) => modelsOf(metric, now, leaks).map((model) => ({ metric, ...model })));

  const base = new Map<string, Samples[]>();
  const times = Float64Array.from({ length: age / modelStep }, (_, i) => now - age + i * modelStep);
  for (const { metric, labels, value } of models) {
    const samples = { labels: { __name__: metric.name, ...labels }, times, values: times.map(value) };
    base.set(metric.name, [...(base.get(metric.name) ?? []), samples]);
  }
  const recordings = recordingGroups(groups);
  const { series } = new RuleEngine(recordings).evaluate(base, now - age, now);
  const interval = new Map(recordings.flatMap((group) => group.rules.map((rule) => [rule, group.interval] as const)));

  const scraped = models.flatMap(({ metric, labels, value }) =>
    copiesOf({ __name__: metric.name, ...labels }, copies).map((copy) => ({
      labels: copy,
      step: scrapeInterval,
      reach: reach.get(metric.name) ?? 0,
      value,
    })),
  );
  const recorded = [...interval].flatMap(([rule, step]) => {
    const name = "record" in rule ? rule.record : "";
    const needed = reach.get(name);
    if (needed === undefined) return [];
    return (series.get(name) ?? []).flatMap((samples) => {
      const value = valueIn(samples, step);
      return copiesOf(samples.labels, copies).map((labels) => ({ labels, step, reach: Math.min(needed, age), value }));
    });
  });
  const known = new Set([...read.map(({ name }) => name), ...recordings.flatMap((g) => g.rules.map(nameOf)), "ALERTS"]);
  return { scraped, recorded: unique(recorded), absent: [...reach.keys()].filter((name) => !known.has(name)) };
}

/** Of the exporter as any program, and of its target. */
const ofOthers: readonly Metric[] = [
  { name: "up", type: "gauge", help: "", unit: undefined, labels: [] },
  { name: "process_resident_memory_bytes", type: "gauge", help: "", unit: "bytes", labels: [] },
  { name: "process_start_time_seconds", type: "gauge", help: "", unit: "seconds", labels: [] },
];

const nameOf = (rule: { record: string } | object) => ("record" in rule ? rule.record : "");

/** Rules with one name and different labels give each series more than once. */
function unique(all: readonly FleetSeries[]): FleetSeries[] {
  return [...new Map(all.map((series) => [JSON.stringify(series.labels), series])).values()];
}

/** Samples of the engine lie on the multiples of the rule's interval. */
function valueIn({ times, values }: Samples, step: number): (time: number) => number {
  const first = times[0] ?? 0;
  return (time) => values[Math.round((time - first) / step)] ?? Number.NaN;
}

interface Model {
  labels: Record<string, string>;
  value: (time: number) => number;
}

/** A metric's series of the model groups, or the one that it has without a group. */
function modelsOf(metric: Metric, now: number, leaks: number): Model[] {
  const names = metric.labels;
  const own = names.filter((name) => name !== "group" && name !== "slot" && name !== "reason");
  const rest = { job: "leakwatch", instance: "host-0:9847", ...Object.fromEntries(own.map((name) => [name, name])) };
  if (!names.includes("group")) return [{ labels: rest, value: hostValue(metric, now - age) }];
  if (isRecent(metric)) return recentModels(metric, rest, now, leaks);
  return Array.from({ length: modelGroups }, (_, g) => g).flatMap((g): Model[] => {
    const labels = { ...rest, group: `service-${g}` };
    const reasons = names.includes("reason") ? restartReasons.map((reason) => ({ ...labels, reason })) : [labels];
    if (!names.includes("slot")) return reasons.map((all) => ({ labels: all, value: groupValue(metric) }));
    return Array.from({ length: slotsPerGroup }, (_, slot) => ({
      labels: { ...labels, slot: String(slot) },
      value: slotValue(metric, g * slotsPerGroup + slot, now - age, leaks),
    }));
  });
}

const isRecent = ({ name }: Metric) => Object.values(recentMetrics).some((metric) => metric.name === name);

/** What the exporter makes of the memory itself. */
function recentModels({ name }: Metric, rest: Record<string, string>, now: number, leaks: number): Model[] {
  return Array.from({ length: modelGroups * slotsPerGroup }, (_, process) => process).flatMap((process) => {
    const group = `service-${Math.floor(process / slotsPerGroup)}`;
    const labels = { ...rest, group, slot: String(process % slotsPerGroup) };
    return recents(process, now, leaks)
      .filter(({ metric }) => metric.name === name)
      .map(({ window, values }) => ({
        labels: window === undefined ? labels : { ...labels, window },
        value: (time) => values[Math.floor((time - (now - age)) / modelStep)] ?? Number.NaN,
      }));
  });
}

const madeRecents = new Map<string, Recent[]>();

function recents(process: number, now: number, leaks: number): Recent[] {
  const key = [process, now, leaks].join();
  const known = madeRecents.get(key);
  if (known !== undefined) return known;
  const born = now - age;
  const times = Float64Array.from({ length: (age + present) / modelStep }, (_, i) => born + i * modelStep);
  const valuesOf = (metric: Metric) => times.map(slotValue(metric, process, born, leaks));
  const made = recentOf({
    slot: 0,
    times,
    resident: valuesOf(processMetrics.residentMemory),
    startTime: valuesOf(processMetrics.startTime),
    limit: valuesOf(processMetrics.memoryLimit),
  });
  madeRecents.set(key, made);
  return made;
}

/** The exporter is as old as what it watches, took its last sample just now, and is content. */
function hostValue({ name, unit }: Metric, born: number): (time: number) => number {
  if (name.includes("start_time")) return () => born;
  if (unit === "seconds") return (time) => time;
  return unit === "bytes" ? (time) => (40 + pseudoRandom(0, time)) * MiB : () => (name.includes("unreadable") ? 0 : 1);
}

/** Nothing of the group has ended since the exporter was started. */
const groupValue =
  ({ type, name }: Metric) =>
  () =>
    type === "counter" ? 0 : name.endsWith("_processes") ? slotsPerGroup : 1;

/** One in `leaks` grows, four in ten follow the day, the others are level; a little noise is in all of them. */
function slotValue({ name }: Metric, process: number, born: number, leaks: number): (time: number) => number {
  const size = (100 + ((process * 211) % 800)) * MiB;
  const growth = process % leaks === 3 ? (size * (0.2 + 0.1 * (process % 7))) / age : 0;
  const wave = process % 10 >= 6 ? 0.15 : 0;
  const level = (time: number) => {
    const noise = 0.01 * pseudoRandom(process, time);
    return size * (1 + noise + wave * Math.sin((2 * Math.PI * time) / day)) + growth * (time - born);
  };
  switch (name) {
    case processMetrics.startTime.name:
      return () => born;
    case processMetrics.memoryLimit.name:
      return () => 3 * size;
    case processMetrics.threads.name:
      return (time) => 8 + Math.round(4 * pseudoRandom(process + 1, time));
    case processMetrics.openFds.name:
      return (time) => 24 + Math.round(20 * pseudoRandom(process + 2, time));
    case processMetrics.maxFds.name:
      return () => 1024;
    case processMetrics.maxThreads.name:
      return () => 4096;
    default:
      return name.endsWith("_bytes") ? (time) => Math.floor(level(time) / (4 * KiB)) * 4 * KiB : () => 1;
  }
}

/** From 0 to 1, always the same for the same process and time. */
function pseudoRandom(process: number, time: number): number {
  let hash = Math.imul(process + 1, 0x9e3779b1) ^ Math.imul(Math.floor(time), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 32;
}

const hosts = 10;

/** The same series of other groups, which are spread over the hosts, or of each host. */
function copiesOf(labels: LabelSet, copies: number): LabelSet[] {
  const { group, instance } = labels;
  if (group === undefined && instance === undefined) return [labels];
  return Array.from({ length: group === undefined ? hosts : copies }, (_, copy) => ({
    ...labels,
    ...(group === undefined ? {} : { group: `${group}-${copy}` }),
    ...(instance === undefined ? {} : { instance: `host-${copy % hosts}:9847` }),
  }));
}
