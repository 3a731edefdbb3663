// The samples of one service, from the gauges that a server has of it: of copies one, of lives that overlap the newer, each with
// the limit that held then and the start of its life.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type PrometheusApi, type RangeResult, sampleValue } from "../prometheus/api.ts";
import { groupBy, type LabelSet, signature } from "../prometheus/labels.ts";
import { chunksOf } from "./chunks.ts";
import { commonSelector } from "./common-selector.ts";
import type { GivenSelector } from "./gauges.ts";
import type { Identity } from "./identity.ts";
import type { JudgedSample } from "./judged.ts";
import { Lives, type RestartEvidence, type StartSource } from "./lives.ts";
import { Slots } from "./slots.ts";
import type { Stretch } from "./stretch.ts";

/** "No limit" is 0, or in cgroup v1 a number of this size. */
const noLimit = 2 ** 60;
/** A limit holds so long after its last sample, in seconds: its exporter may be restarted meanwhile. */
const limitHolds = 3600;
/** Different lives of one process overlap while a server repeats the last value of the first; what overlaps longer is another process. */
const overlapAllowed = 600;

/** Milliseconds of work in one go. */
const longestSilence = 50;

/** The gauges of a service. */
export interface ServiceSource {
  readonly memory: GivenSelector;
  /** What of it cannot be given back, in parts; where the first has a value, their sum counts in place of the whole. */
  readonly parts: readonly GivenSelector[];
  /** A gauge, or the same number of bytes for all. */
  readonly limit: GivenSelector | number | undefined;
  readonly start: GivenSelector | undefined;
  readonly startSource: StartSource;
}

export interface WatchedSeries {
  readonly labels: LabelSet;
  readonly identity: Identity;
  /** Series of the other gauges that are of the same process. */
  readonly limits: readonly LabelSet[];
  readonly starts: readonly LabelSet[];
}

export interface StreamListener {
  sample(slot: string, sample: JudgedSample): void;
  /** Everything up to this time, in Unix seconds, was given. */
  done(until: number): void;
}

export interface Streamed {
  /** What the processes are called, by slot: the last one of each. */
  readonly called: Map<string, string>;
  /** Processes of which series overlap that are no copies. */
  readonly overlapping: number;
  /** Samples of 0 bytes: a process that is just ending. */
  readonly empty: number;
}

/** Gives all samples in the order of time. Nothing is kept but what is fetched at a time. */
export async function streamService(
  api: PrometheusApi,
  source: ServiceSource,
  series: readonly WatchedSeries[],
  stretch: Stretch,
  evidence: RestartEvidence,
  on: StreamListener,
): Promise<Streamed> {
  const processes = [...groupBy(series, ({ identity }) => identity.process)].map(
    ([key, own]) => new Process(key, own, source, stretch.step),
  );
  const slots = new Slots();
  const lives = new Map<string, Lives>();
  const called = new Map<string, string>();
  let empty = 0;
  let heard = performance.now();
  const give = ({ key }: Process, { series: of, bytes, limit, startTime: start }: Found, time: number) => {
    const slot = slots.of(key, of.identity.ordinal, time, start);
    const life = lives.get(slot) ?? new Lives(source.startSource, evidence);
    lives.set(slot, life);
    called.set(slot, of.identity.called);
    const startTime = life.add({ time, bytes, startTime: start, label: of.identity.life });
    on.sample(slot, { time, bytes, limit, startTime });
  };
  const asked = queriesOf(source, series);
  for await (const { from, to, results } of chunksOf(api, asked.queries, asked.series, stretch)) {
    const count = Math.floor((to - from) / stretch.step) + 1;
    const grid = { from, step: stretch.step, count };
    const columns = results.map((found) => columnsOf(found, grid));
    const present = processes.filter((process) => process.load(columns, asked.at));
    for (let i = 0; i < count; i++) {
      const time = from + i * stretch.step;
      // judging takes longer than a server takes to answer, and the next answer must be heard meanwhile
      if (performance.now() - heard > longestSilence) {
        await nextTurn();
        heard = performance.now();
      }
      const newcomers: [Process, Found][] = [];
      for (const process of present) {
        const found = process.at(i, time);
        if (found === undefined) continue;
        if (!(found.bytes > 0)) empty++;
        else if (slots.has(process.key)) give(process, found, time);
        else newcomers.push([process, found]);
      }
      for (const [process, found] of newcomers) give(process, found, time);
    }
    on.done(to);
  }
  return { called, overlapping: processes.filter(({ isOverlapping }) => isOverlapping).length, empty };
}

/** Where the answers of each gauge stand. */
interface Places {
  readonly memory: number;
  readonly parts: readonly number[];
  readonly limit: number | undefined;
  readonly start: number | undefined;
}

function queriesOf({ memory, parts, limit, start }: ServiceSource, series: readonly WatchedSeries[]) {
  const queries: string[] = [];
  let count = 0;
  const ask = (gauge: GivenSelector, those: readonly LabelSet[]): number | undefined => {
    if (those.length === 0) return undefined;
    count += those.length;
    return queries.push(commonSelector(gauge.name, those, gauge.matchers)) - 1;
  };
  const labels = series.map((one) => one.labels);
  const at: Places = {
    memory: ask(memory, labels) as number,
    parts: parts.map((part) => ask(part, labels) as number),
    limit: typeof limit === "object" ? ask(limit, unique(series.flatMap((one) => one.limits))) : undefined,
    start: start === undefined ? undefined : ask(start, unique(series.flatMap((one) => one.starts))),
  };
  return { queries, series: count, at };
}

