// What a Prometheus server remembers, judged: this exporter's own series, or any gauge of memory, so that the judge can be tried
// before anything is installed. One service after another, each in pieces of time, so memory grows neither with the
// fleet nor with the years.

import { noSeries, type PrometheusApi } from "../prometheus/api.ts";
import { groupBy, type LabelSet, signature } from "../prometheus/labels.ts";
import { selectorText } from "../prometheus/selector.ts";
import { CommandError } from "../terminal/command-error.ts";
import { humanBytes } from "../text/human.ts";
import { counted, processes as countedProcesses, listed } from "../text/words.ts";
import { type LearnedLabels, learnLabels } from "./copies.ts";
import { type Gauge, type GivenSelector, knownGauges } from "./gauges.ts";
import type { HistoryOptions } from "./history-options.ts";
import { identityOf } from "./identity.ts";
import { type Joined, Joiner } from "./join.ts";
import type { ServiceJudge } from "./judged.ts";
import { judgedContainers } from "./judged-containers.ts";
import { noEvidence, type RestartEvidence } from "./lives.ts";
import type { EpisodeReport, Report, TraceReport } from "./report.ts";
import { ServiceRun } from "./service-run.ts";
import { type ServiceSource, streamService, type WatchedSeries } from "./service-stream.ts";
import type { Stretch } from "./stretch.ts";

const day = 86_400;
const week = 7 * day;

export interface HistoryReport extends Omit<Report, "traces"> {
  /** Of the samples that there were, which may be fewer than were asked for. Unix seconds. */
  from: number;
  to: number;
  what: string;
  /** What could not be read or joined, and what else a reader must know. */
  notes: string[];
  url: string;
  processes: number;
  /** Processes that an alert of class leak names, or that are alone in the service which one names. */
  named: number;
  /** By alert and severity, the most frequent first. */
  alerts: { alert: string; severity: string; class: string; per_week: number }[];
  traces: WatchedReport[];
}

/** Without the estimates over time, which are much and can be seen on a dashboard. */
export interface WatchedReport extends Omit<TraceReport, "time_to_oom"> {
  labels: LabelSet;
  processes: number;
  /** What the last process of each slot is called, where its labels say it. */
  names: Record<string, string>;
}

/** Labels of places, for names; others follow. */
const widestFirst = ["cluster", "namespace", "workload", "group", "container"];

export async function backtestHistory(
  api: PrometheusApi,
  newJudge: () => ServiceJudge,
  options: HistoryOptions,
  onDays: (total: number) => () => void,
): Promise<HistoryReport> {
  const found = await findGauge(api, options);
  const watched = await watchedServices(api, found, options);
  const names = shortNames(watched.services.map(({ labels }) => labels));
  const advance = daysOf(watched.services.length, options, onDays);
  const traces: WatchedReport[] = [];
  const evidence = noEvidence();
  const seen = { overlapping: 0, empty: 0, without: 0 };
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { labels, series } of watched.services) {
    const run = new ServiceRun(newJudge());
    const streamed = await streamService(api, watched.source, series, options, evidence, {
      sample: (slot, sample) => run.add(slot, sample),
      done: advance,
    });
    const { episodes, found: says, slots, extent } = run.end();
    seen.overlapping += streamed.overlapping;
    seen.empty += streamed.empty;
    if (extent === undefined) {
      seen.without++;
      continue;
    }
    [from, to] = [Math.min(from, extent[0]), Math.max(to, extent[1])];
    const called = Object.fromEntries([...streamed.called].filter(([, name]) => name !== ""));
    const id = names.get(labels) as string;
    traces.push({ id, labels, processes: slots, names: called, episodes, found: says });
  }
  const processes = traces.reduce((sum, trace) => sum + trace.processes, 0);
  return {
    step_seconds: options.step,
    engine: "judge",
    from,
    to,
    what: inWords(watched, { processes, services: traces.length }, evidence),
    notes: [...watched.notes, ...notesOf(watched, seen, evidence)],
    url: api.url,
    processes,
    named: traces.reduce((sum, trace) => sum + namedIn(trace), 0),
    alerts: alertsPerWeek(
      traces.flatMap(({ episodes }) => episodes),
      Math.max(to - from, options.step) / week,
    ),
    traces,
  };
}

