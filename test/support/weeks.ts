// Two made-up fortnights of a small shop: what the exporter and the watched programs would have exposed, and what the rules
// would have made of it. In one of them programs leak in every way that the dashboards must tell apart; in the other the
// same programs are well. The clock stands still, so each number is the same in every run.

import fs from "node:fs";
import { load } from "js-yaml";
import type { AlertLabels, Rule, RuleGroup } from "../../alerts/rule.ts";
import { GiB, MiB } from "../../catalog/defaults.ts";
import {
  cgroupMetrics,
  groupMetrics,
  nodeMetrics,
  processInfo,
  processMetrics,
  recentMetrics,
  selfMetrics,
} from "../../catalog/metrics.ts";
import type { Verdict } from "../../catalog/verdicts.ts";
import { BlockWriter } from "../../exporter/backtest/blocks.ts";
import { tracedGroups } from "../../exporter/backtest/builtin.ts";
import { exposedSeries } from "../../exporter/backtest/exposed.ts";
import type { Member } from "../../exporter/backtest/traces.ts";
import { CountRise } from "../../exporter/memory/count-rise.ts";
import type { Workspace } from "../../exporter/prometheus/workspace.ts";
import type { LabelSet, Samples } from "../../exporter/promql/series.ts";
import { type Episode, RuleEngine } from "../../exporter/rule-engine/engine.ts";
import { randomNumbers } from "./memory-curves.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The moment at which the dashboards are looked at: a Monday afternoon. Seconds, as all times here. */
export const now = Date.UTC(2026, 2, 16, 15, 20) / 1000;
const from = now - 14 * day;

/** Samples are a minute apart since then, and four minutes before: enough for boards of days, and a quarter of the work. */
const dense = now - 30 * hour;

export const weekNames = ["leaking", "healthy"] as const;
/** Where there is little to show: Prometheus has run for an hour, watches one process, has just been started, or watches nothing. */
export const scantNames = ["first-hour", "lone", "newborn", "nothing"] as const;
export type WeekName = (typeof weekNames)[number] | (typeof scantNames)[number];

/** What the suspects table must say of a group. */
export interface Truth {
  readonly verdict: Verdict;
  /** MiB per hour; undefined where it does not matter. */
  readonly growth?: number;
  /** Hours until the limit; undefined when it is not reached. */
  readonly hoursLeft?: number;
  readonly restartsPerDay: number;
}

export interface Week {
  readonly name: WeekName;
  readonly series: readonly Samples[];
  readonly episodes: readonly Episode[];
}

/** One program. Ages and times in hours, memory in MiB. */
interface Program {
  readonly group: string;
  readonly instance?: string;
  readonly slots?: number;
  /** Undefined: it has none, and takes what the machine has. */
  readonly limit: number | undefined;
  /** How long ago its first life here began. */
  readonly started: number;
  /** Memory at an age, at a time of the week (0 is Monday 00:00), with a number from 0 to 1 that is new each minute. */
  memory(age: number, time: number, noise: number, startedAt: number): number;
  /** The clock ends its lives each time so many hours have passed. */
  readonly restartEvery?: number;
  /** New versions came so many hours ago. */
  readonly deploys?: readonly number[];
  readonly fds?: (age: number) => number;
  /** Share of a life's memory that the runtime calls heap; without it there are no heap series. */
  readonly heap?: number;
  /** Requests per second; without it there are no request series. */
  readonly requests?: (time: number) => number;
  readonly truth: Truth;
}

/** 0.1 at four in the morning, 1 at four in the afternoon. */
const traffic = (time: number) => 0.55 - 0.45 * Math.cos((2 * Math.PI * (time - 4)) / 24);
/** Its integral, so that what grows with traffic is smooth. Rises by 0.55 per hour on average. */
const trafficSoFar = (time: number) =>
  0.55 * time - (0.45 * 24 * Math.sin((2 * Math.PI * (time - 4)) / 24)) / (2 * Math.PI);

