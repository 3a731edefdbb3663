// The exporter as a whole: passes in the background, passes for scrapes, and never two at once.

import { demo, staleAfterIntervals } from "../catalog/defaults.ts";
import { atSpeed, judgeSettings } from "../detection/judge.ts";
import type { Config } from "./config/config.ts";
import { type ConfigError, loadConfig } from "./config/load.ts";
import { maxHeldDescriptors } from "./descriptors.ts";
import { type BoundName, processesWithin } from "./discovery/bounds.ts";
import { Containers } from "./discovery/containers/containers.ts";
import { EngineSource } from "./discovery/containers/engine.ts";
import { KubernetesSource } from "./discovery/containers/kubernetes-pods.ts";
import { type Exposition, Expositions } from "./exposition/exposition.ts";
import { endOf, type Format, selfMetricsAs } from "./exposition/format.ts";
import { Renderer } from "./exposition/render.ts";
import { type SelfSamples, selfMetricsText } from "./exposition/self-metrics.ts";
import { Failures } from "./failures.ts";
import { KernelFiles, type KernelRoots } from "./kernel/files.ts";
import type { Logger } from "./log.ts";
import { OwnMemory } from "./own-memory.ts";
import { ProcessReader } from "./samplers/process-reader.ts";
import type { Remembered } from "./storage/saved.ts";
import { type Storage, saveIntervalSeconds } from "./storage/storage.ts";
import { heapTidier } from "./tidy-heap.ts";
import { revision, version } from "./version.ts";
import { type Clock, systemClock } from "./watch/boot-clock.ts";
import { SmapsSampler } from "./watch/smaps.ts";
import { type PassReport, Watcher } from "./watch/watcher.ts";

/** Cgroups are read at least this often, in seconds, so that limits stay current when nobody scrapes. */
const fullPassSeconds = 15;

export interface ReloadState {
  successful: boolean;
  /** Unix time at which the configuration in use was read, in seconds. */
  time: number;
  /** Why the last one was refused. */
  error: string | undefined;
}

export class Exporter {
  readonly watcher: Watcher;
  readonly failures: Failures;
  readonly reload: ReloadState;
  config: Config;
  private readonly log: Logger;
  private readonly clock: Clock;
  private readonly configFile: string | undefined;
  /** How many times faster than life the judge's clock runs: 1, but in a demonstration. */
  readonly speed: number;
  private readonly renderer: Renderer;
  private readonly selfText: () => Promise<string>;
  private readonly smaps: SmapsSampler;
  private readonly containers: Containers | undefined;
  private readonly listsPods: boolean;
  private readonly expositions: Record<Format, Expositions> = {
    text: new Expositions(),
    openmetrics: new Expositions(),
  };
  private readonly fresh = new Map<Format, Exposition>();
  private readonly tidyHeap = heapTidier();
  private readonly own: OwnMemory;
  private readonly storage: ConstructorParameters<typeof Exporter>[0]["storage"];
  private savedAt = Number.NaN;
  private queue: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private lastFullPass = Number.NEGATIVE_INFINITY;
  /** Why the last pass failed, and when, on the monotonic clock; undefined after one that did not. */
  private failure: { cause: string; error: unknown; at: number } | undefined;
  private stopped = false;

  constructor(options: {
    roots: KernelRoots;
    config: Config;
    configFile?: string | undefined;
    log: Logger;
    clock?: Clock;
    maxKeptDescriptors?: number;
    /** Asks the Kubernetes API for the pods of this node. */
    listPods?: (() => Promise<string>) | undefined;
    /** The container engine's socket. */
    dockerSocket?: string | undefined;
    /** How many times faster than life the judge's clock runs. */
    speed?: number;
    /** What is kept over restarts, and what was found there. */
    storage?:
      | { readonly storage: Storage; readonly remembered: Remembered | undefined; readonly boot: string }
      | undefined;
  }) {
    this.log = options.log;
    this.clock = options.clock ?? systemClock;
    this.speed = options.speed ?? 1;
    this.config = this.paced(options.config);
    this.configFile = options.configFile;
    this.failures = new Failures(options.log);
    const files = new KernelFiles(options.roots);
    const maxKept = options.maxKeptDescriptors ?? maxHeldDescriptors();
    const reader = new ProcessReader(files, { maxKept });
    this.listsPods = options.listPods !== undefined;
    this.containers = this.containersFrom(options);
    const judge = atSpeed(judgeSettings, this.speed);
    this.watcher = new Watcher({
      files,
      failures: this.failures,
      reader,
      config: this.config,
      clock: this.clock,
      containers: this.containers,
      judge,
      remembered: options.storage?.remembered,
      maxProcesses: processesWithin(process.constrainedMemory()),
    });
    this.storage = options.storage;
    this.own = new OwnMemory(judge);
    this.smaps = new SmapsSampler(this.watcher.targetFiles, this.failures, this.watcher);
    this.renderer = new Renderer(this.watcher);
    this.selfText = selfMetricsText(() => this.selfSamples());
    this.reload = { successful: true, time: this.clock.unix(), error: undefined };
  }

