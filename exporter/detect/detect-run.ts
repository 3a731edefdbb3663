// What is seen of some processes over time: by the exporter's own passes, and by the word of their runtimes.

import { setTimeout as wait } from "node:timers/promises";
import { processMetrics } from "../../catalog/metrics.ts";
import { shortRun } from "../../detection/short-run.ts";
import type { Config } from "../config/config.ts";
import type { HeapLimit } from "../discovery/runtimes/heap-limit.ts";
import { Failures } from "../failures.ts";
import type { KernelFiles } from "../kernel/files.ts";
import { createLogger } from "../log.ts";
import { column, columns } from "../memory/process-table.ts";
import type { Life, LimitSource } from "../model/life.ts";
import { ProcessReader } from "../samplers/process-reader.ts";
import type { Clock } from "../watch/boot-clock.ts";
import { Watcher } from "../watch/watcher.ts";
import type { Evidence, Measured, RuntimeWord } from "./answer.ts";
import { type LiveMemory, type LiveSource, liveSourceOf, type NoLiveMemory } from "./live/live-memory.ts";

/** Processes whose runtimes are asked, in one run; the others are seen from outside. */
const mostAsked = 32;

/** Descriptors held on the processes that are watched. */
const maxKept = 256;

/** At the end of a run, for a runtime that is answering; one that is stopped never does. In milliseconds. */
const longestWait = 3000;

/** A process, and what is known of it. */
export interface Observed extends Evidence {
  readonly group: string;
  readonly pid: number;
  readonly isRunning: boolean;
  /** When it started, on the run's clock in seconds. */
  readonly bornAt: number;
  /** Memory's limit in bytes, and where it is set. */
  readonly limit: number | undefined;
  readonly limitSource: LimitSource;
  /** What its heap can hold at most, in bytes. */
  readonly heapMaximum: number | undefined;
  /** Why its runtime does not say what is in use; undefined where it does. */
  readonly unavailable: string | undefined;
}

interface Points {
  readonly times: number[];
  readonly values: number[];
}

interface Track {
  readonly series: Record<Measured, Points>;
  source: LiveSource | NoLiveMemory | undefined;
  /** The last answer. */
  live: LiveMemory | NoLiveMemory | undefined;
  isCollected: boolean;
  isAsking: boolean;
  askAt: number;
  limit: number;
  heapLimit: number;
  bornAt: number;
}

export interface DetectRunOptions {
  readonly files: KernelFiles;
  readonly config: Config;
  readonly clock: Clock;
  /** `--for`, which sets how often is sampled. */
  readonly seconds: number;
  /** May runtimes be asked to collect garbage, and Node.js to open its inspector? */
  readonly collect: boolean;
  /** The command was started with an inspector: no signal is needed. */
  readonly hasInspector: boolean;
}

export class DetectRun {
  readonly watcher: Watcher;
  /** Seconds between two passes. */
  readonly interval: number;
  private readonly options: DetectRunOptions;
  private readonly startedAt: number;
  private readonly tracks = new Map<Life, Track>();
  private readonly asking = new Set<Promise<void>>();

  constructor(options: DetectRunOptions) {
    const { files, config, clock, seconds } = options;
    this.options = options;
    this.interval = Math.min(5, Math.max(0.1, seconds / shortRun.samples));
    this.startedAt = clock.monotonic();
    this.watcher = new Watcher({
      files,
      failures: new Failures(createLogger("error", "logfmt")),
      reader: new ProcessReader(files, { maxKept }),
      config: { ...config, sampleInterval: this.interval },
      clock,
    });
  }

  /** One pass; asks the runtimes whose turn it is, and does not wait for them. */
  async step(): Promise<void> {
    await this.watcher.pass({ full: true });
    const now = this.options.clock.monotonic();
    for (const life of this.watcher.watched.values()) {
      const track = this.trackOf(life, now);
      this.note(life, track, now);
      if (now >= track.askAt && !track.isAsking && this.mayAsk(track)) this.ask(life, track);
    }
  }

  /** All that was seen of every process, in the order in which they were met. */
  get observed(): Observed[] {
    return [...this.tracks].map(([life, track]) => this.observedOf(life, track));
  }

  /** All memory together, in bytes. */
  get memory(): number {
    const last = [...this.watcher.watched.values()].map((life) => this.tracks.get(life)?.series.memory.values.at(-1));
    return last.reduce<number>((sum, bytes) => sum + (bytes || 0), 0);
  }

  /** Of the processes that were seen, the first that is known. */
  get heapLimit(): HeapLimit | undefined {
    return [...this.tracks.keys()].map(({ heapLimit }) => heapLimit).find((limit) => limit !== undefined);
  }

  /** Leaves every process as it was found. */
  async close(): Promise<void> {
    await Promise.race([Promise.all(this.asking), wait(longestWait, undefined, { ref: false })]);
    const sources = [...this.tracks.values()].map(({ source }) => source);
    await Promise.all(sources.map((source) => (source && "close" in source ? source.close() : undefined)));
    this.watcher.close();
  }