const teeth = (noise: number) => 16 * noise;
const level = (mib: number) => (_: number, __: number, noise: number) => mib + teeth(noise);
const growing = (mib: number, perHour: number) => (age: number, _: number, noise: number) =>
  mib + perHour * age + teeth(noise);
/** A batch of eight minutes in every hour. */
const batch = (_: number, time: number, noise: number) => ((time * 60) % 60 < 8 ? 820 : 300) + teeth(noise);

const stable: Truth = { verdict: "stable", restartsPerDay: 0 };

/** Those of which the boards' values are checked one by one, and then what is odd: names, ages, missing limits. */
const leakingPrograms: readonly Program[] = [
  {
    group: "checkout-api",
    limit: 2048,
    started: 240,
    memory: growing(500, 4),
    heap: 0.8,
    requests: (time) => 40 * traffic(time),
    truth: { verdict: "leaking", growth: 4, hoursLeft: (2048 - (500 + 4 * 240 + 16)) / 4, restartsPerDay: 0 },
  },
  {
    group: "orders-api",
    limit: 2048,
    started: 144,
    memory: (_, time, noise, startedAt) => 300 + 11 * (trafficSoFar(time) - trafficSoFar(startedAt)) + teeth(noise),
    heap: 0.75,
    requests: (time) => 120 * traffic(time),
    truth: { verdict: "leaking", growth: 11 * 0.55, restartsPerDay: 0 },
  },
  {
    group: "search-worker",
    limit: 1024,
    started: 14 * 24 - 1,
    memory: growing(200, 120),
    restartEvery: 2,
    heap: 0.9,
    truth: { verdict: "masked_leak", growth: 120, restartsPerDay: 12 },
  },
  {
    group: "billing",
    limit: 2048,
    started: 14 * 24 - 1,
    // the version of four days ago no longer leaks
    memory: (age, _, noise, startedAt) => 400 + (startedAt < timeOfWeek(now - 97 * hour) ? 5 * age : 0) + teeth(noise),
    deploys: [11 * 24, 96],
    requests: (time) => 8 * traffic(time),
    truth: stable,
  },
  { group: "session-store", limit: 2048, started: 400, memory: level(900), slots: 3, truth: stable },
  { group: "report-batch", limit: 1024, started: 300, memory: batch, truth: { verdict: "spiky", restartsPerDay: 0 } },
  {
    group: "gateway",
    limit: 1024,
    started: 60,
    memory: level(240),
    fds: (age) => 300 + 40 * age,
    requests: (time) => 200 * traffic(time),
    truth: stable,
  },
  {
    group: "thumbnailer",
    instance: "node-2:9847",
    limit: 512,
    started: 14 * 24 - 2,
    memory: growing(120, 160),
    truth: { verdict: "restart_loop", restartsPerDay: 10 },
  },
  {
    group: 'web "blue"/canary #2',
    instance: "node-2:9847",
    limit: 1024,
    started: 1.5,
    memory: growing(150, 200),
    truth: { verdict: "leaking", growth: 200, restartsPerDay: 0 },
  },
  {
    group: "отчёты/ünïcode – №5",
    instance: "node-2:9847",
    limit: 512,
    started: 200,
    memory: level(180),
    truth: stable,
  },
  {
    group: "C:\\jobs\\night run",
    instance: "node-2:9847",
    limit: undefined,
    started: 250,
    memory: growing(200, 1),
    truth: { verdict: "leaking", growth: 1, restartsPerDay: 0 },
  },
  {
    group: "two-minutes-old",
    instance: "node-2:9847",
    limit: 1024,
    started: 2 / 60,
    memory: level(90),
    truth: { verdict: "insufficient_data", restartsPerDay: 0 },
  },
];

/** The same programs without their faults; the timer that hid one of them still runs. */
const cures: Readonly<Record<string, Partial<Program>>> = {
  "checkout-api": { memory: level(700), truth: stable },
  "orders-api": {
    memory: (_, time, noise) => 600 + 60 * traffic(time) + teeth(noise),
    truth: stable,
  },
  "search-worker": { memory: level(400), truth: { verdict: "stable", restartsPerDay: 12 } },
  billing: { memory: level(400) },
  gateway: { fds: () => 300 },
  thumbnailer: { memory: level(200), truth: stable },
  'web "blue"/canary #2': { memory: level(300), started: 90, truth: stable },
  "C:\\jobs\\night run": { memory: level(300), truth: stable },
};

