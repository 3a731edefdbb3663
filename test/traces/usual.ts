// What most services have in common: a base, a warm-up of minutes, some memory for requests, noise of a runtime, spikes.

import { logUniform, pick, type Random, uniform } from "./draws.ts";
import { followsLoad, requestSpikes, warmUp } from "./parts.ts";
import { runtimeNoise } from "./runtimes.ts";
import type { HeapLimit, Leak, Limit, Part, PlannedRestart, Process, Runtime, Service } from "./service.ts";
import { makeTraffic, type TrafficShape, trafficShape } from "./traffic.ts";
import { day, hour, MiB, minute, scrapeInterval, step } from "./units.ts";

/** What a family may say about an otherwise usual service. */
export interface Words {
  /** Length of the trace. */
  hours: number;
  /** Of the first life at the start; 0 when not said. */
  ageHours?: number;
  base?: number;
  runtime?: Runtime;
  traffic?: Partial<TrafficShape>;
  /** Trace starts within this many days after Monday 00:00. */
  startsWithin?: number;
  start?: number;
  /** Memory for requests at mean load, to the base. */
  loadShare?: number;
  /** How far the warm-up goes, to the base, and its time constant in minutes. */
  warmShare?: number;
  warmMinutes?: number;
  /** Noise of the runtime and of single requests, to what is usual; 0 for a process that brings its own. */
  noise?: number;
  /** On top, for every process. */
  parts?: readonly Part[];
  leak?: Leak;
  restarts?: readonly PlannedRestart[];
  limit: Limit;
  heap?: HeapLimit;
  /** Seconds between two rows; a minute when not said. */
  interval?: number;
  onset?: number;
  leaksFromBirth?: boolean;
  swings?: boolean;
  params: Record<string, number | string>;
  /** Makes several processes of the one described. */
  workers?: (one: Process) => Process[];
}

export function usualBase(random: Random): number {
  return logUniform(random, 100, 820) * MiB;
}

export function anyRuntime(random: Random): Runtime {
  return pick(random, ["v8", "v8", "v8", "jvm", "go", "python", "native"]);
}

/** A time within the first day, on the grid of steps. */
export function usualStart(random: Random, days = 1): number {
  return Math.floor(uniform(random, 0, days * day) / step) * step;
}

export function usualService(random: Random, words: Words): Service {
  const base = words.base ?? usualBase(random);
  const runtime = words.runtime ?? anyRuntime(random);
  const start = words.start ?? usualStart(random, words.startsWithin);
  const end = start + Math.round((words.hours * hour) / scrapeInterval) * scrapeInterval;
  const age = (words.ageHours ?? 0) * hour;
  const { onset, leaksFromBirth } = words;
  const traffic = makeTraffic(random, trafficShape(random, words.traffic), start - age, end);
  const process: Process = {
    parts: [...usualParts(random, base, runtime, words), ...(words.parts ?? [])],
    ...(words.leak && { leak: words.leak }),
    ...(words.restarts && { restarts: words.restarts }),
  };
  return {
    runtime,
    base,
    start,
    end,
    age,
    traffic,
    processes: words.workers?.(process) ?? [process],
    limit: words.limit,
    ...(words.heap && { heap: words.heap }),
    ...(words.interval !== undefined && { interval: words.interval }),
    ...(onset !== undefined && { onset }),
    ...(leaksFromBirth !== undefined && { leaksFromBirth }),
    ...(words.swings !== undefined && { swings: words.swings }),
    params: words.params,
  };
}

function usualParts(random: Random, base: number, runtime: Runtime, words: Words): Part[] {
  const warm = words.warmShare ?? uniform(random, 0.1, 0.23);
  const tau = words.warmMinutes ?? uniform(random, 2, 8);
  const load = words.loadShare ?? logUniform(random, 0.02, 0.12);
  const noise = words.noise ?? 1;
  return [
    warmUp(base * warm, tau * minute),
    followsLoad(base * load),
    ...(noise > 0 ? [runtimeNoise(random, runtime, base * noise)] : []),
    requestSpikes(random, base * (noise || 1)),
  ];
}
