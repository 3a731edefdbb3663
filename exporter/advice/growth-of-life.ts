// What a process that exited, or runs, says of the growth of its service; and when it reaches a limit.

import { KiB } from "../../catalog/defaults.ts";
import { advice } from "../../detection/advice.ts";
import type { EndedLife } from "../memory/service-memory.ts";

/** Times in seconds, memory in bytes, per second. */
export interface GrowthOfLife {
  readonly startedAt: number;
  readonly endedAt: number;
  /** From its start, and from where it was first seen. */
  readonly age: number;
  readonly watched: number;
  /** After warm-up. */
  readonly growth: number;
  /** By how much growth itself grows, per second; undefined where too little was seen. */
  readonly acceleration: number | undefined;
  /** Floor at the end of warm-up, and the highest reading of its last third. */
  readonly level: number;
  readonly top: number;
  readonly atLimit: boolean;
}

/** Those of which enough was seen; times that run backwards, and numbers that are none, say nothing. */
export function growthOfLives(lives: readonly EndedLife[]): GrowthOfLife[] {
  return lives.flatMap(({ endedAt, lifetime, watched, atLimit, growth, acceleration, level, top }) => {
    const isKnown = [endedAt, lifetime, watched, growth, level, top].every(Number.isFinite);
    if (!isKnown || growth === undefined || level === undefined || top === undefined) return [];
    if (!(watched > 0 && lifetime >= watched && level > 0 && top > 0)) return [];
    return {
      startedAt: endedAt - lifetime,
      endedAt,
      age: lifetime,
      watched,
      growth: growth * KiB,
      acceleration: Number.isFinite(acceleration) ? (acceleration as number) * KiB : undefined,
      level: level * KiB,
      top: top * KiB,
      atLimit,
    };
  });
}

/** Seconds after its start at which warm-up was over: a third of what was seen of it is not judged (detection/ended-life.ts). */
export const warmUpOf = ({ age, watched }: GrowthOfLife): number => age - (2 / 3) * watched;

/**
 * Age in seconds at which a process reaches `limit` bytes: with `growth` bytes per second after warm-up that increases by the share `speedUp`
 * of itself each second. Growth that increases like this is exponential, the fastest of all that look alike so far.
 */
export function ageAtLimit(life: GrowthOfLife, limit: number, growth: number, speedUp: number): number {
  const { age, watched, level, top, atLimit } = life;
  const reaches = atLimit ? advice.atLimit * limit : limit;
  const headroom = reaches - top;
  if (headroom >= 0) {
    // growth is that of the middle of what follows warm-up, a third of what was seen before its end
    const atEnd = growth * Math.exp((speedUp * watched) / 3);
    return age + (speedUp > 0 ? Math.log1p((speedUp * headroom) / atEnd) / speedUp : headroom / atEnd);
  }
  // it was above that already: on the straight way from the end of warm-up, which curves that bend upwards stay below
  const warmUp = warmUpOf(life);
  if (top <= level) return (age * reaches) / top;
  return reaches > level ? warmUp + ((age - warmUp) * (reaches - level)) / (top - level) : (warmUp * reaches) / level;
}