/** Progress by days of each service: one service of a year takes as long as many of a day. */
function daysOf(
  services: number,
  { from, to }: Stretch,
  onDays: (total: number) => () => void,
): (until: number) => void {
  const days = Math.max(1, Math.ceil((to - from) / day));
  const advance = onDays(services * days);
  let done = 0;
  return (until) => {
    const now = until >= to ? days : Math.floor((until - from) / day);
    for (; done < now; done++) advance();
    if (until >= to) done = 0;
  };
}

interface FoundGauge {
  readonly gauge: Gauge;
  readonly series: readonly LabelSet[];
}

async function findGauge(api: PrometheusApi, { metric, match, from, to }: HistoryOptions): Promise<FoundGauge> {
  const gauges = metric === undefined ? knownGauges : [metric];
  const asked = gauges.map((gauge) => ({ ...gauge, metric: both(gauge.metric, match) }));
  for (const gauge of asked) {
    const series = await api.series(selectorText(gauge.metric.name, {}, gauge.metric.matchers), from, to);
    if (series.length > 0) return { gauge, series };
  }
  const missing = noSeries(
    api,
    asked.map(({ metric: { name, matchers } }) => selectorText(name, {}, matchers)),
  );
  throw new CommandError(metric === undefined ? `${missing}. Name a gauge of memory with --metric` : missing, 2);
}

const both = (metric: GivenSelector, match: GivenSelector): GivenSelector => ({
  ...metric,
  matchers: [metric.matchers, match.matchers].filter((text) => text !== "").join(","),
});

interface WatchedServices {
  readonly source: ServiceSource;
  readonly gauge: Gauge;
  readonly services: readonly { readonly labels: LabelSet; readonly series: readonly WatchedSeries[] }[];
  readonly learned: LearnedLabels;
  /** Series of the gauge. */
  readonly found: number;
  /** Processes by what was found of their limits; of start times, how many have one. */
  readonly limits: { readonly joined: number; readonly none: number; readonly several: number };
  readonly starts: { readonly joined: number; readonly none: number; readonly several: number };
  readonly notes: readonly string[];
}

async function watchedServices(
  api: PrometheusApi,
  { gauge, series: all }: FoundGauge,
  options: HistoryOptions,
): Promise<WatchedServices> {
  const { judged, notes } = judgedContainers(gauge.metric.name, all);
  const learned = await learnLabels(api, gauge.metric, judged, options, options.replicaLabels);
  const limit = typeof gauge.limits === "number" ? undefined : await companion(api, gauge.limits, options);
  const start = await companion(api, gauge.starts, options);
  const limitOf = joinerOf(limit, learned);
  const startOf = joinerOf(start, learned);
  const outcomes = { limits: new Map<string, Joined>(), starts: new Map<string, Joined>() };
  const once = judged.filter((labels) => !learned.scrapedTwice.has(labels));
  const series = once.map((labels): WatchedSeries => {
    const identity = identityOf(labels, learned);
    const [ownLimit, ownStart] = [limitOf(labels), startOf(labels)];
    better(outcomes.limits, identity.process, ownLimit);
    better(outcomes.starts, identity.process, ownStart);
    return { labels, identity, limits: joined(ownLimit), starts: joined(ownStart) };
  });
  const services = groupBy(series, ({ identity }) => signature(identity.service));
  return {
    gauge,
    source: {
      memory: gauge.metric,
      parts: await present(api, gauge.parts, options),
      limit: typeof gauge.limits === "number" ? gauge.limits : limit?.gauge,
      start: start?.gauge,
      startSource: start === undefined ? "none" : gauge.startSource,
    },
    services: [...services.values()].map((own) => ({ labels: own[0]?.identity.service ?? {}, series: own })),
    learned,
    found: judged.length,
    limits: tallied(outcomes.limits),
    starts: tallied(outcomes.starts),
    notes,
  };
}

