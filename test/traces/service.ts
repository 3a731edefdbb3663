// What a family says about one service; simulate.ts then lets it run.

import type { Random } from "./draws.ts";
import type { Traffic } from "./traffic.ts";

export type Runtime = "v8" | "jvm" | "go" | "python" | "native";

/** Where a process stands. */
export interface Moment {
  /** Seconds on the common clock. */
  time: number;
  /** Seconds since the start of this life. */
  age: number;
  /** Traffic, 1 on average. */
  load: number;
  /** Bytes leaked so far in this life. */
  leaked: number;
}

/** A part of a process's memory, made anew at the start of each life: bytes at a moment. Called every `step` seconds. */
export type Part = (random: Random, step: number) => (moment: Moment) => number;

/** What a process leaks, made anew at the start of each life: bytes in the `step` seconds before a moment. */
export type Leak = (random: Random, step: number) => (moment: Moment) => number;

/** `oom` is the kernel's kill, `heap_oom` an exit at the limit of the own heap, `recycle` a worker that served enough. */
export type RestartReason = "deploy" | "cron" | "crash" | "oom" | "heap_oom" | "scale" | "recycle";

export interface Restart {
  t: number;
  reason: RestartReason;
}

/** Restart that is no consequence of memory. `down` is how long nobody is there, in seconds. */
export interface PlannedRestart extends Restart {
  down: number;
}

export interface Process {
  /** On top of the service's `base`, summed. */
  parts: readonly Part[];
  leak?: Leak;
  /** Ordered by time. */
  restarts?: readonly PlannedRestart[];
  /** False when the process does not exist at first and comes with its first restart. */
  absentAtFirst?: boolean;
}

export interface Service {
  runtime: Runtime;
  /** Bytes right after a start. */
  base: number;
  /** Of the trace, in seconds. */
  start: number;
  end: number;
  /** How old the first lives are at the start of the trace, in seconds. */
  age: number;
  traffic: Traffic;
  processes: readonly Process[];
  limit: Limit;
  /** Of the runtime, where the command line has one. */
  heap?: HeapLimit;
  /** Seconds between two rows; a minute when not said. */
  interval?: number;
  /** When the leak begins; undefined for a healthy service. */
  onset?: number;
  /** True when the process leaked before the trace already, and the onset is just the first that one can see of it. */
  leaksFromBirth?: boolean;
  /** True when memory swings so far that the kill comes at the top of a swing: for computing kills after the trace. */
  swings?: boolean;
  /** For the labels: how it was made. */
  params: Record<string, number | string>;
}

/**
 * The limit is a number of bytes above the level that the service has without its leak, so that a leak of known rate
 * has a known life; or the service's highest memory is a known share of it.
 */
export type Limit = { aboveLevel: number } | { peakShare: number };

/**
 * A heap that may have `max` bytes, and that never kills: garbage fills it, or a leak grows beside it. Or one whose leak ends there,
 * while its container would have `room` times the memory that it has then; `outside` is what is not heap, in bytes. Or one that nothing
 * fills, with a limit of `beyond` times the highest memory of a healthy service, or the limit of a leaking one.
 */
export type HeapLimit = { max: number } | { outside: number; room: number } | { beyond: number };

export interface Family {
  name: string;
  label: "leak" | "healthy";
  make: (random: Random) => Service;
}