const healthyPrograms = leakingPrograms.map((program): Program => ({ ...program, ...cures[program.group] }));

/** Without a limit, and without series of its own on heap and traffic. */
const lone: Program = {
  group: "the-only-one",
  limit: undefined,
  started: 250,
  memory: growing(200, 1),
  truth: { verdict: "leaking", growth: 1, restartsPerDay: 0 },
};
const newborn: Program = {
  ...lone,
  started: 2 / 60,
  memory: level(90),
  truth: { verdict: "insufficient_data", restartsPerDay: 0 },
};

interface Plot {
  readonly programs: readonly Program[];
  /** The first moment of which Prometheus knows. */
  readonly since: number;
}

const plots: Readonly<Record<WeekName, Plot>> = {
  leaking: { programs: leakingPrograms, since: from },
  healthy: { programs: healthyPrograms, since: from },
  // and as long as a value is taken for the newest: the blocks cannot say that a series ended
  "first-hour": { programs: leakingPrograms, since: now - hour - 5 * minute },
  lone: { programs: [lone], since: from },
  newborn: { programs: [newborn], since: now - 2 * minute },
  nothing: { programs: [], since: now - hour },
};

/** Everything that one Prometheus would hold. `rules` are those that are shipped. */
export function syntheticWeek(name: WeekName, rules: readonly RuleGroup[] = shippedRules()): Week {
  const { programs, since } = plots[name];
  const exposed = [...programs.flatMap(programSeries), ...exporterSeries(programs), ...ruleHealth(rules)];
  const known = exposed.map((samples) => kept(samples, (t) => t >= since)).filter(({ times }) => times.length > 0);
  const { series, episodes } = new RuleEngine(tracedGroups(rules)).evaluate(byName(known), since, now);
  return {
    name,
    series: [...[...series.values()].flat(), ...activeSince(rules, episodes)],
    episodes,
  };
}

/** By group. */
export const truths = (name: WeekName): ReadonlyMap<string, Truth> =>
  new Map(plots[name].programs.map(({ group, truth }) => [group, truth]));

/** The rules as they are shipped. */
export function shippedRules(): RuleGroup[] {
  const text = fs.readFileSync(new URL("../../alerts/generated/leakwatch.rules.yml", import.meta.url), "utf8");
  const { groups } = load(text) as { groups: { name: string; interval: string; rules: Record<string, unknown>[] }[] };
  return groups.map(({ name, interval, rules }) => ({
    name,
    interval: seconds(interval),
    rules: rules.map(
      (rule) =>
        ({
          ...rule,
          for: seconds((rule["for"] ?? "0s") as string),
          keepFiringFor: seconds((rule["keep_firing_for"] ?? "0s") as string),
          labels: (rule["labels"] ?? {}) as AlertLabels,
        }) as unknown as Rule,
    ),
  }));
}

/** `1h30m` in seconds. */
function seconds(duration: string): number {
  const units: Record<string, number> = { s: 1, m: minute, h: hour, d: day };
  return [...duration.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0),
    0,
  );
}

/** Into the blocks of a Prometheus' database. */
export async function writeWeek({ series }: Week, workspace: Workspace, data: string): Promise<void> {
  const blocks = new BlockWriter(workspace, data);
  for (const samples of series) await blocks.add(thinned(samples));
  await blocks.end();
}

function byName(all: readonly Samples[]): Map<string, Samples[]> {
  const found = new Map<string, Samples[]>();
  for (const samples of all) {
    const name = samples.labels["__name__"] ?? "";
    found.set(name, [...(found.get(name) ?? []), samples]);
  }
  return found;
}

/** Every fourth minute of what is long ago. */
const thinned = (samples: Samples) =>
  kept(samples, (t) => t >= dense || t % 300 === 0 || Math.floor(t / minute) % 4 === 0);