interface Companion {
  readonly gauge: GivenSelector;
  readonly series: readonly LabelSet[];
}

/** The first of these gauges that the server has; one that a user named must be there. */
async function companion(
  api: PrometheusApi,
  gauges: readonly GivenSelector[],
  { from, to }: HistoryOptions,
): Promise<Companion | undefined> {
  for (const gauge of gauges) {
    const selector = selectorText(gauge.name, {}, gauge.matchers);
    const series = await api.series(selector, from, to);
    if (series.length > 0) return { gauge, series };
    if (gauge.option !== undefined) throw new CommandError(`${gauge.option}: ${noSeries(api, [selector])}`, 2);
  }
  return undefined;
}

async function present(
  api: PrometheusApi,
  parts: readonly GivenSelector[],
  { from, to }: HistoryOptions,
): Promise<readonly GivenSelector[]> {
  const [first] = parts;
  if (first === undefined) return [];
  const series = await api.series(selectorText(first.name, {}, first.matchers), from, to);
  return series.length > 0 ? parts : [];
}

function joinerOf(found: Companion | undefined, learned: LearnedLabels): (labels: LabelSet) => Joined {
  if (found === undefined) return () => "none fits";
  const joiner = new Joiner(found.series, learned);
  return (labels) => joiner.of(labels);
}

const joined = (one: Joined): readonly LabelSet[] => (typeof one === "string" ? [] : one);

/** One of a process' series that has a limit is enough. */
function better(outcomes: Map<string, Joined>, process: string, one: Joined): void {
  const known = outcomes.get(process);
  if (known === undefined || typeof known === "string") outcomes.set(process, one);
}

function tallied(outcomes: ReadonlyMap<string, Joined>) {
  const all = [...outcomes.values()];
  return {
    joined: all.filter((one) => typeof one !== "string").length,
    none: all.filter((one) => one === "none fits").length,
    several: all.filter((one) => one === "several fit").length,
  };
}

/** The values of the labels in which they differ, from the widest to the narrowest. */
function shortNames(all: readonly LabelSet[]): Map<LabelSet, string> {
  const keys = [...new Set([...widestFirst, ...all.flatMap((labels) => Object.keys(labels))])];
  const telling = keys.filter((key) => all.some((labels) => labels[key] !== all[0]?.[key]));
  const shown = keys.filter((key) => key === "group" || telling.includes(key));
  const nameOf = (labels: LabelSet, labelNames: readonly string[]) =>
    labelNames
      .flatMap((key) => labels[key] ?? [])
      .filter((value, i, values) => value !== values[i - 1])
      .join("/");
  return new Map(all.map((labels) => [labels, nameOf(labels, shown) || nameOf(labels, keys) || "{}"]));
}

function namedIn({ episodes, processes }: WatchedReport): number {
  const leaks = episodes.filter((episode) => episode.class === "leak");
  const slots = new Set(leaks.flatMap(({ slot }) => (slot === null ? [] : [slot])));
  return slots.size > 0 ? slots.size : Number(leaks.length > 0 && processes === 1);
}

function alertsPerWeek(episodes: readonly EpisodeReport[], weeks: number): HistoryReport["alerts"] {
  const kinds = groupBy(episodes, ({ alert, severity }) => `${alert} ${severity}`);
  return [...kinds.values()]
    .map((same) => {
      const { alert, severity, class: kind } = same[0] as EpisodeReport;
      return { alert, severity, class: kind, per_week: same.length / weeks };
    })
    .sort((a, b) => b.per_week - a.per_week);
}

