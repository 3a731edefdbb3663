// What the fleet and trend boards cost Prometheus when they show seven days of a thousand groups: everything that they ask
// when they open, variables and annotations included, one question after another.

import { readFileSync } from "node:fs";
import { metricFamilies } from "../../catalog/metrics.ts";
import { recordings } from "../../catalog/recordings.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import { selectorsOf } from "../dashboards/promql.ts";
import {
  type Ask,
  annotationQuestion,
  askAt,
  choicesOf,
  type Opened,
  questionsOf,
  stretchOf,
} from "../support/board-queries.ts";
import { type Dashboard, interpolate, panelsOf } from "../support/grafana.ts";
import type { LabelSet } from "./fleet.ts";
import type { Finding } from "./limits.ts";
import { median } from "./measure.ts";
import { CannotRun, cpuTime } from "./programs.ts";
import { PrometheusServer, prometheusProgram } from "./prometheus.ts";
import { encodeLabels, encodeWrite, type Stretch } from "./remote-write.ts";
import { show, table } from "./table.ts";

export interface DashboardsPlan {
  /** How often each board is opened; the first time does not count. */
  rounds: number;
}

const groups = 1000;
const exporters = 10;
const hour = 3600;
const history = 8 * 24 * hour;
/** What rules record comes every 5 minutes, what is scraped every 15 seconds. */
const step = 300;
const scrapeInterval = 15;
/** Of all groups, raw series are that dense only where boards read a range of them: memory in the last day, for sparklines. */
const sparklines = { series: "leakwatch_process_resident_memory_bytes", reach: 25 * hour };
/** Those that leak, and so those that charts show: their raw series are dense all the time. A rule of the boards' lint sees to it
 * that no board reads raw series of the others over days. */
const isLeaking = (number: number) => number % 50 === 0;
/** A request has this much of the past; the server takes nothing that is an hour older than what it has. */
const slice = 3000;
const seriesAtOnce = 1000;
/** Questions that the table shows. */
const shown = 10;

const boards = ["fleet", "trend"] as const;

export async function measureDashboards({ rounds }: DashboardsPlan, program: string | undefined): Promise<Finding[]> {
  const { path, version } = prometheusProgram(program);
  const now = Math.floor(Date.now() / 1000);
  const started = performance.now();
  const server = await PrometheusServer.start(path);
  try {
    const all = boards.map(readBoard);
    const read = new Set(all.flatMap(seriesRead));
    const fleet = [...read].flatMap(seriesNamed);
    const samples = await writeHistory(server, fleet, now);
    const took = (performance.now() - started) / 1000;
    console.log(
      `\nDashboards on Prometheus ${version}: ${groups} groups, ${fleet.length} series, ${(samples / 1e6).toFixed(1)} million samples over 8 days (${took.toFixed(0)} s)`,
    );
    const found = new Set(fleet.map(({ labels }) => labels["__name__"]));
    const missing = [...read].filter((name) => !found.has(name));
    if (missing.length > 0) console.log(`  not there, and asked for: ${missing.join(", ")}`);
    const findings: Finding[] = [];
    for (const board of all) findings.push(...(await measureBoard(server, board, now, rounds)));
    return findings;
  } finally {
    await server.stop();
  }
}

/** As it opens when somebody asks it for a week. */
function readBoard(name: (typeof boards)[number]): Dashboard {
  const file = new URL(`../../dashboards/generated/leakwatch-${name}.json`, import.meta.url);
  return { ...(JSON.parse(readFileSync(file, "utf8")) as Dashboard), time: { from: "now-7d", to: "now" } };
}

interface Asked {
  what: string;
  isPanel: boolean;
  /** Milliseconds that Prometheus says it took, once for each round. */
  times: number[];
}

async function measureBoard(
  server: PrometheusServer,
  board: Dashboard,
  now: number,
  rounds: number,
): Promise<Finding[]> {
  const asked = new Map<string, Asked>();
  const cpu: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = cpuTime(server.pid);
    await openBoard(server, board, now, (what, isPanel, milliseconds) => {
      const one = asked.get(what) ?? { what, isPanel, times: [] };
      asked.set(what, one);
      if (round > 0) one.times.push(milliseconds);
    });
    if (round > 0) cpu.push(cpuTime(server.pid) - before);
  }
  return report(board, [...asked.values()], median(cpu));
}

type Note = (what: string, isPanel: boolean, milliseconds: number) => void;

