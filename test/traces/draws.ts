// Random numbers of one seeded generator, drawn from the few distributions that services are made of.

import { createHash } from "node:crypto";
import { randomNumbers } from "../support/memory-curves.ts";

export type Random = () => number;

/** A generator of its own for each name: families and traces can be added without changing the others. */
export function randomFor(seed: number, name: string): Random {
  return randomNumbers(createHash("sha256").update(`${seed}/${name}`).digest().readInt32LE());
}

export function uniform(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** As likely between 1 and 2 as between 10 and 20: for what spans orders of magnitude. */
export function logUniform(random: Random, low: number, high: number): number {
  return Math.exp(uniform(random, Math.log(low), Math.log(high)));
}

export function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

export function pick<const T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** Of mean 0 and deviation 1. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Waiting time for what happens at random, once in `mean` on average. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** True as often as something happens in `seconds` that happens `perDay` times a day. */
export function happens(random: Random, seconds: number, perDay: number): boolean {
  return random() < (seconds * perDay) / 86400;
}
