// A day of what an exporter exports, and the rules record, of two services: one leaks and was restarted this morning, the other is
// flat. Every series of the catalogue is there; what its value is follows from its name. On the clock of the demo the day is as much
// shorter.

import type { Metric } from "../../catalog/metric.ts";
import {
  groupMetrics,
  growthLabels,
  judgeMetrics,
  metricFamilies,
  processInfo,
  processMetrics,
} from "../../catalog/metrics.ts";
import { groupRecordings, recordings } from "../../catalog/recordings.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import { type Clock, life } from "../../dashboards/clock.ts";
import type { LabelSet } from "../bench/fleet.ts";
import { encodeLabels, encodeWrite } from "../bench/remote-write.ts";

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;

interface Service {
  readonly group: string;
  readonly verdict: "leaking" | "stable";
  /** Bytes per hour. */
  readonly perHour: number;
  readonly memory: number;
  /** Hours before now. */
  readonly age: number;
}

const limit = GiB;

export const services: readonly Service[] = [
  { group: "checkout-api", verdict: "leaking", perHour: 40 * MiB, memory: 800 * MiB, age: 6 },
  { group: "database", verdict: "stable", perHour: 0, memory: 500 * MiB, age: 9 * 24 },
];

/** Hours until the limit, at this pace. */
export const hoursLeft = ({ perHour, memory }: Service) =>
  perHour > 0 ? (limit - memory) / MiB / (perHour / MiB) : undefined;

interface Series {
  readonly labels: LabelSet;
  readonly value: (time: number) => number;
  /** Seconds between two samples, where that is not a scrape. */
  readonly every?: number;
}

/** Seconds. */
interface Day {
  readonly now: number;
  readonly hour: number;
}

const target = { cluster: "eu", namespace: "shop", job: "leakwatch", instance: "10.0.0.7:9847" };

/** Bodies of remote writes, from the past to the present. */
export function* exportedDay(now: number, clock: Clock = life): Generator<Uint8Array<ArrayBuffer>> {
  const hour = clock.seconds("1h");
  const day = { now, hour };
  const all = [...ofCatalogue(day), ...recordedOf(day, clock), ...others(day)].map((series) => ({
    ...series,
    encoded: encodeLabels(series.labels),
  }));
  for (let from = now - 26 * hour; from < now; from += hour) {
    const stretches = all.map(({ encoded, value, every = clock.seconds("1m") }) => {
      const times = Array.from({ length: hour / every }, (_, i) => from + (i + 1) * every);
      const known = times.filter((time) => !Number.isNaN(value(time)));
      return { labels: encoded, times: known, values: known.map(value) };
    });
    yield encodeWrite(stretches.filter(({ times: known }) => known.length > 0));
  }
}

function ofCatalogue(day: Day): Series[] {
  const metrics = metricFamilies.flatMap((family) => family.metrics as readonly Metric[]);
  return metrics.flatMap((metric) => {
    const text = (label: string) =>
      label === "cgroup" ? "/shop" : label === "image" ? "registry/shop:2.3" : `a-${label}`;
    const own = Object.fromEntries(metric.labels.map((label) => [label, text(label)]));
    if (!metric.labels.includes("group")) {
      return [{ labels: { __name__: metric.name, ...target, ...own }, value: hostValue(metric, day) }];
    }
    return services.flatMap((service) => {
      const labels = { __name__: metric.name, ...target, ...own, group: service.group };
      const slot: LabelSet = metric.labels.includes("slot") ? { slot: "0" } : {};
      return valuesOf(metric, service, day).map(({ more = {}, value }) => ({
        labels: { ...labels, ...slot, ...more },
        value,
      }));
    });
  });
}

function hostValue({ name, unit, type }: Metric, { now, hour }: Day): (time: number) => number {
  if (name.includes("timestamp")) return (time) => time - 2;
  if (type === "info") return () => 1;
  if (name.includes("severity")) return () => 0;
  if (type === "counter") return (time) => (time - now + 26 * hour) / 100;
  return unit === "bytes" ? () => 300 * MiB : () => 1;
}

interface Valued {
  readonly more?: LabelSet;
  readonly value: (time: number) => number;
}