function kept({ labels, times, values }: Samples, isKept: (time: number) => boolean): Samples {
  const some = Array.from(times, (_, i) => i).filter((i) => isKept(times[i] as number));
  return { labels, times: some.map((i) => times[i] as number), values: some.map((i) => values[i] as number) };
}

/** Hours since Monday 00:00 of the first week. */
function timeOfWeek(t: number): number {
  const monday = Date.UTC(2026, 2, 2) / 1000;
  return (t - monday) / hour;
}

/** Where the exporter runs that watches it. */
const labelsOf = ({ instance = "node-1:9847" }: Partial<Program>): LabelSet => ({
  cluster: "prod-1",
  namespace: instance.startsWith("node-1") ? "shop" : "batch",
  job: "leakwatch",
  instance,
});

const isLeaving = (value: number) => Number.isNaN(value);

function programSeries(program: Program): Samples[] {
  const members = Array.from({ length: program.slots ?? 1 }, (_, slot) => memberOf(program, slot));
  const where = labelsOf(program);
  const ledger = [...exposedSeries({ id: program.group, members })].flatMap(([, all]) =>
    all.map(({ labels, times, values }) => ({ labels: { ...where, ...labels }, times, values })),
  );
  return [
    ...ledger.filter(({ values }) => !Array.from(values).every(isLeaving)),
    ...members.flatMap((member) => slotSeries(program, member)),
    ...groupSeries(program, members[0] as Member),
    ...applicationSeries(program, members[0] as Member),
  ];
}

/** By the minute. At the limit it is killed, and after each end it is down for one scrape. */
function memberOf(program: Program, slot: number): Member {
  const random = randomNumbers(seedOf(program.group) + slot);
  const rows: { time: number; resident: number; start: number }[] = [];
  const changes = new Set((program.deploys ?? []).map((ago) => now - ago * hour));
  let start = now - program.started * hour;
  for (let time = Math.max(from, Math.ceil(start / minute) * minute); time <= now; time += minute) {
    const resident = program.memory((time - start) / hour, timeOfWeek(time), random(), timeOfWeek(start));
    const isTimed = program.restartEvery !== undefined && time % (program.restartEvery * hour) === 0;
    const isKilled = resident > (program.limit ?? Number.POSITIVE_INFINITY);
    if (isTimed || isKilled || changes.has(time)) start = time + minute;
    else if (time >= start) rows.push({ time, resident: Math.round((resident * MiB) / 4096) * 4096, start });
  }
  return {
    slot,
    times: Float64Array.from(rows, ({ time }) => time),
    resident: Float64Array.from(rows, ({ resident }) => resident),
    limit: new Float64Array(rows.length).fill(program.limit === undefined ? Number.NaN : program.limit * MiB),
    startTime: Float64Array.from(rows, (row) => row.start),
  };
}

const seedOf = (text: string) =>
  [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 2 ** 31, 7);

/** The highest memory of each life until now. */
function highest(): (memory: number, start: number) => number {
  let [life, most] = [Number.NaN, 0];
  return (memory, start) => {
    [life, most] = [start, life === start ? Math.max(most, memory) : memory];
    return most;
  };
}

