// A function of this very process, judged as `detect --load` judges a service: called many times as a load, then a pause, then what is in use after a
// collection; and again, with as many calls. Only a leak grows with the second load and with the third.

import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import v8 from "node:v8";
import { KiB } from "../../catalog/defaults.ts";
import { loadRounds } from "../../detection/short-run.ts";
import { KernelFiles } from "../kernel/files.ts";
import { answerOfLoads, type Measured, needsLoad } from "./answer.ts";
import type { Observed } from "./detect-run.ts";
import type { LiveMemory } from "./live/live-memory.ts";
import { ownLiveMemory } from "./live/own.ts";
import type { Outcome } from "./observe.ts";

export interface FunctionPlan {
  readonly run: () => unknown;
  /** What the report calls it. */
  readonly name: string;
  /** The first load takes so long at most, in seconds; the others have as many calls as it had. */
  readonly seconds: number;
  /** How many calls each load has instead. */
  readonly calls: number | undefined;
  readonly interrupted: AbortSignal;
}

/** The pause after each load has so many readings, of which the lowest counts: finalizers run between them. */
const readingsPerPause = 5;

/** So long, at least, in seconds: what a function leaves behind is settled sooner than the connections of a server. */
const shortestPause = 0.5;

/** Timers and sockets have their turn at least so often, in milliseconds. */
const longestTurn = 10;

/** The first load ends before its time when it has taken this share of the heap: a fast leak must leave room for two more. */
const largestLoad = 1 / 8;

type Reading = Record<Measured, number>;

/** Rejects with what the function throws. */
export async function observeFunction(plan: FunctionPlan): Promise<Outcome> {
  const { seconds, interrupted } = plan;
  const startedAt = performance.now();
  const levels: Reading[] = [];
  const readings: Reading[] = [];
  let last: LiveMemory | undefined;
  let endedEarly: string | undefined;
  let calls = plan.calls;
  const answer = () => answerOfLoads("collected", levelsOf(levels));

  const measure = async (): Promise<void> => {
    const live = await ownLiveMemory();
    if ("unavailable" in live) endedEarly = live.unavailable;
    else {
      last = live;
      readings.push({ live: live.bytes, ...ownCounts() });
    }
  };

  do {
    calls = await callRepeatedly(plan, calls);
    const before = readings.length;
    for (let i = 0; i < readingsPerPause && endedEarly === undefined; i++) {
      await wait((1000 * Math.max(shortestPause, loadRounds.drain * seconds)) / readingsPerPause);
      await measure();
    }
    levels.push(lowest(readings.slice(before)));
    if (interrupted.aborted) endedEarly = `stopped: ${String(interrupted.reason)}`;
  } while (endedEarly === undefined && needsLoad(answer(), levels.length));

  const loads = answer();
  const word = endedEarly === undefined ? loads.word : "no_verdict";
  const outcome = {
    observed: observedOf(plan, readings, last),
    answer: { word, kind: loads.kind, rises: [], visibleFrom: undefined, isWeak: false },
    loads: endedEarly === undefined ? loads : undefined,
  };
  return {
    processes: [outcome],
    endedEarly,
    planned: seconds,
    took: (performance.now() - startedAt) / 1000,
    lookedOn: false,
    loads: levels.length,
  };
}

/** One load; resolves with how many calls it had. One after another: of calls side by side more may be in flight at one end than at the other. */
async function callRepeatedly({ run, seconds, interrupted }: FunctionPlan, calls: number | undefined): Promise<number> {
  const startedAt = performance.now();
  const most = heapInUse() + v8.getHeapStatistics().heap_size_limit * largestLoad;
  let turnAt = startedAt;
  for (let done = 1; ; done++) {
    await run();
    const now = performance.now();
    const isTurnOver = now - turnAt >= longestTurn;
    const isLong = () => now - startedAt >= seconds * 1000 || (isTurnOver && heapInUse() > most);
    if (interrupted.aborted || (calls === undefined ? isLong() : done >= calls)) return done;
    if (!isTurnOver) continue;
    await nextTurn();
    turnAt = performance.now();
  }
}

/** Garbage included. */
function heapInUse(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}

const files = new KernelFiles({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup" });

/** What the kernel says of this process; not known on other systems than Linux. */
function ownCounts(): Omit<Reading, "live"> {
  try {
    const status = files.text(files.proc("self", "status"));
    const field = (label: string) => Number(new RegExp(`^${label}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);
    return {
      memory: KiB * (field("RssAnon") + field("RssShmem") + field("VmSwap")),
      descriptors: files.list(files.proc("self", "fd")).length,
      threads: field("Threads"),
    };
  } catch {
    return { memory: Number.NaN, descriptors: Number.NaN, threads: Number.NaN };
  }
}

const kinds = ["live", "memory", "descriptors", "threads"] as const satisfies readonly Measured[];

const byKind = <T>(of: (kind: Measured) => T) =>
  Object.fromEntries(kinds.map((kind) => [kind, of(kind)])) as Record<Measured, T>;

const lowest = (readings: readonly Reading[]): Reading =>
  byKind((kind) => (readings.length === 0 ? Number.NaN : Math.min(...readings.map((reading) => reading[kind]))));

const levelsOf = (levels: readonly Reading[]) => byKind((kind) => levels.map((level) => level[kind]));

function observedOf({ name }: FunctionPlan, readings: readonly Reading[], last: LiveMemory | undefined): Observed {
  const times = readings.map((_, i) => i);
  return {
    group: name,
    pid: process.pid,
    isRunning: true,
    bornAt: 0,
    runtime: last === undefined ? "silent" : "collected",
    series: byKind((kind) => ({ times, values: readings.map((reading) => reading[kind]) })),
    limit: undefined,
    limitSource: "unknown",
    heapMaximum: last?.maximum,
    unavailable: undefined,
  };
}
