// What is true of a trace, in the fields of the corpus's labels.json.

import { randomNumbers } from "../support/memory-curves.ts";
import type { Family, Process, Restart, Service } from "./service.ts";
import type { Life, Run } from "./simulate.ts";
import type { Ends } from "./trace.ts";
import { hour, MiB, scrapeInterval, step } from "./units.ts";

export interface Label {
  id: string;
  family: string;
  label: "leak" | "healthy";
  start: number;
  end: number;
  onset: number | null;
  leak_rate_bytes_per_s: number;
  leaked_total_mb: number;
  oom_times: number[];
  tto: TimeToOom | null;
  limit_bytes: number;
  /** Of the runtime's heap, where its command line says one. */
  heap_limit_bytes?: number;
  /** Seconds between two rows, where that is not a minute. */
  resolution?: number;
  base_bytes: number;
  runtime: string;
  restarts: Restart[];
  members: { file: string; worker: string; leaking: boolean }[];
  params: Record<string, number | string>;
}

/** One life for judging estimates of the time to the kill. */
export interface TimeToOom {
  start: number;
  oom: number;
  end: number;
  kind: "real" | "virtual";
}

/** `level` is the memory without the leak at a kill, in bytes. */
export function labelOf(
  id: string,
  family: Family,
  service: Service,
  runs: readonly Run[],
  { end, limits }: Ends,
  level: number,
): Label {
  const onset = service.onset ?? null;
  const leaking = service.processes.findIndex(({ leak }) => leak !== undefined);
  const lives = runs[leaking]?.lives ?? [];
  const leaked = sum(lives.map((life) => life.leaked - life.leakedBefore));
  const restarts = runs.flatMap((run) => run.restarts).sort((a, b) => a.t - b.t);
  return {
    id,
    family: family.name,
    label: family.label,
    start: service.start,
    end: service.end,
    onset,
    leak_rate_bytes_per_s: onset === null ? 0 : leaked / (service.end - onset),
    leaked_total_mb: Math.round((leaked / MiB) * 100) / 100,
    oom_times: restarts.filter(({ reason }) => reason === "oom" || reason === "heap_oom").map(({ t }) => t),
    tto: onset === null ? null : timeToOom(service, service.processes[leaking] as Process, lives, end, level),
    limit_bytes: limits.limit,
    ...(limits.heapLimit !== undefined && { heap_limit_bytes: limits.heapLimit }),
    ...((service.interval ?? scrapeInterval) !== scrapeInterval && { resolution: service.interval }),
    base_bytes: service.base,
    runtime: service.runtime,
    restarts,
    members: service.processes.map((process, worker) => ({
      file: fileOf(id, worker, service.processes.length),
      worker: service.processes.length > 1 ? String(worker) : "",
      leaking: process.leak !== undefined,
    })),
    params: rounded(service.params),
  };
}

export function fileOf(id: string, worker: number, workers: number): string {
  return workers > 1 ? `${id}.w${worker}.csv.gz` : `${id}.csv.gz`;
}

/** The first life that was killed, or else the one in the middle of the leaking ones, with its kill computed. */
function timeToOom(
  service: Service,
  process: Process,
  lives: readonly Life[],
  limit: number,
  level: number,
): TimeToOom {
  const onset = service.onset ?? service.start;
  const leaking = lives.filter(({ leaked, leakedBefore }) => leaked > leakedBefore);
  const killed = leaking.find((life) => life.killed);
  const life = killed ?? leaking[Math.floor(leaking.length / 2)];
  if (life === undefined) throw new Error(`a leak that never leaks: ${JSON.stringify(service.params)}`);
  const start = Math.max(life.start, onset);
  const end = life.end ?? service.end;
  if (life.killed) return { start, oom: end, end, kind: "real" };
  return { start, oom: end + timeLeft(service, process, life, limit - level), end, kind: "virtual" };
}

/** How much longer the life would have lasted: the leak goes on, without noise, until `headroom` bytes are leaked. */
function timeLeft({ traffic, end: traceEnd }: Service, process: Process, life: Life, headroom: number): number {
  const end = life.end ?? traceEnd;
  const leak = process.leak?.(randomNumbers(1), step);
  const longest = 5000 * hour;
  let leaked = life.leaked;
  let time = end;
  for (; leaked < headroom && time < end + longest; time += step) {
    leaked += leak?.({ time, age: time - life.start, load: traffic.expectedLoad(time), leaked }) ?? 0;
  }
  return time - end;
}

function rounded(params: Label["params"]): Label["params"] {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, typeof value === "number" ? Number(value.toFixed(4)) : value]),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