  /** Takes the first pass, and goes on in the background. */
  async start(): Promise<void> {
    await this.containers?.refreshIfDue(); // else groups would be named twice
    await this.exclusively(() => this.runPass({ full: true }));
    this.log.info("watching", {
      processes: this.watcher.watched.size,
      groups: this.watcher.groups.size,
      cgroups: this.watcher.cgroups.mounted,
      fd_count: this.watcher.reader.fdCountMethod,
    });
    this.scheduleNextPass();
  }

  /** Ends the background passes and lets go of every descriptor. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.queue;
    await this.save();
    this.watcher.close();
  }

  /** Exposition text no older than the configured age. Concurrent callers share one pass and one text. */
  scrape(format: Format): Promise<Exposition> {
    return this.exclusively(async () => {
      await this.passIfOld();
      const fresh = this.fresh.get(format) ?? (await this.render(format));
      this.fresh.set(format, fresh);
      return fresh;
    });
  }

  /** A pass, unless the last one is recent enough; for pages and programs. */
  refresh(): Promise<void> {
    return this.exclusively(() => this.passIfOld());
  }

  private async passIfOld(): Promise<void> {
    const { sampleMaxAge } = this.config;
    // whoever asks again at once is told the same, and costs no further try
    if (this.failure !== undefined && this.clock.monotonic() - this.failure.at < sampleMaxAge) throw this.failure.error;
    if (this.clock.monotonic() - this.lastFullPass >= sampleMaxAge) await this.runPass({ full: true });
  }

  /** What is left out because a bound is reached. */
  leftOutNow(): { bound: BoundName; limit: number; processes: number }[] {
    return [...this.watcher.leftOut()].filter(({ processes }) => processes > 0);
  }

  /** Now, on the clock of all ages. */
  secondsSinceBoot(): number {
    return this.watcher.bootTimeAt(this.clock.monotonic());
  }

  /** Unix time of a moment in seconds since boot. */
  unixTimeAt(sinceBoot: number): number {
    return this.clock.unix() - (this.secondsSinceBoot() - sinceBoot);
  }

  /** Why the exporter's numbers should not be relied on; undefined when they can be. */
  notReady(): string | undefined {
    const { lastPass } = this.watcher;
    if (lastPass === undefined) return "the first pass over the processes is not finished";
    const age = this.clock.monotonic() - lastPass.monotonic;
    return age > staleAfterIntervals * this.config.sampleInterval
      ? `the last pass over the processes was ${age.toFixed(0)} s ago; one is due every ${this.config.sampleInterval} s`
      : undefined;
  }

  /** Reads the configuration again. A bad one is refused and the old one stays. Returns why, or undefined. */
  async reloadConfig(): Promise<string | undefined> {
    try {
      const config = this.paced(await loadConfig(this.configFile));
      await this.exclusively(async () => {
        this.config = config;
        this.watcher.configure(config);
      });
      Object.assign(this.reload, { successful: true, time: this.clock.unix(), error: undefined });
      this.log.info("configuration loaded", { file: this.configFile ?? "none" });
      return undefined;
    } catch (error) {
      const { message } = error as ConfigError;
      Object.assign(this.reload, { successful: false, error: message });
      this.log.error("configuration rejected, keeping the previous one", { error: message });
      return message;
    }
  }

  /** On the fast clock of the demo a minute is a second or less: it looks as often as the demo is scraped. */
  private paced(config: Config): Config {
    if (this.speed === 1) return config;
    const { scrapeIntervalSeconds: second } = demo;
    return {
      ...config,
      sampleInterval: Math.min(config.sampleInterval, second),
      sampleMaxAge: Math.min(config.sampleMaxAge, second / 2), // a scrape takes a pass of its own, even when it comes a little early
    };
  }

  private async runPass(options: { full: boolean }): Promise<void> {
    const report = await this.watchedPass(options);
    this.own.add(report.monotonic);
    if (Number.isNaN(this.savedAt)) this.savedAt = report.monotonic;
    if (report.monotonic - this.savedAt >= Math.max(1, saveIntervalSeconds / this.speed)) await this.save();
    if (options.full) this.lastFullPass = report.monotonic;
    void this.containers?.refreshIfDue(); // its answer is for passes to come
    if (this.config.smaps.enabled) await this.smaps.sampleIfDue(this.config.smaps, this.clock.monotonic());
    this.fresh.clear();
    this.tidyHeap(this.watcher.watched.size);
  }

  /** Writes down what is known, where that is wanted. */
  private async save(): Promise<void> {
    if (this.storage === undefined || this.watcher.lastPass === undefined) return;
    this.savedAt = this.clock.monotonic();
    const header = { boot: this.storage.boot, savedAt: this.clock.unix(), sinceBoot: this.secondsSinceBoot() };
    const { groups, ledger } = this.watcher;
    await this.storage.storage.save(header, groups, (group) => ledger.account(group));
  }

