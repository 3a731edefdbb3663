// The course of one run: watch for the time that was asked for, and for as long again where the answer would be weak; or load, and look what each
// load leaves.

import type { ChildProcess } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { loadRounds, shortRun } from "../../detection/short-run.ts";
import type { Clock } from "../watch/boot-clock.ts";
import {
  type Answer,
  answerOf,
  answerOfLoads,
  type LoadAnswer,
  type Measured,
  needsLoad,
  type Span,
  words,
} from "./answer.ts";
import { DetectRun, type Observed } from "./detect-run.ts";
import { type Load, runLoad } from "./load.ts";
import type { ProcessTree } from "./process-tree.ts";
import { DetectError, type End, endOf, noSuchGroup, start, stopCommand, type Target, watchedFiles } from "./target.ts";

export interface DetectPlan {
  readonly target: Target;
  /** Seconds. */
  readonly seconds: number;
  /** What puts the target under load. */
  readonly load: Load | undefined;
  /** Bytes. */
  readonly limit: number | undefined;
  /** Are the target's runtimes asked to collect garbage? Node.js is sent SIGUSR1 for that where it was not started here. */
  readonly collect: boolean;
}

export interface ProcessOutcome {
  readonly observed: Observed;
  readonly answer: Answer;
  /** With `--load`, what decided instead of the steady rise. */
  readonly loads: LoadAnswer | undefined;
}

export interface Outcome {
  /** The gravest first. */
  readonly processes: readonly ProcessOutcome[];
  /** Why the run ended before its time; undefined when it did not. */
  readonly endedEarly: string | undefined;
  /** How long was asked for, and how long it took, in seconds. */
  readonly planned: number;
  readonly took: number;
  /** Has it looked for as long again, since the first answer was weak? */
  readonly lookedOn: boolean;
  /** How often it was loaded; undefined without `--load`. */
  readonly loads: number | undefined;
}

/** What is going on, for a line of progress. Seconds and bytes. */
export interface Progress {
  readonly took: number;
  readonly planned: number;
  readonly memory: number;
  readonly phase: "first" | "again" | "load" | "drain";
}

export interface ObserveOptions {
  readonly clock: Clock;
  readonly interrupted: AbortSignal;
  readonly progress: (progress: Progress) => void;
  /** For the signals that are passed on. */
  readonly started?: (child: ChildProcess) => void;
}

/** Starts the command if there is one, watches, and ends it. */
export async function observe(plan: DetectPlan, options: ObserveOptions): Promise<Outcome> {
  const { seconds, collect } = plan;
  const { clock, started } = options;
  const child = "command" in plan.target ? await start(plan.target.command, { collect, started }) : undefined;
  try {
    const { files, config } = watchedFiles(plan.target, plan.limit, child);
    const run = new DetectRun({ files, config, clock, seconds, collect, hasInspector: child !== undefined });
    try {
      const course = new Course(plan, options, run, child);
      return plan.load === undefined ? await course.watch() : await course.load(plan.load);
    } finally {
      await run.close();
      if (child !== undefined) await stopCommand(child, files as ProcessTree);
    }
  } finally {
    child?.kill("SIGKILL"); // only when something went wrong before it was ended
  }
}

class Course {
  private readonly plan: DetectPlan;
  private readonly options: ObserveOptions;
  private readonly run: DetectRun;
  private readonly child: ChildProcess | undefined;
  private readonly startedAt: number;
  private end: End | undefined;
  /** The most that was seen of all processes together, in bytes. */
  private mostMemory = 0;

  constructor(plan: DetectPlan, options: ObserveOptions, run: DetectRun, child: ChildProcess | undefined) {
    this.plan = plan;
    this.options = options;
    this.run = run;
    this.child = child;
    this.startedAt = this.now;
  }

  private get now(): number {
    return this.options.clock.monotonic();
  }

  async watch(): Promise<Outcome> {
    const { seconds } = this.plan;
    const ends = [this.startedAt + seconds, this.startedAt + 2 * seconds] as const;
    await this.stepUntil(ends[0], "first");
    if (this.end !== undefined) return this.cutShort();
    const first = this.answers([ends[0]]);
    if (!first.some(({ answer }) => answer.isWeak)) return this.outcome(first);
    await this.stepUntil(ends[1], "again");
    if (this.end !== undefined) return this.cutShort(first);
    return this.outcome(this.answers(ends), { lookedOn: true });
  }

  async load(load: Load): Promise<Outcome> {
    const { seconds } = this.plan;
    const drain = Math.max(loadRounds.shortestDrain, loadRounds.drain * seconds);
    const drains: Span[] = [];
    await this.stepUntil(this.now + shortRun.startUp * seconds, "first");
    while (this.end === undefined) {
      const failure = await this.underLoad(load);
      if (failure !== undefined) this.end ??= { how: failure, isOutOfMemory: false };
      const start = this.now;
      await this.stepUntil(start + drain, "drain");
      drains.push({ start, end: this.now });
      const needsMore = this.answersOfLoads(drains).some(({ loads }) => loads && needsLoad(loads, drains.length));
      if (drains.length >= 2 && !needsMore) break;
    }
    if (this.end !== undefined) return this.cutShort();
    return this.outcome(this.answersOfLoads(drains), { loads: drains.length });
  }

