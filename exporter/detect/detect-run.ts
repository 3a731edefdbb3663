// One run of detect over some processes: the exporter's own passes and verdicts on a faster clock, and what each process was seen to have.

import { countLeaks } from "../../alerts/families/counts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { processMetrics, recentMetrics } from "../../catalog/metrics.ts";
import { type Verdict, verdictCode } from "../../catalog/verdicts.ts";
import type { Config } from "../config/config.ts";
import { Failures } from "../failures.ts";
import type { SlotVerdict } from "../judge/live.ts";
import { Verdicts } from "../judge/verdicts.ts";
import type { KernelFiles } from "../kernel/files.ts";
import { createLogger } from "../log.ts";
import { columns } from "../memory/process-table.ts";
import type { Life, LimitSource } from "../model/life.ts";
import type { Samples } from "../promql/series.ts";
import { RuleEngine } from "../rule-engine/engine.ts";
import { ProcessReader } from "../samplers/process-reader.ts";
import type { Clock } from "../watch/boot-clock.ts";
import { Watcher } from "../watch/watcher.ts";
import { passInterval, warmUp, wholeRun } from "./windows.ts";

/** What is noted of a process at each pass. */
const noted = {
  memory: processMetrics.residentMemory,
  anonymous: processMetrics.anonymousMemory,
  file: processMetrics.fileMemory,
  shared: processMetrics.sharedMemory,
  descriptors: processMetrics.openFds,
  threads: processMetrics.threads,
} as const;

export type Kind = keyof typeof noted;
const kinds = Object.keys(noted) as Kind[];

/** Floors at the two ends of what was judged. */
export interface Change {
  readonly from: number;
  readonly to: number;
}

export interface Seen {
  readonly group: string;
  readonly pid: number;
  readonly running: boolean;
  /** Seconds from the first to the last sample. */
  readonly seconds: number;
  readonly verdict: Verdict;
  /** The alert that claims the leak, if one does. */
  readonly alert: string | undefined;
  /** Bytes per second; undefined when too little was seen. */
  readonly growth: number | undefined;
  readonly confidence: number | undefined;
  /** Seconds. */
  readonly timeToLimit: number | undefined;
  readonly limit: number | undefined;
  readonly limitSource: LimitSource;
  /** Without the kinds that could not be read. */
  readonly changes: Readonly<Partial<Record<Kind, Change>>>;
  /** Memory over time, without the start of the process. */
  readonly curve: readonly number[];
}

interface Track {
  readonly times: number[];
  readonly values: Record<Kind, number[]>;
  /** What descriptors and threads gained in a quarter of the rule's window, at the same times. */
  readonly rises: { fdRise: number[]; threadRise: number[] };
  limit: number;
  judged: SlotVerdict | undefined;
  /** Since when the verdict is a leak, without a break. */
  leakingSince: number | undefined;
}

/** Descriptors held on the processes that are watched. */
const maxKept = 256;

/** Verdicts are made so often in a run, and not closer together than these seconds: one takes a quarter of a second of CPU. */
const judgements = 60;
const judgedApart = 2;

export class DetectRun {
  readonly watcher: Watcher;
  private readonly clock: Clock;
  private readonly windows: Detection;
  private readonly verdicts: Verdicts;
  private readonly tracks = new Map<Life, Track>();

  /** Seconds between two verdicts. */
  private readonly judgedEvery: number;

  constructor(options: {
    files: KernelFiles;
    config: Config;
    clock: Clock;
    windows: Detection;
    /** For who only wants the last word; that one `finish` gives in any case. */
    judgedEvery?: number;
  }) {
    const { files, config, clock, windows } = options;
    this.judgedEvery = options.judgedEvery ?? Math.max(wholeRun(windows) / judgements, judgedApart);
    this.clock = clock;
    this.windows = windows;
    this.watcher = new Watcher({
      files,
      failures: new Failures(createLogger("error", "logfmt")),
      reader: new ProcessReader(files, { maxKept }),
      config: { ...config, sampleInterval: passInterval(windows) },
      clock,
      detection: windows,
    });
    this.verdicts = new Verdicts(this.watcher, windows);
  }

  /** One pass, and verdicts when they are due. */
  async step(): Promise<void> {
    await this.watcher.pass({ full: true });
    this.note();
    await this.judge(this.judgedEvery);
  }

  /** Judges once more, and tells of every process that was seen, the gravest first. */
  async finish(): Promise<Seen[]> {
    await this.judge(0);
    return [...this.tracks].map(([life, track]) => this.seen(life, track)).sort(byGravity);
  }

  /** For how long the verdict on some process has been a leak, in seconds; Infinity when that has come to its limit too. */
  get leakingFor(): number {
    const now = this.clock.monotonic();
    const each = [...this.tracks.values()].map(({ leakingSince, limit, values: { memory } }) => {
      if (leakingSince === undefined) return 0;
      return (memory.at(-1) ?? 0) >= limit ? Number.POSITIVE_INFINITY : now - leakingSince;
    });
    return Math.max(0, ...each);
  }

  /** All memory together, and the gravest verdict, for a line that tells how it stands. */
  get soFar(): { memory: number; verdict: Verdict } {
    const running = [...this.tracks].filter(([{ pid }]) => this.watcher.watched.has(pid));
    const memory = running.reduce((sum, [, { values }]) => sum + (values.memory.at(-1) || 0), 0);
    const seen = running.map(([, { judged }]) => judged?.verdict ?? "insufficient_data");
    return { memory, verdict: seen.reduce((a, b) => (gravity(b) > gravity(a) ? b : a), "insufficient_data") };
  }