  private trackOf(life: Life, now: number): Track {
    const known = this.tracks.get(life);
    if (known !== undefined) return known;
    const points = (): Points => ({ times: [], values: [] });
    const track: Track = {
      series: { live: points(), memory: points(), descriptors: points(), threads: points() },
      source: undefined,
      live: undefined,
      isCollected: false,
      isAsking: false,
      // while it starts it has other things to do, and may not be what it is to be
      askAt: now + this.options.seconds * shortRun.firstReading,
      limit: Number.NaN,
      heapLimit: Number.NaN,
      bornAt: now - (this.watcher.bootTimeAt(now) - life.bornAt),
    };
    this.tracks.set(life, track);
    return track;
  }

  private note({ row }: Life, track: Track, now: number): void {
    const value = (metric: (typeof columns)[number]) => this.watcher.table.get(row, columns.indexOf(metric));
    const add = (kind: Measured, amount: number) => {
      track.series[kind].times.push(now);
      track.series[kind].values.push(amount);
    };
    add("memory", this.unreclaimable(row));
    add("descriptors", value(processMetrics.openFds));
    add("threads", value(processMetrics.threads));
    track.limit = value(processMetrics.memoryLimit);
    track.heapLimit = value(processMetrics.heapLimit);
  }

  /** Memory that the kernel cannot take back; all that is resident where it does not tell them apart. */
  private unreclaimable(row: number): number {
    const { table } = this.watcher;
    const parts = table.get(row, column.anonymousMemory) + table.get(row, column.sharedMemory);
    if (Number.isNaN(parts)) return table.get(row, column.residentMemory);
    return parts + (table.get(row, column.swap) || 0);
  }

  private mayAsk({ source }: Track): boolean {
    if (source !== undefined) return true;
    const running = [...this.watcher.watched.values()].map((life) => this.tracks.get(life)?.source);
    return running.filter((other) => other !== undefined && "read" in other).length < mostAsked;
  }

  /** In seconds; shorter at the beginning, so that there are enough of them whenever a program gives up. */
  private readingInterval(now: number): number {
    const soFar = (now - this.startedAt) / shortRun.fewestReadings;
    return Math.max(0.2, Math.min(soFar, this.options.seconds / shortRun.readings));
  }

  private ask(life: Life, track: Track): void {
    track.isAsking = true;
    const asked = this.read(life, track).finally(() => {
      track.isAsking = false;
      this.asking.delete(asked);
    });
    this.asking.add(asked);
  }

  private async read({ pid }: Life, track: Track): Promise<void> {
    const { clock, collect, hasInspector, files } = this.options;
    const started = clock.monotonic();
    // a shell may become the program meanwhile
    if (track.source === undefined || "unavailable" in track.source)
      track.source = liveSourceOf({ pid, maySignal: collect && !hasInspector }, files);
    track.askAt = started + this.readingInterval(started);
    if ("unavailable" in track.source) return;
    const live = await track.source.read({ collect });
    track.live = live;
    const now = clock.monotonic();
    const rest = Math.min((now - started) / shortRun.collecting, this.options.seconds / shortRun.fewestReadings);
    track.askAt = Math.max(track.askAt, started + rest);
    if ("unavailable" in live) return;
    // what a collection did not clean is no better than no reading
    if (collect && !live.isCollected && track.isCollected) return;
    if (live.isCollected && !track.isCollected) {
      track.isCollected = true;
      track.series.live = { times: [], values: [] };
    }
    track.series.live.times.push(now);
    track.series.live.values.push(live.bytes);
  }

  private observedOf(life: Life, track: Track): Observed {
    const { source, live } = track;
    const answered = live !== undefined && "bytes" in live ? live : undefined;
    const runtime = runtimeWord(track, life);
    const ignored =
      runtime === "passive" && this.options.collect ? "it does not collect garbage when asked" : undefined;
    const heapLimit = Number.isNaN(track.heapLimit) ? undefined : track.heapLimit;
    return {
      group: life.group.name,
      pid: life.pid,
      isRunning: this.watcher.watched.get(life.pid) === life,
      bornAt: track.bornAt,
      runtime,
      series: track.series,
      limit: Number.isNaN(track.limit) ? undefined : track.limit,
      limitSource: life.limitSource,
      // V8 counts the young generation in its own number, and gives up before
      heapMaximum: heapLimit ?? answered?.maximum,
      unavailable: ignored ?? reasonOf(source) ?? reasonOf(live),
    };
  }
}

const reasonOf = (answer: LiveSource | LiveMemory | NoLiveMemory | undefined): string | undefined =>
  answer !== undefined && "unavailable" in answer ? answer.unavailable : undefined;

/** A runtime that could say it and is not asked is no reason to believe the kernel's numbers. */
function runtimeWord({ source, isCollected, series }: Track, { heapLimit }: Life): RuntimeWord {
  if (isCollected) return "collected";
  if (series.live.values.length > 0) return "passive";
  const isAble = source !== undefined && "read" in source;
  return isAble || heapLimit?.runtime === "v8" || heapLimit?.runtime === "jvm" ? "silent" : "none";
}