function inWords(
  { gauge, source, limits }: WatchedServices,
  { processes, services }: { processes: number; services: number },
  evidence: RestartEvidence,
): string {
  const where = services === processes ? "" : ` of ${counted(services, "service")}`;
  return `${gauge.metric.name} of ${countedProcesses(processes)}${where}, ${limitInWords(source.limit, limits)}, ${restartsInWords(source, evidence)}`;
}

function limitInWords(
  limit: ServiceSource["limit"],
  { joined: with_, none, several }: WatchedServices["limits"],
): string {
  if (typeof limit === "number") return `limit ${humanBytes(limit)}`;
  if (limit === undefined) return "no limits";
  const all = with_ + none + several;
  if (with_ === all) return `limits from ${limit.name}`;
  return with_ === 0 ? `no limit matched in ${limit.name}` : `limits from ${limit.name} for ${with_} of ${all}`;
}

function restartsInWords({ start, startSource }: ServiceSource, evidence: RestartEvidence): string {
  const { startTime, labels, falls } = evidence;
  const kinds = [
    [startTime, `from ${start?.name}`],
    [labels, "from labels of new containers"],
    [falls, "from falls of memory to the level of a fresh start"],
  ] as const;
  const parts = kinds.filter(([n]) => n > 0);
  const all = startTime + labels + falls;
  if (all === 0) {
    return start === undefined
      ? "no restarts seen; without a start time only falls of memory show them"
      : `no restarts in ${start.name}`;
  }
  const stays = falls > 0 && start !== undefined && startSource !== "none" ? ` while ${start.name} stayed` : "";
  const text = listed(parts.map(([n, from]) => (parts.length === 1 ? from : `${n} ${from}`)));
  return `${counted(all, "restart")} ${text}${stays}`;
}

function notesOf(
  { gauge, source, limits, starts, learned, found }: WatchedServices,
  seen: { readonly overlapping: number; readonly empty: number; readonly without: number },
  { wandered }: RestartEvidence,
): string[] {
  const notes: string[] = [];
  if (gauge.note !== undefined && source.parts.length === 0) notes.push(`${gauge.metric.name}: ${gauge.note}`);
  if (typeof source.limit === "object") {
    const { name } = source.limit;
    if (limits.none > 0)
      notes.push(`no limit matched ${countedProcesses(limits.none)}: ${name} has no series with the same labels`);
    if (limits.several > 0) {
      notes.push(
        `no limit was taken for ${countedProcesses(limits.several)}: several series of ${name} fit each of them`,
      );
    }
  }
  if (source.start !== undefined && starts.none + starts.several > 0) {
    notes.push(`${countedProcesses(starts.none + starts.several)} without a start time in ${source.start.name}`);
  }
  if (learned.copiesBy.length > 0) {
    notes.push(
      `copies of the same process, told apart by ${listed(learned.copiesBy)}, were counted once (${counted(found, "series", "series")} in all)`,
    );
  }
  if (learned.scrapedTwice.size > 0) {
    notes.push(
      `${counted(learned.scrapedTwice.size, "series", "series")} of targets that another job scrapes too, with the same memory: left out`,
    );
  }
  if (learned.kept.size > 0) {
    notes.push(
      `${listed([...learned.kept])} ${learned.kept.size === 1 ? "tells" : "tell"} different processes apart here: their memory is not the same`,
    );
  }
  if (wandered > 0)
    notes.push(
      `${source.start?.name} moved ${counted(wandered, "time")} while the process ran on: not counted as a restart`,
    );
  if (seen.overlapping > 0) {
    notes.push(
      `${countedProcesses(seen.overlapping)} with series that overlap and differ only in labels of a version or a container: the newest is judged`,
    );
  }
  if (seen.empty > 0)
    notes.push(`${counted(seen.empty, "sample")} of 0 bytes left out: a process that is just exiting`);
  if (seen.without > 0) notes.push(`${counted(seen.without, "service")} without a sample at any step`);
  return notes;
}