  /** Says once why passes fail, and that they go on. A scrape fails with the pass that it asked for. */
  private async watchedPass(options: { full: boolean }): Promise<PassReport> {
    try {
      const report = await this.watcher.pass(options);
      if (this.failure !== undefined) this.log.info("passes succeed again");
      this.failure = undefined;
      return report;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const cause = code ?? message;
      if (cause !== this.failure?.cause) {
        this.log.error("pass failed; it is tried again after each interval, and not logged again", { error: message });
      }
      this.failure = { cause, error, at: this.clock.monotonic() };
      throw error;
    }
  }

  private containersFrom({
    listPods,
    dockerSocket,
  }: Pick<ConstructorParameters<typeof Exporter>[0], "listPods" | "dockerSocket">): Containers | undefined {
    const sources = [
      ...(listPods === undefined ? [] : [new KubernetesSource(listPods)]), // knows more of a pod's containers
      ...(dockerSocket === undefined ? [] : [new EngineSource(dockerSocket)]),
    ];
    const onChange = () => this.watcher?.refreshContainerNames();
    return sources.length === 0
      ? undefined
      : new Containers({ sources, failures: this.failures, clock: this.clock, onChange });
  }

  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }

  private scheduleNextPass(): void {
    if (this.stopped) return;
    const wait = Math.max(0.05, this.config.sampleInterval - this.sinceLastTry);
    this.timer = setTimeout(async () => {
      if (this.sinceLastTry >= this.config.sampleInterval * 0.9) {
        const full = this.clock.monotonic() - this.lastFullPass >= fullPassSeconds;
        await this.exclusively(() => this.runPass({ full })).catch(() => undefined); // told where it failed
      }
      this.scheduleNextPass();
    }, wait * 1000);
  }

  /** Seconds since the last pass, those that a scrape asked for and those that failed included. */
  private get sinceLastTry(): number {
    return this.clock.monotonic() - Math.max(this.failure?.at ?? 0, this.watcher.lastPass?.monotonic ?? 0);
  }

  private async render(format: Format): Promise<Exposition> {
    const exposition = this.expositions[format].next();
    const own = await this.selfText();
    await this.renderer.render(format, exposition.buffer);
    exposition.buffer.text(selfMetricsAs(format, own));
    exposition.buffer.text(endOf(format));
    return exposition;
  }

  private selfSamples(): SelfSamples {
    const { watcher } = this;
    const bounds = [...watcher.leftOut()];
    const count = <T>(value: T | undefined, map: (value: T) => number) =>
      value === undefined ? undefined : map(value);
    return {
      buildInfo: [[{ version, revision, node_version: process.version }, 1]],
      samples: [[{}, watcher.passes]],
      sampleDuration: [[{}, watcher.passSeconds]],
      ownSeverity: [[{}, this.own.severity]],
      judgeDuration: [[{}, watcher.judgeSeconds]],
      sampleLongestBlock: [[{}, count(watcher.lastPass, (pass) => pass.longestBlock)]],
      lastSample: [[{}, count(watcher.lastPass, (pass) => pass.finishedAt)]],
      watchedProcesses: [[{}, watcher.watched.size]],
      keptDescriptors: [[{}, watcher.reader.kept]],
      keptDescriptorsMax: [[{}, watcher.reader.maxKept]],
      unreadable: this.unreadableNow(),
      readErrors: [...this.failures].map(({ file, reason, count }) => [{ file, reason }, count] as const),
      maxProcesses: bounds.map(({ bound, limit }) => [{ bound }, limit] as const),
      leftOut: bounds.map(({ bound, processes }) => [{ bound }, processes] as const),
      heldUpReads: [[{}, watcher.targetFiles.heldUp]],
      smapsSkipped: [[{}, this.config.smaps.enabled ? this.smaps.skipped : undefined]],
      podsListed: [[{}, this.listsPods ? (this.containers?.listedAt ?? 0) : undefined]],
      stateSaved: [[{}, this.storage && (this.storage.storage.report.savedAt ?? 0)]],
      stateFailures: [[{}, this.storage?.storage.report.failures]],
      configReloadSuccessful: [[{}, this.reload.successful ? 1 : 0]],
      configReloadTime: [[{}, this.reload.time]],
    };
  }

  /** Processes of which a file cannot be read now, by file and reason. */
  unreadableNow(): (readonly [{ file: string; reason: string }, number])[] {
    const counts = new Map<string, [{ file: string; reason: string }, number]>();
    for (const { file, reason } of this.watcher.unreadable()) {
      const entry = counts.get(`${file} ${reason}`) ?? [{ file, reason }, 0];
      entry[1]++;
      counts.set(`${file} ${reason}`, entry);
    }
    return [...counts.values()];
  }
}