/** Closed rows ask nothing. */
async function openBoard(server: PrometheusServer, board: Dashboard, now: number, note: Note): Promise<void> {
  const stretch = stretchOf(board, now);
  const choices = await choicesOf(
    board,
    timed(server, "variable", (what, time) => note(what, false, time)),
    stretch,
  );
  const opened: Opened = { board, choices, now, scrapeInterval };
  for (const annotation of (board.annotations.list ?? []).filter(({ enable, expr }) => enable && expr)) {
    note(`annotation ${annotation.name}`, false, await timeOf(server, annotationQuestion(annotation, opened)));
  }
  for (const panel of panelsOf(board).filter(({ inClosedRow }) => !inClosedRow)) {
    for (const question of questionsOf(panel, opened)) {
      note(`${panel.title} ${question.refId}`, true, await timeOf(server, question));
    }
  }
}

/** Of `label_values` Prometheus tells no time; of queries it does. */
function timed({ url }: PrometheusServer, what: string, note: (what: string, milliseconds: number) => void): Ask {
  const ask = askAt(url);
  return async (endpoint, parameters) => {
    const begin = performance.now();
    const data = (await ask(endpoint, { ...parameters, stats: "all" })) as { stats?: Stats };
    note(
      `${what} ${parameters["query"] ? "query_result" : endpoint}`,
      milliseconds(data.stats) ?? performance.now() - begin,
    );
    return data;
  };
}

interface Stats {
  timings: { execTotalTime: number };
}

const milliseconds = (stats: Stats | undefined) => stats && stats.timings.execTotalTime * 1000;

async function timeOf(
  { url }: PrometheusServer,
  { query, from, to, step }: { query: string; from: number; to: number; step: number | undefined },
): Promise<number> {
  const ask = askAt(url);
  const range = { query, start: String(from), end: String(to), step: String(step), stats: "all" };
  const answer =
    step === undefined ? ask("query", { query, time: String(to), stats: "all" }) : ask("query_range", range);
  const time = milliseconds(((await answer) as { stats?: Stats }).stats);
  if (time === undefined) throw new CannotRun("prometheus does not tell how long a query took");
  return time;
}

function report({ title }: Dashboard, asked: readonly Asked[], cpu: number): Finding[] {
  const sorted = asked
    .map(({ what, isPanel, times }) => ({ what, isPanel, time: Math.min(...times) }))
    .toSorted((a, b) => b.time - a.time);
  const total = sorted.reduce((sum, { time }) => sum + time, 0);
  const rows = sorted.slice(0, shown).map(({ what, time }) => [what, `${show(time)} ms`]);
  console.log(`\n${title}: ${show(total)} ms for ${sorted.length} questions; CPU time of the server ${show(cpu)} ms`);
  console.log(table([["the dearest", "least"], ...rows]));
  const how = title.replace(/^.*\/ /, "");
  return [
    { limit: "boardTime", how, value: cpu },
    { limit: "boardQuery", how, value: sorted[0]?.time ?? Number.NaN },
    { limit: "boardQueries", how, value: sorted.filter(({ isPanel }) => isPanel).length },
  ];
}