  /** What went wrong with the load, if anything. */
  private async underLoad(task: Load): Promise<string | undefined> {
    let isOver = false;
    const load = runLoad(task, this.plan.seconds, this.options.interrupted).finally(() => {
      isOver = true;
    });
    await this.stepUntil(Number.POSITIVE_INFINITY, "load", () => isOver);
    const failure = await load;
    return this.end === undefined ? failure : undefined;
  }

  /** Passes until that moment, or until `isOver`; `end` is set when there is nothing more to watch. */
  private async stepUntil(moment: number, phase: Progress["phase"], isOver = () => false): Promise<void> {
    const { interrupted, progress } = this.options;
    const { run, plan } = this;
    for (;;) {
      await run.step();
      if (interrupted.aborted) this.end ??= { how: `stopped by ${String(interrupted.reason)}`, isOutOfMemory: false };
      else if (run.watcher.watched.size === 0) this.nothingToWatch();
      if (this.end !== undefined || isOver()) return;
      this.mostMemory = Math.max(this.mostMemory, run.memory);
      const left = moment - this.now;
      if (left <= 0) return;
      progress({ took: this.now - this.startedAt, planned: plan.seconds, memory: run.memory, phase });
      await wait(Math.min(run.interval, left) * 1000, undefined, { signal: interrupted }).catch(() => undefined);
    }
  }

  private nothingToWatch(): void {
    const { target } = this.plan;
    if ("group" in target) {
      if (this.run.watcher.passes === 1) throw new DetectError(noSuchGroup(target.group));
      return; // it may have processes again
    }
    const last = this.run.observed.at(0);
    this.end = endOf(this.child, {
      heapLimit: this.run.heapLimit,
      memory: this.mostMemory,
      limit: last?.limit,
    });
  }

  private answers(ends: readonly number[]): ProcessOutcome[] {
    return this.run.observed.map((observed) => {
      const answer = answerOf(observed, this.spansOf(observed, ends));
      return { observed, answer, loads: undefined };
    });
  }

  /** The time without the start of the process. One that started late has only the later span. */
  private spansOf({ bornAt }: Observed, ends: readonly number[]): Span[] {
    // of a run that was cut short, a share of what there was
    const observed = Math.min(this.plan.seconds, (ends.at(-1) ?? this.now) - this.startedAt);
    const settled = bornAt + shortRun.startUp * observed;
    return ends.flatMap((end, i) => {
      const begin = ends[i - 1] ?? this.startedAt;
      const start = Math.max(begin, settled);
      return end - start >= (2 / 3) * (end - begin) ? [{ start, end }] : [];
    });
  }

  private answersOfLoads(drains: readonly Span[]): ProcessOutcome[] {
    const ends = [drains.at(-1)?.end ?? this.now];
    return this.answers(ends).map(({ observed, answer }) => {
      const lowest = (kind: Measured) => drains.map((span) => lowestIn(observed.series[kind], span));
      const levels = {
        live: lowest("live"),
        memory: lowest("memory"),
        descriptors: lowest("descriptors"),
        threads: lowest("threads"),
      };
      const loads = answerOfLoads(observed.runtime, levels);
      return { observed, loads, answer: { ...answer, word: loads.word, kind: loads.kind } };
    });
  }

  /** A rise that memory itself put an end to needs no second look; else what was known when it was cut short. */
  private cutShort(first?: ProcessOutcome[]): Outcome {
    const soFar = this.run.observed.map((observed) => {
      const answer = answerOf(observed, this.spansOf(observed, [lastSample(observed) ?? this.now]));
      const isSteady = answer.rises.at(-1)?.isSteady === true;
      const word = this.end?.isOutOfMemory && isSteady ? ("leaking" as const) : ("no_verdict" as const);
      return { observed, answer: { ...answer, word }, loads: undefined };
    });
    const isCertain = first === undefined || soFar.some(({ answer }) => answer.word === "leaking");
    return this.outcome(isCertain ? soFar : first, { endedEarly: this.end?.how });
  }

  private outcome(processes: ProcessOutcome[], more: Partial<Outcome> = {}): Outcome {
    const { seconds: planned } = this.plan;
    const sorted = [...processes].sort((a, b) => gravity(a) - gravity(b) || growthOf(b) - growthOf(a));
    const took = this.now - this.startedAt;
    return { processes: sorted, endedEarly: undefined, planned, took, lookedOn: false, loads: undefined, ...more };
  }
}

/** The end of what is known: a runtime that gives up has no time to answer. Just behind it, so that it counts. */
function lastSample({ series: { live, memory } }: Observed): number | undefined {
  const last = live.times.at(-1) ?? memory.times.at(-1);
  return last && last + 0.001;
}

const gravity = ({ answer }: ProcessOutcome): number => words.indexOf(answer.word);

const growthOf = ({ answer }: ProcessOutcome): number => answer.rises.at(-1)?.pace ?? 0;

function lowestIn({ times, values }: { times: readonly number[]; values: readonly number[] }, { start, end }: Span) {
  const inside = values.filter((_, i) => (times[i] as number) >= start && (times[i] as number) <= end);
  return inside.length === 0 ? Number.NaN : Math.min(...inside);
}
