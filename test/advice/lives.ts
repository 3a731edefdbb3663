// Processes that exited, made up from a few words.

import { KiB, MiB } from "../../catalog/defaults.ts";
import type { EndedLife } from "../../exporter/memory/service-memory.ts";

export const minute = 60;
export const hour = 3600;
export const day = 24 * hour;

export interface Words {
  /** Hours of its life, and when it ended. */
  hours?: number;
  endedAt?: number;
  /** MiB an hour, and after warm-up. */
  pace?: number;
  level?: number;
}

/** One of which everything is known. */
export type KnownLife = Required<EndedLife>;

/** A straight leak, watched from its start on; all else as it would be kept. */
export function lifeOf({ hours = 2, endedAt = 1000 * hour, pace = 10, level = 200 }: Words = {}): KnownLife {
  return {
    endedAt,
    lifetime: hours * hour,
    watched: hours * hour,
    growing: pace > 0,
    atLimit: false,
    peak: (level + pace * hours) * KiB,
    slot: "0",
    version: "1.7",
    followed: true,
    seenUntil: endedAt,
    replacedAfter: 4,
    growth: (pace * KiB) / hour,
    acceleration: 0,
    level: (level + (pace * hours) / 3) * KiB,
    top: (level + pace * hours) * KiB,
  };
}

/** One after another, every two hours unless said otherwise. */
export const livesOf = (paces: readonly number[], words: Words = {}): KnownLife[] =>
  paces.map((pace, i) => lifeOf({ ...words, pace, endedAt: 1000 * hour + (i + 1) * (words.hours ?? 2) * hour }));

export const limit = 1024 * MiB;
