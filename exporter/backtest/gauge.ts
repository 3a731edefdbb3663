// Any gauge of resident memory, read as what this exporter would have exposed: one process for each set of labels, its
// lives told apart by a start time where there is one, and by how its memory falls where there is none.

import { noSeries, type PrometheusApi } from "../prometheus/api.ts";
import { groupBy, type LabelSet, type Samples, signature } from "../promql/series.ts";
import { CommandError } from "../terminal/command-error.ts";
import { humanBytes } from "../text/human.ts";
import { exposedSeries } from "./exposed.ts";
import { fetchRange } from "./fetch-range.ts";
import type { HistoryOptions, Stretch, Watch } from "./history.ts";
import { type GivenSelector, selectorText } from "./selector.ts";
import type { Member } from "./traces.ts";

export interface Gauge {
  readonly metric: GivenSelector;
  /** A gauge, or the same number of bytes for all. */
  readonly limit: GivenSelector | number | undefined;
  readonly startTime: GivenSelector | undefined;
}

/** Labels of a container's life, not of the container: each restart brings new ones. */
const labelsOfALife = ["id", "container_id", "uid", "pid"];
/** cAdvisor has the container's id and image here too, when it knows the pod. */
const labelsOfAPodsLife = ["name", "image"];
/** Labels by which different exporters know the same container. */
const containerLabels = ["cluster", "namespace", "pod", "container"];

/** Clocks wander: start times that differ by less are one, in seconds. */
const sameStart = 30;
/** "No limit" is 0, or in cgroup v1 a number of this size. */
const noLimit = 2 ** 60;
/** Without a start time, a fall to this share of the value before is a restart … */
const restartFall = { atOnce: 0.5, afterGap: 0.8 } as const;
/** … where a gap is this long, in seconds: up to 5 minutes a server repeats the last value. */
const gap = 330;

export async function gaugeSource(api: PrometheusApi, gauge: Gauge, options: HistoryOptions): Promise<Watch> {
  const { match, ...stretch } = options;
  const matchers = [gauge.metric.matchers, match.matchers].filter((text) => text !== "").join(",");
  const found = named(await api.series(selectorText(gauge.metric.name, {}, matchers), stretch.from, stretch.to));
  if (found.length === 0) return { what: "", watched: [] };
  const limits = typeof gauge.limit === "number" ? gauge.limit : await companion(api, gauge.limit, stretch);
  const starts = await companion(api, gauge.startTime, stretch);
  const processes = groupBy(found, (labels) => signature(identityOf(labels)));
  return {
    what: inWords(gauge, processes.size, limits, starts),
    watched: [...processes.values()].map((lives) => {
      const labels = identityOf(lives[0] as LabelSet);
      return {
        labels,
        processes: 1,
        async series() {
          const all = await fetchRange(api, selectorText(gauge.metric.name, labels, matchers), stretch);
          // a selector cannot say that there are no other labels
          const memory = all.filter((one) => signature(identityOf(one.labels)) === signature(labels));
          if (memory.length === 0) return undefined;
          const limit = typeof limits === "number" ? limits : ((await limits?.(labels)) ?? []);
          const member = memberOf(memory, limit, (await starts?.(labels)) ?? []);
          return exposedSeries({ id: selectorText("", labels), members: [member] });
        },
      };
    }),
  };
}

/** cAdvisor also tells sums of containers, which have no name, and the container that only holds a pod's network. */
function named(found: readonly LabelSet[]): readonly LabelSet[] {
  for (const label of ["container", "name"]) {
    const those = found.filter((labels) => (labels[label] ?? "") !== "" && labels[label] !== "POD");
    if (those.length > 0) return those;
  }
  return found;
}

function identityOf(labels: LabelSet): LabelSet {
  const left = [...labelsOfALife, ...(labels["pod"] === undefined ? [] : labelsOfAPodsLife), "__name__"];
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !left.includes(label)));
}

