// How large services of the wide set are, how fast they leak, and how often they are scraped.

import { logUniform, pick, type Random, uniform } from "../draws.ts";
import type { Limit } from "../service.ts";
import { MiB } from "../units.ts";
import { usualStart, type Words } from "../usual.ts";

/** Bytes: from a small worker to a large cache. */
export function wideBase(random: Random): number {
  return logUniform(random, 45, 2400) * MiB;
}

export function anyLimit(random: Random): Limit {
  return { peakShare: uniform(random, 0.35, 0.93) };
}

/** Seconds between two rows: short traces are of services whose minutes count. */
export function intervalFor(hours: number): number {
  return hours <= 8 ? 10 : 60;
}

/**
 * Length of the trace of a service that is level after `hours`: some are watched just so long that one can see it, others for days,
 * as services are in life.
 */
export function levelFor(random: Random, hours: number): number {
  return Math.min(longest, Math.max(1.5, hours * uniform(random, 1.8, 5), logUniform(random, 1.5, 60)));
}

/** One process, or a few replicas of it that are asked alike. */
export function sometimesReplicas(random: Random): Pick<Words, "workers"> {
  const count = pick(random, [1, 1, 1, 1, 2, 3]);
  return count === 1 ? {} : { workers: (one) => Array.from({ length: count }, () => one) };
}

export interface LeakSize {
  /** Of the trace. */
  start: number;
  hours: number;
  interval: number;
  /** Bytes. */
  base: number;
  /** MiB per hour. */
  rate: number;
  /** Hours from the onset to the limit. */
  life: number;
  /** MiB between the usual level and the limit. */
  room: number;
}

type Range = readonly [low: number, high: number];

interface LeakRanges {
  /** MiB per hour. */
  rate: Range;
  /** Hours to the limit. */
  life: Range;
  /** Length of the trace, to the time until the limit. */
  lengths?: Range;
  /** Hours before the onset. */
  before?: Range;
}

/** Longer traces than this are nobody's, in hours. */
const longest = 260;
const largestLimit = 32 * 1024;

/** All orders of magnitude alike, where the leak is notable within the trace and the limit is one that somebody sets. */
export function leakSize(random: Random, ranges: LeakRanges): LeakSize & { healthyHours: number } {
  for (;;) {
    const rate = logUniform(random, ...ranges.rate);
    const life = logUniform(random, ...ranges.life);
    const healthyHours = ranges.before === undefined ? 0 : logUniform(random, ...ranges.before);
    const leakingHours = life * uniform(random, ...(ranges.lengths ?? [0.6, 1.5]));
    const hours = Math.min(longest, healthyHours + leakingHours);
    const seen = rate * Math.min(hours - healthyHours, life);
    const base = Math.min(Math.max(seen / logUniform(random, 0.25, 6), 45), 6000);
    const room = rate * life;
    if (hours < 1 || seen < 12 || seen < 0.2 * base || room < 0.3 * base || 1.5 * base + room > largestLimit) continue;
    const interval = intervalFor(hours);
    return { start: usualStart(random, 7), hours, interval, base: base * MiB, rate, life, room, healthyHours };
  }
}