  close(): void {
    this.watcher.close();
  }

  private note(): void {
    const { table, watched } = this.watcher;
    const now = this.clock.monotonic();
    for (const life of watched.values()) {
      const track = this.trackOf(life);
      const value = (metric: (typeof columns)[number]) => table.get(life.row, columns.indexOf(metric));
      track.times.push(now);
      for (const kind of kinds) track.values[kind].push(value(noted[kind]));
      track.rises.fdRise.push(value(recentMetrics.fdRise));
      track.rises.threadRise.push(value(recentMetrics.threadRise));
      track.limit = value(processMetrics.memoryLimit);
    }
  }

  private trackOf(life: Life): Track {
    const known = this.tracks.get(life);
    if (known !== undefined) return known;
    const values = Object.fromEntries(kinds.map((kind) => [kind, [] as number[]])) as Record<Kind, number[]>;
    const track = {
      times: [],
      values,
      rises: { fdRise: [], threadRise: [] },
      limit: Number.NaN,
      judged: undefined,
      leakingSince: undefined,
    };
    this.tracks.set(life, track);
    return track;
  }

  private async judge(maximumAge: number): Promise<void> {
    const now = this.clock.monotonic();
    for (const { slots } of (await this.verdicts.all(now, maximumAge)).values()) {
      for (const [life, judged] of slots) {
        const track = this.tracks.get(life);
        if (track === undefined || !this.watcher.watched.has(life.pid)) continue;
        track.judged = judged;
        track.leakingSince = judged.verdict === "leaking" ? (track.leakingSince ?? now) : undefined;
      }
    }
  }

  private seen(life: Life, track: Track): Seen {
    const { judged, limit, times } = track;
    const claimed = judged?.verdict === "leaking" ? [...judged.firing.keys()][0] : this.countLeak(life, track);
    return {
      group: life.group.name,
      pid: life.pid,
      running: this.watcher.watched.get(life.pid) === life,
      seconds: (times.at(-1) ?? 0) - (times[0] ?? 0),
      verdict: claimed === undefined ? (judged?.verdict ?? "insufficient_data") : "leaking",
      alert: claimed,
      growth: judged?.growth,
      confidence: judged?.confidence,
      timeToLimit: judged?.timeToOom,
      limit: Number.isNaN(limit) ? undefined : limit,
      limitSource: life.limitSource,
      changes: this.changes(life, track),
      curve: track.values.memory.slice(this.settledAt(life, track)),
    };
  }

  /** Index of the first sample that is not of the start of the process. */
  private settledAt({ bornAt }: Life, { times }: Track): number {
    const start = warmUp * wholeRun(this.windows);
    const settled = times.findIndex((time) => this.watcher.bootTimeAt(time) - bornAt >= start);
    return Math.max(0, settled);
  }

  private changes(life: Life, track: Track): Seen["changes"] {
    const { times, values } = track;
    const begin = this.settledAt(life, track);
    const { hour } = this.windows.floors;
    const [start, end] = [times[begin] ?? 0, times.at(-1) ?? 0];
    const floor = (kind: Kind, from: number, to: number) =>
      Math.min(...values[kind].filter((_, i) => i >= begin && (times[i] ?? 0) >= from && (times[i] ?? 0) <= to));
    const changes: Partial<Record<Kind, Change>> = {};
    for (const kind of kinds) {
      const change = { from: floor(kind, start, start + hour), to: floor(kind, end - hour, end) };
      if (Number.isFinite(change.from) && Number.isFinite(change.to)) changes[kind] = change;
    }
    return changes;
  }

  /** The rules of descriptors and threads, wherever the limit is: in production it is another one. */
  private countLeak({ bornAt }: Life, { times, values, rises }: Track): string | undefined {
    const rules = countLeaks({
      ...this.windows,
      countLeak: { ...this.windows.countLeak, within: Number.MAX_SAFE_INTEGER },
    });
    if ((times.at(-1) ?? 0) - (times[0] ?? 0) < this.windows.countLeak.over) return undefined;
    const boot = times.map((time) => this.watcher.bootTimeAt(time));
    const now = boot.at(-1) ?? 0;
    const series = (name: string, more: Pick<Samples, "times" | "values" | "holds">): [string, Samples[]] => [
      name,
      [{ labels: { __name__: name, slot: "0" }, ...more }],
    ];
    const constant = (value: number) => ({ times: [bornAt], values: [value], holds: true });
    const base = new Map([
      series(recentMetrics.fdRise.name, { times: boot, values: rises.fdRise }),
      series(recentMetrics.threadRise.name, { times: boot, values: rises.threadRise }),
      series(processMetrics.openFds.name, { times: boot, values: values.descriptors }),
      series(processMetrics.threads.name, { times: boot, values: values.threads }),
      series(processMetrics.maxFds.name, constant(2 ** 31)),
      series(processMetrics.maxThreads.name, constant(2 ** 31)),
    ]);
    const { episodes } = new RuleEngine([rules]).evaluate(base, boot[0] ?? now, now);
    return episodes.find(({ end }) => end === undefined)?.alert;
  }
}

const byGravity = (a: Seen, b: Seen) =>
  gravity(b.verdict) - gravity(a.verdict) || (b.growth ?? 0) - (a.growth ?? 0) || a.pid - b.pid;

const gravity = (verdict: Verdict) => verdictCode[verdict];
