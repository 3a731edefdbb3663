// Memory of processes by the minute, made up from a few words, the same each time: for tests of what judges it.

import type { Member } from "../../exporter/backtest/traces.ts";
import { MiB } from "./fixtures.ts";

const minute = 60;
const hour = 60 * minute;

/** A small generator of random numbers, 0 to 1, always in the same order for a seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    // mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** MiB at an age in hours; `noise` is a number from 0 to 1. */
export type Curve = (hours: number, noise: number) => number;

/** Starts at 400 MiB, with the teeth of a garbage collector. */
const level: Curve = (_, noise) => 400 + 20 * noise;

export const curves = {
  flat: level,
  //   ______      warm-up of some minutes
  //  /
  warmUp: (h, noise) => level(h, noise) - 250 * Math.exp(-h * 6),
  //      ___     a cache that is full after eight hours
  //  ___/
  cacheFills: (h, noise) => level(h, noise) + 40 * Math.min(h, 8),
  //  /\/\/\      by day and by night
  daily: (h, noise) => level(h, noise) * (1 + 0.15 * Math.sin((2 * Math.PI * h) / 24)),
  //  /\_/\/\     a leak of 2 MiB an hour under days whose highs are all different: only the lows tell it
  risingLows: (h, noise) =>
    level(h, noise) + 2 * h + (100 + 400 * ((Math.floor(h / 24) * 0.62) % 1)) * Math.sin((Math.PI * h) / 24) ** 2,
  //       /
  //     /        5 MiB a minute
  fastLeak: (h, noise) => level(h, noise) + 300 * h,
  //      _/
  //   _/         20 MiB an hour
  steadyLeak: (h, noise) => level(h, noise) + 20 * h,
  //  ______--    4 MiB an hour
  slowLeak: (h, noise) => level(h, noise) + 4 * h,
} satisfies Record<string, Curve>;

/** One process under a limit. It is killed at the limit and starts again, as long as the hours last. */
export function memberOf(curve: Curve, options: { hours: number; limit: number; seed?: number }): Member {
  const random = randomNumbers(options.seed ?? 1);
  const count = options.hours * 60;
  const member = {
    slot: 0,
    times: new Float64Array(count),
    resident: new Float64Array(count),
    limit: new Float64Array(count).fill(options.limit),
    startTime: new Float64Array(count),
  };
  let start = 0;
  for (let i = 0; i < count; i++) {
    const time = i * minute;
    let resident = curve((time - start) / hour, random()) * MiB;
    if (resident > options.limit) {
      start = time;
      resident = curve(0, random()) * MiB;
    }
    member.times[i] = time;
    member.resident[i] = Math.round(resident / 4096) * 4096;
    member.startTime[i] = start;
  }
  return member;
}