/** What the exporter tells of a process besides memory, start and limit. */
function slotSeries(program: Program, { slot, times, resident, startTime }: Member): Samples[] {
  const labels = { ...labelsOf(program), group: program.group, slot: String(slot) };
  const of = (name: string, value: (memory: number, age: number) => number, more: LabelSet = {}): Samples => ({
    labels: { __name__: name, ...labels, ...more },
    times,
    values: resident.map((memory, i) => value(memory, ((times[i] as number) - (startTime[i] as number)) / hour)),
  });
  const file = 48 * MiB;
  const shared = 4 * MiB;
  const fds = program.fds ?? (() => 64);
  const risen = new CountRise();
  const peak = highest();
  return [
    {
      labels: { __name__: processMetrics.peakResidentMemory.name, ...labels },
      times,
      values: resident.map((memory, i) => peak(memory, startTime[i] as number)),
    },
    {
      labels: { __name__: recentMetrics.fdRise.name, ...labels },
      times,
      values: times.map((time, i) => {
        const start = startTime[i] as number;
        risen.add(time, Math.round(fds((time - start) / hour)), start);
        return risen.rise;
      }),
    },
    of(processMetrics.fileMemory.name, () => file),
    of(processMetrics.sharedMemory.name, () => shared),
    of(processMetrics.anonymousMemory.name, (memory) => memory - file - shared),
    of(processMetrics.swap.name, () => 0),
    of(processMetrics.virtualMemory.name, (memory) => memory + GiB),
    of(processMetrics.threads.name, () => 12),
    of(processMetrics.openFds.name, (_, age) => Math.round(fds(age))),
    of(processMetrics.maxFds.name, () => 8192),
    of(processInfo.memoryLimit.name, () => 1, { source: program.limit === undefined ? "node" : "cgroup" }),
    ...versions(program).map(({ version, since, until }) => {
      const inside = (t: number) => t >= since && t < until;
      return {
        labels: {
          __name__: processInfo.process.name,
          ...labels,
          pid: String(4000 + slot),
          exe: "/usr/local/bin/node",
          cgroup: cgroupOf(program),
          container_id: version,
          pod_uid: "",
        },
        times,
        values: times.map((t) => (inside(t) ? 1 : Number.NaN)),
      };
    }),
  ];
}

const cgroupOf = ({ group }: Program) => `/shop/${seedOf(group).toString(16)}`;

/** A container for each version; versions go up by one with each deploy. */
function versions({
  deploys = [],
  group,
}: Program): { version: string; release: string; since: number; until: number }[] {
  const changes = deploys.map((ago) => now - ago * hour);
  return [...changes, Number.POSITIVE_INFINITY].map((until, i) => ({
    version: `${seedOf(group).toString(16).padStart(8, "0")}${i}`.repeat(8).slice(0, 64),
    release: `1.${i + 4}.0`,
    since: changes[i - 1] ?? 0,
    until,
  }));
}

/** The rest of the ledger, and the kernel's account of the group's cgroup. */
function groupSeries(program: Program, { times, resident, limit, startTime }: Member): Samples[] {
  const labels = { ...labelsOf(program), group: program.group };
  const ends = Array.from(times, (_, i) => i).filter((i) => i > 0 && startTime[i] !== startTime[i - 1]);
  const bytes = (program.limit ?? 0) * MiB;
  const killed = (i: number) => (resident[i - 1] as number) > 0.97 * (limit[i - 1] as number);
  const held = (name: string, value: (end: number) => number): Samples => {
    let last = Number.NaN;
    let next = 0;
    const values = times.map((_, i) => {
      while ((ends[next] ?? Number.POSITIVE_INFINITY) <= i) last = value(ends[next++] as number);
      return last;
    });
    return { labels: { __name__: name, ...labels }, times, values };
  };
  let kills = 0;
  const oomKills = times.map((_, i) => {
    if (ends.includes(i) && killed(i)) kills++;
    return kills;
  });
  const cgroup = { ...labelsOf(program), cgroup: cgroupOf(program) };
  const ofCgroup = (name: string, value: (memory: number, i: number) => number): Samples => ({
    labels: { __name__: name, ...cgroup },
    times,
    values: resident.map(value),
  });
  return [
    {
      labels: { __name__: groupMetrics.processes.name, ...labels },
      times,
      values: times.map(() => program.slots ?? 1),
    },
    { labels: { __name__: groupMetrics.oomKills.name, ...labels }, times, values: oomKills },
    ...(ends.length === 0
      ? []
      : [
          held(groupMetrics.lastRestart.name, (i) => startTime[i] as number),
          held(groupMetrics.lastEndMemoryLimit.name, (i) => (resident[i - 1] as number) / (limit[i - 1] as number)),
          {
            ...held(groupMetrics.lastEnd.name, () => 1),
            labels: {
              __name__: groupMetrics.lastEnd.name,
              ...labels,
              ...lastEndOf(program, killed(ends.at(-1) as number)),
            },
          },
        ]),
    ofCgroup(cgroupMetrics.usage.name, (memory) => memory + 30 * MiB),
    ofCgroup(cgroupMetrics.workingSet.name, (memory) => memory + 10 * MiB),
    ofCgroup(cgroupMetrics.file.name, () => 60 * MiB),
    ofCgroup(cgroupMetrics.anonymous.name, (memory) => memory - 52 * MiB),
    ofCgroup(cgroupMetrics.pressureWaiting.name, (_, i) => i * 0.001),
    ofCgroup(cgroupMetrics.pressureStalled.name, (_, i) => i * 0.0002),
    ...(bytes > 0 ? [ofCgroup(cgroupMetrics.limit.name, () => bytes)] : []),
  ];
}