const unique = (series: readonly LabelSet[]) => [
  ...new Map(series.map((labels) => [signature(labels), labels])).values(),
];

/** Values at each time of the grid, NaN where there are none, by the series' labels. */
type Columns = ReadonlyMap<string, Float64Array>;

function columnsOf(
  results: readonly RangeResult[],
  { from, step, count }: { from: number; step: number; count: number },
): Columns {
  const columns = new Map<string, Float64Array>();
  for (const { metric, values } of results) {
    const key = signature(metric);
    const column = columns.get(key) ?? new Float64Array(count).fill(Number.NaN);
    columns.set(key, column);
    for (const [t, text] of values) {
      const i = Math.round((t - from) / step);
      if (i >= 0 && i < count) column[i] = sampleValue(text);
    }
  }
  return columns;
}

/** One series of a process in the chunk that is worked on. */
interface Loaded {
  readonly series: WatchedSeries;
  readonly memory: Float64Array;
  readonly parts: readonly (Float64Array | undefined)[];
  readonly limits: readonly Float64Array[];
  readonly starts: readonly Float64Array[];
}

interface Found {
  readonly series: WatchedSeries;
  readonly bytes: number;
  readonly limit: number;
  readonly startTime: number;
}

/** A process through all its lives and copies. */
class Process {
  readonly key: string;
  isOverlapping = false;
  private readonly series: readonly WatchedSeries[];
  private readonly keys: readonly { own: string; limits: readonly string[]; starts: readonly string[] }[];
  private readonly limit: number | undefined;
  private readonly step: number;
  private loaded: readonly Loaded[] = [];
  private readonly firstSeen = new Map<WatchedSeries, number>();
  private current: WatchedSeries | undefined;
  private lastLimit = { bytes: Number.NaN, time: Number.NaN };
  private overlap = 0;

  constructor(key: string, series: readonly WatchedSeries[], { limit }: ServiceSource, step: number) {
    this.key = key;
    this.series = series;
    this.keys = series.map((one) => ({
      own: signature(one.labels),
      limits: one.limits.map(signature),
      starts: one.starts.map(signature),
    }));
    this.limit = typeof limit === "number" ? limit : undefined;
    this.step = step;
  }

  /** Is there anything of it in this chunk? */
  load(columns: readonly Columns[], at: Places): boolean {
    const of = (query: number | undefined, key: string) => (query === undefined ? undefined : columns[query]?.get(key));
    const present = (query: number | undefined, keys: readonly string[]) => keys.flatMap((key) => of(query, key) ?? []);
    this.loaded = this.series.flatMap((series, i) => {
      const { own, limits, starts } = this.keys[i] as (typeof this.keys)[number];
      const memory = of(at.memory, own);
      if (memory === undefined) return [];
      const parts = at.parts.map((query) => of(query, own));
      return [{ series, memory, parts, limits: present(at.limit, limits), starts: present(at.start, starts) }];
    });
    return this.loaded.length > 0;
  }

  /** What is known at the i-th time of the chunk; undefined where there is no sample. */
  at(i: number, time: number): Found | undefined {
    let chosen: Loaded | undefined;
    let lives = 0;
    for (const one of this.loaded) {
      if (Number.isNaN(one.memory[i] as number)) continue;
      if (!this.firstSeen.has(one.series)) this.firstSeen.set(one.series, time);
      if (chosen !== undefined && chosen.series.identity.life !== one.series.identity.life) lives++;
      if (chosen === undefined || this.isBetter(one.series, chosen.series)) chosen = one;
    }
    this.overlap = lives > 0 ? this.overlap + this.step : 0;
    if (this.overlap > overlapAllowed) this.isOverlapping = true;
    if (chosen === undefined) return undefined;
    this.current = chosen.series;
    return {
      series: chosen.series,
      bytes: bytesOf(chosen, i),
      limit: this.limitAt(chosen, i, time),
      startTime: firstKnown(chosen.starts, i),
    };
  }

  /** The newer life; of copies the one that was taken before. */
  private isBetter(one: WatchedSeries, other: WatchedSeries): boolean {
    if (one.identity.life === other.identity.life) return one === this.current;
    const [a, b] = [this.firstSeen.get(one), this.firstSeen.get(other)] as [number, number]; // of all that have a sample now
    return a > b || (a === b && one === this.current);
  }

  private limitAt({ limits }: Loaded, i: number, time: number): number {
    const bytes = this.limit ?? firstKnown(limits, i);
    if (!Number.isNaN(bytes)) this.lastLimit = { bytes, time };
    else if (!(time - this.lastLimit.time <= limitHolds)) return Number.NaN;
    const { bytes: last } = this.lastLimit;
    return last > 0 && last < noLimit ? last : Number.NaN;
  }
}

const firstKnown = (columns: readonly Float64Array[], i: number): number => {
  for (const column of columns) if (!Number.isNaN(column[i] as number)) return column[i] as number;
  return Number.NaN;
};

function bytesOf({ memory, parts }: Loaded, i: number): number {
  const first = parts[0]?.[i] ?? Number.NaN;
  if (Number.isNaN(first)) return memory[i] as number;
  return parts.reduce((sum, part) => sum + (Number.isNaN(part?.[i] ?? Number.NaN) ? 0 : (part?.[i] as number)), 0);
}