/** Names of all series that a board asks for. */
function seriesRead(board: Dashboard): string[] {
  const names = board.templating.list.map(({ name }) => name);
  const variables = Object.fromEntries(names.map((name) => [name, "x"]));
  const context = { variables, range: stretchOf(board, 0), interval: 600, scrapeInterval };
  const variableQueries = board.templating.list.flatMap(({ query }) => {
    const text = typeof query === "string" ? query : (query?.query ?? "");
    return /^query_result\(([\s\S]*)\)$/.exec(text)?.slice(1) ?? /^label_values\(([\s\S]*),/.exec(text)?.slice(1) ?? [];
  });
  const exprs = [
    ...variableQueries,
    ...(board.annotations.list ?? []).map(({ expr }) => expr),
    ...panelsOf(board).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ];
  const read = exprs.filter(Boolean).flatMap((expr) => selectorsOf(interpolate(expr, context)).map(({ name }) => name));
  return [...new Set(read)];
}

const metrics = metricFamilies.flatMap(({ metrics: family }) => [...family]);
const knownNames = new Set([
  ...metrics.map(({ name }) => name),
  ...recordings.map(({ name }) => name),
  "ALERTS",
  "ALERTS_FOR_STATE",
]);

interface FleetSeries {
  labels: LabelSet;
  /** Seconds into the past in which samples are as dense as scrapes; before, they are as far apart as evaluations. */
  reach: number;
  value(time: number): number;
}

/** One series of each group, or of each exporter, as the catalogue says. */
function seriesNamed(name: string): FleetSeries[] {
  const metric = metrics.find((one) => one.name === name);
  const own = new Set<string>(metric?.labels ?? (name.startsWith("group:") ? ["group"] : ["group", "slot"]));
  const perExporter = metric !== undefined && !own.has("group") && !own.has("cgroup");
  if (!knownNames.has(name)) return [];
  if (name.startsWith("ALERTS"))
    return ownSeries(name, new Set(["group", "slot"]), groups).filter((_, i) => i % 50 === 0);
  return ownSeries(name, own, perExporter ? exporters : groups);
}

function ownSeries(name: string, own: ReadonlySet<string>, count: number): FleetSeries[] {
  return Array.from({ length: count }, (_, number) => {
    const instance = `node-${number % exporters}:9847`;
    const labels: Record<string, string> = {
      __name__: name,
      cluster: "prod",
      namespace: "shop",
      job: "leakwatch",
      instance,
    };
    for (const label of own) labels[label] = labelValue(label, number);
    const leaks = isLeaking(number);
    if (own.has("verdict")) labels["verdict"] = leaks ? "leaking" : "stable";
    if (name.startsWith("ALERTS")) {
      Object.assign(labels, { alertname: "LeakwatchMemoryLeak", severity: "info", class: "leak" });
      if (name === "ALERTS") labels["alertstate"] = "firing";
    }
    return { labels, reach: reachOf(name, leaks || count === exporters), value: curveOf(name, number, leaks) };
  });
}

function reachOf(name: string, isRead: boolean): number {
  const isRaw = metrics.some((one) => one.name === name);
  if (isRaw && isRead) return history;
  return name === sparklines.series ? sparklines.reach : 0;
}

function labelValue(label: string, number: number): string {
  if (label === "group") return `service-${String(number).padStart(4, "0")}`;
  if (label === "slot") return "0";
  if (label === "cgroup") return `/kubepods/pod${number}`;
  if (label === "container_id") return number.toString(16).padStart(64, "0");
  if (label === "reason") return "exit";
  if (label === "window") return "1h";
  return `${label}-${number % 20}`;
}

/** Every process restarts once a week; one in fifty leaks. */
function curveOf(name: string, number: number, leaks: boolean): (time: number) => number {
  const week = 7 * 24 * hour;
  const start = (time: number) => Math.floor((time + number * 600) / week) * week - number * 600;
  const wave = (time: number) => Math.round(1000 * Math.sin(time / 7001 + number)) * 4096;
  if (/_info$|^ALERTS$/.test(name)) return () => 1;
  if (/_verdict$/.test(name)) return () => verdictCode[leaks ? "leaking" : "stable"];
  if (/_leak_severity$/.test(name)) return () => (leaks ? 1 : 0);
  if (/start_time|_timestamp_seconds|^ALERTS_FOR_STATE/.test(name))
    return name.includes("last_sample") ? (t) => t - 2 : start;
  if (/growth.*ratio$|_ratio$/.test(name)) return () => 0.8;
  if (/growth/.test(name)) return (time) => (leaks ? 1000 : 1) + wave(time) / 1e6;
  if (/time_to_oom/.test(name)) return (time) => (leaks ? 2e5 - ((time - start(time)) % 1e5) : Number.NaN);
  if (/increase1h|oom_kills|lives|restarts/.test(name)) return (time) => (time - start(time) < hour ? 1 : 0);
  if (/limit_bytes/.test(name)) return () => 2 ** 31;
  if (/processes|_slots?$/.test(name)) return () => 1;
  return (time) => 5e8 + wave(time) + (leaks ? 1000 * (time - start(time)) : 0);
}

/** In slices, since all series must move on together. */
async function writeHistory(server: PrometheusServer, fleet: readonly FleetSeries[], now: number): Promise<number> {
  const labels = fleet.map((one) => encodeLabels(one.labels));
  let samples = 0;
  for (let from = now - history; from < now; from += slice) {
    const to = Math.min(from + slice, now + 1);
    let stretches: Stretch[] = [];
    for (const [i, one] of fleet.entries()) {
      const every = from >= now - one.reach ? scrapeInterval : step;
      const times: number[] = [];
      const values: number[] = [];
      for (let time = Math.ceil(from / every) * every; time < to; time += every) {
        const value = one.value(time);
        if (Number.isNaN(value)) continue;
        times.push(time);
        values.push(value);
      }
      samples += times.length;
      if (times.length > 0) stretches.push({ labels: labels[i] as Uint8Array, times, values });
      if (stretches.length === seriesAtOnce || (i === fleet.length - 1 && stretches.length > 0)) {
        await server.write(encodeWrite(stretches));
        stretches = [];
      }
    }
  }
  return samples;
}