/** Fetches another gauge of the same process, known by the labels that both have. */
async function companion(
  api: PrometheusApi,
  gauge: GivenSelector | undefined,
  stretch: Stretch,
): Promise<((labels: LabelSet) => Promise<Samples[]>) | undefined> {
  if (gauge === undefined) return undefined;
  const found = await api.series(selectorText(gauge.name, {}, gauge.matchers), stretch.from, stretch.to);
  if (found.length === 0) {
    if (gauge.option === undefined) return undefined;
    throw new CommandError(`${gauge.option}: ${noSeries(api, [selectorText(gauge.name, {}, gauge.matchers)])}`, 2);
  }
  const names = new Set(found.flatMap((labels) => Object.keys(identityOf(labels))));
  return (labels) => {
    const shared = Object.keys(labels).filter((label) => names.has(label));
    const keys = shared.includes("pod") ? shared.filter((label) => containerLabels.includes(label)) : shared;
    const known = Object.fromEntries(keys.map((label) => [label, labels[label] as string]));
    return fetchRange(api, selectorText(gauge.name, known, gauge.matchers), stretch);
  };
}

/** One process from the gauges of its lives. */
function memberOf(memory: readonly Samples[], limits: readonly Samples[] | number, starts: readonly Samples[]): Member {
  const rows = merged(memory);
  const limitAt = typeof limits === "number" ? undefined : new Map(merged(limits).map(({ t, value }) => [t, value]));
  const limit = rows.map(({ t }) => {
    const bytes = limitAt === undefined ? (limits as number) : (limitAt.get(t) ?? Number.NaN);
    return bytes > 0 && bytes < noLimit ? bytes : Number.NaN;
  });
  return {
    slot: 0,
    times: Float64Array.from(rows, ({ t }) => t),
    resident: Float64Array.from(rows, ({ value }) => value),
    limit: Float64Array.from(limit),
    startTime: starts.length > 0 ? exportedStarts(rows, starts) : guessedStarts(rows),
  };
}

interface Row {
  readonly t: number;
  readonly value: number;
  /** Which life the sample's own labels speak of. */
  readonly life: string;
}

/** All samples in one line. Where two lives overlap, a server still repeats the last value of the first. */
function merged(all: readonly Samples[]): Row[] {
  const rows = new Map<number, Row>();
  for (const { labels, times, values } of [...all].sort((a, b) => (a.times[0] ?? 0) - (b.times[0] ?? 0))) {
    const life = labelsOfALife.map((label) => labels[label] ?? "").join("\n");
    for (let i = 0; i < times.length; i++) {
      const [t, value] = [times[i] as number, values[i] as number];
      if (!Number.isNaN(value)) rows.set(t, { t, value, life });
    }
  }
  return [...rows.values()].sort((a, b) => a.t - b.t);
}

function exportedStarts(rows: readonly Row[], starts: readonly Samples[]): Float64Array {
  const exported = merged(starts);
  const startAt = new Map(exported.map(({ t, value }) => [t, value]));
  // what came before the first start that is exported is a life of its own if it must be
  let start = Math.min(exported[0]?.value ?? Number.POSITIVE_INFINITY, rows[0]?.t ?? 0);
  return Float64Array.from(rows, ({ t }) => {
    const now = startAt.get(t) ?? start;
    if (Math.abs(now - start) > sameStart) start = now;
    return start;
  });
}

function guessedStarts(rows: readonly Row[]): Float64Array {
  let start = rows[0]?.t ?? 0;
  return Float64Array.from(rows, ({ t, value, life }, i) => {
    const before = rows[i - 1];
    if (before === undefined) return start;
    const fall = t - before.t >= gap ? restartFall.afterGap : restartFall.atOnce;
    if (life !== before.life || value < fall * before.value) start = t;
    return start;
  });
}

function inWords({ metric, limit, startTime }: Gauge, processes: number, limits: unknown, starts: unknown): string {
  const from = [
    typeof limit === "number"
      ? `limit ${humanBytes(limit)}`
      : limits === undefined
        ? "no limits"
        : `limits from ${limit?.name}`,
    starts === undefined ? "restarts guessed from falls of memory" : `restarts from ${startTime?.name}`,
  ];
  return `${metric.name} of ${processes} ${processes === 1 ? "process" : "processes"}, ${from.join(", ")}`;
}