function lastEndOf({ restartEvery }: Program, killed: boolean): LabelSet {
  if (killed) return { reason: "suspected_oom", evidence: "near_limit" };
  return restartEvery === undefined
    ? { reason: "exit", evidence: "none of the others" }
    : { reason: "scheduled", evidence: "steady cadence" };
}

/** What a program with a Prometheus client of its own exposes; its job is called as its group. */
function applicationSeries(program: Program, { times, resident }: Member): Samples[] {
  const { cluster, namespace } = labelsOf(program) as { cluster: string; namespace: string };
  const labels = { cluster, namespace, job: program.group, instance: `${program.group}-0:3000` };
  const series: Samples[] = [];
  const { heap, requests } = program;
  if (heap !== undefined) {
    const add = (name: string, share: number) =>
      series.push({ labels: { __name__: name, ...labels }, times, values: resident.map((memory) => memory * share) });
    add("nodejs_heap_size_used_bytes", heap * 0.9);
    add("nodejs_heap_size_total_bytes", heap);
    add("nodejs_external_memory_bytes", 0.02);
    for (const [space, share] of [
      ["old", heap * 0.85],
      ["new", heap * 0.05],
      ["code", heap * 0.02],
    ] as const) {
      series.push({
        labels: { __name__: "nodejs_heap_space_size_used_bytes", ...labels, space },
        times,
        values: resident.map((memory) => memory * share),
      });
    }
    const scrapes = counterTimes(Math.max(from, now - program.started * hour));
    for (const [kind, share] of [
      ["minor", 0.012],
      ["major", 0.02],
    ] as const) {
      const first = scrapes[0] as number;
      const values = scrapes.map((t) => (t - first) * share);
      series.push({ labels: { __name__: "nodejs_gc_duration_seconds_sum", ...labels, kind }, times: scrapes, values });
    }
  }
  if (requests !== undefined) {
    const start = Math.max(from, now - program.started * hour);
    const scrapes = counterTimes(start);
    let total = 0;
    const values = scrapes.map((t, i) => {
      total += i === 0 ? 0 : (t - (scrapes[i - 1] as number)) * requests(timeOfWeek(t));
      return Math.round(total);
    });
    series.push({ labels: { __name__: "http_requests_total", ...labels }, times: scrapes, values });
  }
  return series;
}

/** Scrapes every quarter of a minute where rates over short ranges are drawn. */
function counterTimes(start: number): number[] {
  const times: number[] = [];
  for (let t = Math.ceil(start / 240) * 240; t <= now; t += t < dense ? 240 : 15) times.push(t);
  return times;
}

