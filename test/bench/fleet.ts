// A thousand slots with a past: what the exporter would have exposed of them, and what the rules would have recorded. Two
// hundred processes in fifty groups are described; all others are copies under other names.

import { MiB } from "../../catalog/defaults.ts";
import type { Metric } from "../../catalog/metric.ts";
import {
  groupMetrics,
  growthLabels,
  judgeMetrics,
  metricFamilies,
  processMetrics,
  restartReasons,
} from "../../catalog/metrics.ts";
import { groupRecordings } from "../../catalog/recordings.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import { type FileGroup, reaches, seconds } from "./rule-file.ts";

export const slotsPerGroup = 4;
const modelGroups = 50;
const hour = 3600;
const day = 24 * hour;
/** Age of every process, in seconds: enough for all that the rules look back to, but for the month of recurring restarts. */
const age = 8 * day;
const scrapeInterval = 15;

export type LabelSet = Readonly<Record<string, string>>;

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

interface Model {
  name: string;
  labels: LabelSet;
  value: (time: number) => number;
}

/** `now` is the end of the history; one process in `leaks` grows, which is 40 at the most. */
export function makeFleet(groups: readonly FileGroup[], slots: number, now: number, leaks = 10): Fleet {
  const reach = reaches(groups);
  const copies = slots / slotsPerGroup / modelGroups;
  const metrics = [...metricFamilies.flatMap((family) => family.metrics as readonly Metric[]), ...ofOthers];
  const exported = metrics.flatMap((metric) => modelsOf(metric, now, leaks)).filter(({ name }) => reach.has(name));
  // several rules may record under one name
  const intervals = new Map(
    groups.flatMap(({ interval, rules }) => rules.map(({ record }) => [record ?? "", seconds(interval)] as const)),
  );
  const made = [...intervals].flatMap(([record, step]) =>
    reach.has(record) ? recordedModels(record, now).map((model) => ({ ...model, step })) : [],
  );
  const copied = (model: Model, step: number) =>
    copiesOf({ __name__: model.name, ...model.labels }, copies).map((labels) => ({
      labels,
      step,
      reach: Math.min(reach.get(model.name) ?? 0, age),
      value: model.value,
    }));
  const known = new Set([...metrics.map(({ name }) => name), ...intervals.keys(), "ALERTS"]);
  return {
    scraped: exported.flatMap((model) => copied(model, scrapeInterval)),
    recorded: made.flatMap((model) => copied(model, model.step)),
    absent: [...reach.keys()].filter((name) => !known.has(name)),
  };
}

/** Of the exporter as any program, and of its target. */
const ofOthers: readonly Metric[] = [
  { name: "up", type: "gauge", help: "", unit: undefined, labels: [] },
  { name: "process_start_time_seconds", type: "gauge", help: "", unit: "seconds", labels: [] },
];

const target = { job: "leakwatch", instance: "host-0:9847" };
const groupOf = (g: number) => ({ ...target, group: `service-${g}` });

/** A metric's series of the model groups, or the one that it has without a group. */
function modelsOf(metric: Metric, now: number, leaks: number): Model[] {
  const { name, labels: names } = metric;
  const own = names.filter((label) => !["group", "slot", "reason", "window", "verdict"].includes(label));
  const rest = { ...target, ...Object.fromEntries(own.map((label) => [label, label])) };
  if (!names.includes("group")) return [{ name, labels: rest, value: hostValue(metric, now - age) }];
  return Array.from({ length: modelGroups }, (_, g) => g).flatMap((g): Model[] => {
    const labels = { ...rest, ...groupOf(g) };
    if (!names.includes("slot")) return groupModels(metric, g, labels);
    return Array.from({ length: slotsPerGroup }, (_, slot) => slot).flatMap((slot) =>
      slotModels(metric, g * slotsPerGroup + slot, { ...labels, slot: String(slot) }, now - age, leaks),
    );
  });
}

/** The exporter is as old as what it watches, took its last sample just now, and is content. */
function hostValue({ name, unit }: Metric, born: number): (time: number) => number {
  if (name.includes("start_time")) return () => born;
  if (unit === "seconds") return (time) => time;
  return () => (name.includes("unreadable") || name.includes("severity") ? 0 : 1);
}

/** One service in fifty crashes every five hours, another is killed once a day; nothing of the others has ended. */
const crashes = (g: number, time: number) => (g === 0 ? Math.floor(time / (5 * hour)) % 10_000 : 0);
const kills = (g: number, time: number) => (g === 1 ? Math.floor(time / day) % 10_000 : 0);