/** Before its start there was another process, which went the same way. */
function valuesOf({ name, unit, type, labels }: Metric, service: Service, { now, hour }: Day): Valued[] {
  const { verdict, perHour } = service;
  const age = service.age * hour;
  const start = (time: number) => (time >= now - age ? now - age : now - age - 12 * hour);
  const memory = (time: number) =>
    service.memory - (perHour * (now - time)) / hour + (time < now - age ? age * (perHour / hour) : 0);
  const leaks = verdict === "leaking";
  const onlyLeaking = (value: Valued["value"]): Valued[] => (leaks ? [{ value }] : []);
  switch (name) {
    case judgeMetrics.verdict.name:
    case groupMetrics.verdict.name:
      return [{ more: { verdict }, value: () => verdictCode[verdict] }];
    case judgeMetrics.growth.name:
      return growthLabels.map((window) => ({ more: { window }, value: () => perHour / hour }));
    case judgeMetrics.timeToOom.name:
      return onlyLeaking((time) => ((limit - memory(time)) / perHour) * hour);
    case judgeMetrics.leakGrowth.name:
      return onlyLeaking(() => perHour / hour);
    case judgeMetrics.confidence.name:
      return onlyLeaking(() => 0.9);
    case judgeMetrics.headroom.name:
      return [{ value: (time) => limit - memory(time) }];
    case processMetrics.startTime.name:
      return [{ value: start }];
    case processMetrics.memoryLimit.name:
      return [{ value: () => limit }];
    case groupMetrics.lastRestart.name:
      return onlyLeaking((time) => (time >= now - age ? now - age : Number.NaN));
    case processInfo.process.name:
      return [{ more: { cgroup: "/shop" }, value: () => 1 }];
  }
  const reason = labels.includes("reason") ? { reason: "exit" } : {};
  if (name.includes("severity")) return [{ value: () => (leaks ? 3 : 0) }];
  if (type === "counter") return [{ more: reason, value: (time) => (leaks && time >= now - age ? 1 : 0) }];
  if (type === "info") return [{ more: reason, value: () => 1 }];
  if (unit === "ratio") return [{ value: () => 0.8 }];
  return [{ value: unit === "bytes" ? memory : () => 20 }];
}

/** By the hour, as the rules count: one restart of the service that leaks. */
const recordedOf = ({ now, hour }: Day, { rules: { evaluation } }: Clock): Series[] =>
  recordings.flatMap(({ name }) =>
    services
      .filter(({ verdict }) => verdict === "leaking")
      .map(({ group, age }) => ({
        labels: { __name__: name, ...target, group, ...(name.includes("incidents") ? { kind: "restart" } : {}) },
        value: (time: number) => (time >= now - age * hour && time < now - (age - 1) * hour ? 1 : Number.NaN),
        every: exits.has(name) ? evaluation.slow : evaluation.fast,
      })),
  );

/** Exits are counted less often than what else is recorded. */
const exits = new Set<string>([groupRecordings.livesEnded.name, groupRecordings.livesEndedGrowing.name]);

/** Of Prometheus itself, and of the client libraries in the exporter and in the applications. */
function others({ now, hour }: Day): Series[] {
  const alert = {
    ...target,
    alertname: "LeakwatchMemoryLeak",
    severity: "warning",
    class: "leak",
    group: "checkout-api",
    slot: "0",
  };
  const app = { cluster: "eu", namespace: "shop", job: "checkout-api", instance: "10.0.0.7:8080" };
  const ruleGroup = {
    job: "prometheus",
    instance: "localhost:9090",
    rule_group: "/etc/leakwatch.rules.yml;leakwatch-leaks",
  };
  const since = (time: number) => time - now + 26 * hour;
  const made: [name: string, labels: LabelSet, value: (time: number) => number][] = [
    ["up", target, () => 1],
    ["scrape_duration_seconds", target, () => 0.02],
    ["scrape_samples_scraped", target, () => 200],
    ["process_resident_memory_bytes", target, () => 60 * MiB],
    ["process_cpu_seconds_total", target, (time) => since(time) / 500],
    ["ALERTS", { ...alert, alertstate: "firing" }, () => 1],
    ["ALERTS_FOR_STATE", alert, () => now - hour],
    ["http_requests_total", app, since],
    ["nodejs_heap_size_used_bytes", app, () => 100 * MiB],
    ["nodejs_gc_duration_seconds_sum", { ...app, kind: "major" }, (time) => since(time) / 100],
    ["nodejs_heap_space_size_used_bytes", { ...app, space: "old" }, () => 80 * MiB],
    ["prometheus_rule_group_last_evaluation_timestamp_seconds", ruleGroup, (time) => time - 10],
    ["prometheus_rule_group_interval_seconds", ruleGroup, () => 60],
    ["prometheus_rule_group_last_duration_seconds", ruleGroup, () => 0.01],
    ["prometheus_rule_group_rules", ruleGroup, () => 9],
    ["prometheus_rule_evaluation_failures_total", ruleGroup, () => 0],
  ];
  return made.map(([name, labels, value]) => ({ labels: { __name__: name, ...labels }, value }));
}