/** The exporters on themselves: one per instance. */
function exporterSeries(programs: readonly Program[]): Samples[] {
  const instances = new Map(programs.map((program) => [labelsOf(program)["instance"], labelsOf(program)]));
  return [...instances.values()].flatMap((labels, number) => {
    const times = counterTimes(from);
    const of = (name: string, value: (t: number) => number, more: LabelSet = {}): Samples => ({
      labels: { __name__: name, ...labels, ...more },
      times,
      values: times.map(value),
    });
    const wave = (t: number) => Math.sin(t / 977 + number);
    const since = from - 3 * day;
    return [
      of("up", () => 1),
      of("scrape_duration_seconds", (t) => 0.011 + 0.002 * wave(t)),
      of("scrape_samples_scraped", () => 260),
      of("process_resident_memory_bytes", (t) => 52 * MiB + 2 * MiB * wave(t)),
      of("process_start_time_seconds", () => since),
      of("process_cpu_seconds_total", (t) => (t - since) * 0.004),
      of("process_open_fds", () => 61),
      of("process_max_fds", () => 65_536),
      of("nodejs_eventloop_lag_p99_seconds", (t) => 0.011 + 0.001 * wave(t)),
      of("nodejs_heap_size_used_bytes", (t) => 12 * MiB + MiB * wave(t)),
      of("nodejs_heap_size_total_bytes", () => 18 * MiB),
      of(selfMetrics.buildInfo.name, () => 1, { version: "0.1.0", revision: "2d6e5b1", node_version: "v24.21.0" }),
      of(selfMetrics.samples.name, (t) => Math.round((t - since) / 5)),
      of(selfMetrics.sampleDuration.name, (t) => ((t - since) / 5) * 0.003),
      of(selfMetrics.sampleLongestBlock.name, (t) => 0.0013 + 0.0003 * wave(t)),
      of(selfMetrics.lastSample.name, (t) => t - 2),
      of(selfMetrics.watchedProcesses.name, () => 8),
      of(selfMetrics.keptDescriptors.name, () => 24),
      of(selfMetrics.keptDescriptorsMax.name, () => 4096),
      of(selfMetrics.smapsSkipped.name, () => 0),
      of(selfMetrics.configReloadSuccessful.name, () => 1),
      of(selfMetrics.configReloadTime.name, () => since),
      of(selfMetrics.unreadable.name, () => number * 2, { file: "smaps_rollup", reason: "EACCES" }),
      of(selfMetrics.readErrors.name, (t) => number * Math.floor((t - since) / 7200), {
        file: "status",
        reason: "ESRCH",
      }),
      of(nodeMetrics.memory.name, () => 16 * GiB),
      of(nodeMetrics.oomKills.name, () => 0),
    ];
  });
}

/** What Prometheus says of our rules. */
function ruleHealth(rules: readonly RuleGroup[]): Samples[] {
  const times = counterTimes(from);
  return rules.flatMap(({ name, interval, rules: own }, number) => {
    const of = (metric: string, value: (t: number) => number): Samples => ({
      labels: {
        __name__: metric,
        cluster: "prod-1",
        namespace: "monitoring",
        job: "prometheus",
        instance: "prometheus:9090",
        rule_group: `/etc/prometheus/leakwatch.rules.yml;${name}`,
      },
      times,
      values: times.map(value),
    });
    return [
      of("prometheus_rule_group_interval_seconds", () => interval),
      of("prometheus_rule_group_rules", () => own.length),
      of("prometheus_rule_group_last_evaluation_timestamp_seconds", (t) => Math.floor(t / interval) * interval),
      of("prometheus_rule_group_last_duration_seconds", () => 0.004 + 0.003 * number),
      of("prometheus_rule_group_iterations_total", (t) => Math.floor((t - from) / interval)),
      of("prometheus_rule_group_iterations_missed_total", () => 0),
      of("prometheus_rule_evaluations_total", (t) => Math.floor((t - from) / interval) * own.length),
      of("prometheus_rule_evaluation_failures_total", () => 0),
    ];
  });
}

/** ALERTS_FOR_STATE, by which a table can tell since when an alert is active. */
function activeSince(rules: readonly RuleGroup[], episodes: readonly Episode[]): Samples[] {
  const holds = new Map(
    rules.flatMap(({ rules: own }) => own.flatMap((rule) => ("alert" in rule ? [[rule.alert, rule.for]] : []))),
  );
  return episodes.map(({ alert, labels, start, end = now + 1 }) => {
    const times: number[] = [];
    for (let t = Math.ceil(start / minute) * minute; t < end; t += minute) times.push(t);
    const since = start - (holds.get(alert) ?? 0);
    return {
      labels: { __name__: "ALERTS_FOR_STATE", ...labels, alertname: alert },
      times,
      values: times.map(() => since),
    };
  });
}