function groupModels({ name, labels: names, type }: Metric, g: number, labels: LabelSet): Model[] {
  const counts = (time: number) => crashes(g, time) + kills(g, time);
  if (name === groupMetrics.restarts.name) {
    return restartReasons.map((reason) => ({
      name,
      labels: { ...labels, reason },
      value: (time) => (reason === "exit" ? crashes(g, time) : reason === "oom" ? kills(g, time) : 0),
    }));
  }
  if (name === groupMetrics.oomKills.name) return [{ name, labels, value: (time) => kills(g, time) }];
  if (name === groupMetrics.livesEnded.name) return [{ name, labels, value: counts }];
  const more = names.includes("verdict") ? { verdict: "stable" } : {};
  const value = name === groupMetrics.processes.name ? slotsPerGroup : type === "counter" ? 0 : 1;
  return [{ name, labels: { ...labels, ...more }, value: () => value }];
}

/** What the restart rules have recorded, by the hour as they count; dropped groups are none. */
function recordedModels(record: string, now: number): Model[] {
  const gained = (count: (g: number, time: number) => number, g: number) => (time: number) =>
    count(g, time) - count(g, time - hour) || Number.NaN;
  const kinds = { oom_restart: kills, oom_kill: kills, restart: crashes };
  return Array.from({ length: modelGroups }, (_, g) => g).flatMap((g): Model[] => {
    const labels = groupOf(g);
    const byKind = (value: (count: typeof crashes) => Model["value"]) =>
      Object.entries(kinds).map(([kind, count]) => ({
        name: record,
        labels: { ...labels, kind },
        value: value(count),
      }));
    switch (record) {
      case groupRecordings.incidents.name:
        return byKind((count) => (time) => count(g, time));
      case groupRecordings.incidentsInHour.name:
      case groupRecordings.incidentsForLoop.name:
        return byKind((count) => gained(count, g));
      case groupRecordings.oomKills.name:
        return [{ name: record, labels, value: gained(kills, g) }];
      case groupRecordings.restarts.name:
      case groupRecordings.livesEnded.name:
        return [{ name: record, labels, value: gained((of, time) => crashes(of, time) + kills(of, time), g) }];
      case groupRecordings.running.name:
        return [{ name: record, labels, value: (time) => (time <= now ? slotsPerGroup : Number.NaN) }];
      default:
        return [];
    }
  });
}

/** One in `leaks` grows, two in ten fill their caches, the others are level; a little noise is in all of them. */
function slotModels(
  { name, labels: names }: Metric,
  process: number,
  labels: LabelSet,
  born: number,
  leaks: number,
): Model[] {
  const size = (100 + ((process * 211) % 800)) * MiB;
  const leaking = process % leaks === 3;
  const growing = process % 10 >= 8;
  const perSecond = leaking ? (size * (0.2 + 0.1 * (process % 7))) / age : 0;
  const memory = (time: number) =>
    Math.floor(size * (1 + 0.01 * pseudoRandom(process, time)) + perSecond * (time - born));
  const limit = 3 * size;
  const one = (value: Model["value"], more: LabelSet = {}): Model => ({ name, labels: { ...labels, ...more }, value });
  const word = leaking ? "leaking" : growing ? "growing" : "stable";
  switch (name) {
    case judgeMetrics.verdict.name:
      return [one(() => verdictCode[word], { verdict: word })];
    case judgeMetrics.severity.name:
      return [one(() => (leaking ? 1 : 0))]; // weeks are left
    case judgeMetrics.growth.name:
      return growthLabels.map((window) =>
        one((time) => perSecond + 100 * (pseudoRandom(process, Math.floor(time / 60)) - 0.5), { window }),
      );
    case judgeMetrics.leakGrowth.name:
    case judgeMetrics.confidence.name:
      return leaking ? [one(() => (name === judgeMetrics.confidence.name ? 0.9 : perSecond))] : [];
    case judgeMetrics.timeToOom.name:
      return leaking ? [one((time) => (limit - memory(time)) / perSecond)] : [];
    case judgeMetrics.timeToFdLimit.name:
    case judgeMetrics.timeToThreadLimit.name:
      return process % 200 === 7 ? [one(() => 3 * day)] : [];
    case processMetrics.startTime.name:
      return [one(() => born)];
    case processMetrics.memoryLimit.name:
      return [one(() => limit)];
    case processMetrics.heapLimit.name:
      return process % 2 === 0 ? [one(() => 2 * size)] : [];
    default:
      if (names.includes("runtime") && process % 2 === 1) return [];
      if (names.includes("runtime")) return [one(() => 1, { runtime: "v8", source: "default" })];
      if (names.includes("source")) return [one(() => 1, { source: process % 5 === 0 ? "node" : "cgroup" })];
      return [one(name.endsWith("_bytes") ? memory : () => 1)];
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
