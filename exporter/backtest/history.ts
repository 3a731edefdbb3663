// The rules over what a Prometheus server remembers: of this exporter's own series, or of any gauge of resident memory, so
// that they can be tried before anything is installed. One process group after another, so memory does not grow with
// the fleet.

import type { RuleGroup } from "../../alerts/rule.ts";
import { noSeries, type PrometheusApi } from "../prometheus/api.ts";
import { PromqlError } from "../promql/error.ts";
import { groupBy, type LabelSet, type Samples } from "../promql/series.ts";
import { type Evaluated, RuleEngine } from "../rule-engine/engine.ts";
import { CommandError } from "../terminal/command-error.ts";
import { tracedGroups } from "./builtin.ts";
import { type Gauge, gaugeSource } from "./gauge.ts";
import { inOrder } from "./in-order.ts";
import { leakwatchMetric, leakwatchSource } from "./leakwatch-series.ts";
import { type EpisodeReport, type Report, type TraceReport, traceReport } from "./report.ts";
import { type GivenSelector, selectorText } from "./selector.ts";

const week = 7 * 86_400;

/** The times that are tried at, in Unix seconds; both ends are multiples of the step. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** What is evaluated in one go. */
export interface Watched {
  readonly labels: LabelSet;
  readonly processes: number;
  /** Its exporter's series, fetched or derived; undefined when nothing was there in the end. */
  series(): Promise<Map<string, Samples[]> | undefined>;
}

/** What the rules are run on, in one line, and all of it. */
export interface Watch {
  readonly what: string;
  readonly watched: readonly Watched[];
}

export interface HistoryReport extends Omit<Report, "traces"> {
  /** Of the samples that there were, which may be fewer than were asked for. Unix seconds. */
  from: number;
  to: number;
  what: string;
  url: string;
  processes: number;
  /** Processes that an alert of class leak names, or that are alone in the group which one names. */
  named: number;
  /** By alert and severity, the most frequent first. */
  alerts: { alert: string; severity: string; class: string; per_week: number }[];
  traces: WatchedReport[];
}

/** Without the estimates over time, which are much and can be seen on a dashboard. */
export interface WatchedReport extends Omit<TraceReport, "time_to_oom"> {
  labels: LabelSet;
  processes: number;
}

export interface HistoryOptions extends Stretch {
  readonly match: GivenSelector;
  /** Undefined: the first of those that are known, by what the server has. */
  readonly metric: Gauge | undefined;
}

/** Gauges that are tried, in this order, when none is named. */
export const knownGauges: readonly Gauge[] = [
  {
    metric: { name: "container_memory_working_set_bytes", matchers: "" },
    limit: { name: "container_spec_memory_limit_bytes", matchers: "" },
    startTime: { name: "container_start_time_seconds", matchers: "" },
  },
  {
    metric: { name: "process_resident_memory_bytes", matchers: "" },
    limit: undefined,
    startTime: { name: "process_start_time_seconds", matchers: "" },
  },
];

/** Labels of places, for names; others follow. */
const widestFirst = ["cluster", "namespace", "group", "pod", "container"];

/** Processes that are fetched while another is evaluated. */
const ahead = 2;

export async function backtestHistory(
  api: PrometheusApi,
  groups: readonly RuleGroup[],
  options: HistoryOptions,
  onWatched: (total: number) => () => void,
): Promise<HistoryReport> {
  const { what, watched } = await findWatched(api, groups, options);
  const names = shortNames(watched.map(({ labels }) => labels));
  const engine = new RuleEngine(tracedGroups(groups));
  const advance = onWatched(watched.length);
  const traces: WatchedReport[] = [];
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const fetched = inOrder(watched, ahead, async (one) => ({ one, series: await one.series() }));
  for await (const { one, series } of fetched) {
    advance();
    if (series === undefined) continue;
    const id = names.get(one.labels) as string;
    const { episodes } = evaluated(engine, id, series, options);
    traces.push({ id, labels: one.labels, processes: one.processes, episodes });
    for (const { times } of [...series.values()].flat()) {
      from = Math.min(from, times[0] ?? from);
      to = Math.max(to, times[times.length - 1] ?? to);
    }
  }
  return {
    step_seconds: options.step,
    engine: "builtin",
    from,
    to,
    what,
    url: api.url,
    processes: traces.reduce((sum, { processes }) => sum + processes, 0),
    named: traces.reduce((sum, trace) => sum + namedIn(trace), 0),
    alerts: alertsPerWeek(
      traces.flatMap(({ episodes }) => episodes),
      Math.max(to - from, options.step) / week,
    ),
    traces,
  };
}

async function findWatched(api: PrometheusApi, groups: readonly RuleGroup[], options: HistoryOptions): Promise<Watch> {
  const { metric, match } = options;
  if (metric === undefined || isOwn(metric)) {
    const own = await leakwatchSource(api, groups, options);
    if (own.watched.length > 0) return own;
  }
  const gauges = metric === undefined ? knownGauges : [metric];
  for (const gauge of gauges) {
    const found = await gaugeSource(api, gauge, options);
    if (found.watched.length > 0) return found;
  }
  const matchers = [match.matchers, metric?.metric.matchers ?? ""].filter((text) => text !== "").join(",");
  const tried = [...(metric === undefined ? [leakwatchMetric] : []), ...gauges.map((one) => one.metric.name)];
  const missing = noSeries(
    api,
    tried.map((name) => selectorText(name, {}, matchers)),
  );
  throw new CommandError(metric === undefined ? `${missing}. Name a gauge of memory with --metric` : missing, 2);
}

/** The exporter's own, unless a limit or start time from elsewhere is wanted with it. */
const isOwn = ({ metric, limit, startTime }: Gauge) =>
  metric.name === leakwatchMetric && limit === undefined && startTime === undefined;

function evaluated(engine: RuleEngine, id: string, series: Evaluated["series"], { from, to }: Stretch): TraceReport {
  try {
    return traceReport(id, engine.evaluate(series, from, to));
  } catch (error) {
    if (error instanceof PromqlError) throw new CommandError(`${id}: ${error.message}`, 1, { cause: error });
    throw error;
  }
}

/** The values of the group's label and of those in which they differ, from the widest to the narrowest. */
function shortNames(all: readonly LabelSet[]): Map<LabelSet, string> {
  const keys = [...new Set([...widestFirst, ...all.flatMap((labels) => Object.keys(labels))])];
  const telling = keys.filter((key) => all.some((labels) => labels[key] !== all[0]?.[key]));
  const shown = keys.filter((key) => key === "group" || telling.includes(key));
  const nameOf = (labels: LabelSet, labelNames: readonly string[]) =>
    labelNames.flatMap((key) => labels[key] ?? []).join("/");
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
