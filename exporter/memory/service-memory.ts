// What the ended lives of a service teach: how far healthy ones grew by which age, and how many still grew when they ended.

import { levelAges } from "../../detection/windows.ts";
import type { EndedLifeVerdict } from "./ended-life.ts";
import { decode, encode } from "./scale.ts";
import type { SlotHistory } from "./slot-history.ts";

/** A life that has ended. Times in seconds on the clock of the samples, memory in KiB. */
export interface EndedLife {
  readonly endedAt: number;
  /** From its start, and from the first sample of it. */
  readonly lifetime: number;
  readonly watched: number;
  /** Did it grow to its end? Undefined where too little of it was seen. */
  readonly growing: boolean | undefined;
  /** Did its memory end it: killed for lack of it, or at its heap's maximum? */
  readonly atLimit: boolean;
  readonly peak: number;
  /** The slot that it had. */
  readonly slot: string;
  /** Did another one take its place soon? What nobody starts again was scaled down, or stopped. */
  followed: boolean;
}

/** A life that its memory ended, and that stood so much above where it was first seen, grew, however short it was. */
const grownAtLimit = 1.25;

/** What a life that ends now teaches. `watchedSince` and `now` in seconds on the clock of the samples. */
export function endedLifeOf(
  history: SlotHistory,
  verdict: EndedLifeVerdict,
  { slot, now, watchedSince, atLimit }: { slot: string; now: number; watchedSince: number; atLimit: boolean },
): EndedLife {
  const isUnknown = verdict.reason === "too short" || verdict.reason === "too few samples";
  const rose = history.peak > grownAtLimit * history.firstValue;
  return {
    endedAt: now,
    lifetime: now - history.startTime,
    watched: now - watchedSince,
    growing: !isUnknown ? verdict.growing : atLimit && rose ? true : undefined,
    atLimit,
    peak: history.peak,
    slot,
    followed: false,
  };
}

/** As it is written down. */
export interface SavedService {
  readonly lives: readonly EndedLife[];
  readonly levels: string;
  readonly settled: number;
  readonly knownSince: number | null;
}

/** Lives that are remembered: a day of forty recycled workers. */
const mostLives = 64;
/** What a life taught is forgotten by so much with each that follows. */
const fading = 0.97;

export class ServiceMemory {
  /** Oldest first. */
  readonly lives: EndedLife[] = [];
  /** Highest level that an ended life had at each of `levelAges`, in KiB; 0 where none was as old. */
  readonly levels = new Float32Array(levelAges.length);
  /** What lives reached that had stopped growing. */
  settled = 0;
  /** Since when ends are known, in seconds. */
  knownSince = Number.NaN;

  recordEnd(life: EndedLife, levels: ArrayLike<number>, settledAfter: number): void {
    this.lives.push(life);
    if (this.lives.length > mostLives) this.lives.shift();
    // a life that its memory ended was no healthy one
    if (life.atLimit) return;
    if (life.growing === false && life.watched > settledAfter) this.settled = Math.max(0.9 * this.settled, life.peak);
    for (let i = 0; i < this.levels.length; i++) {
      const level = levels[i] as number;
      if (!Number.isNaN(level)) this.levels[i] = Math.max(fading * (this.levels[i] as number), level);
    }
  }

  save(): SavedService {
    const { lives, settled, knownSince } = this;
    return {
      lives: [...lives],
      levels: encode(this.levels),
      settled,
      knownSince: Number.isNaN(knownSince) ? null : knownSince,
    };
  }

  /** Takes what was saved. Throws RangeError where it makes no sense. */
  restore(saved: SavedService): void {
    const levels = decode(saved.levels);
    if (levels.length !== this.levels.length || !Array.isArray(saved.lives))
      throw new RangeError("not the memory of a service");
    this.lives.splice(0, this.lives.length, ...saved.lives.slice(-mostLives));
    this.levels.set(levels);
    this.settled = Number(saved.settled);
    this.knownSince = saved.knownSince ?? Number.NaN;
  }

  /** A life took a slot: it follows the last one there, if that ended within so many seconds. */
  begin(slot: string, now: number, within: number): void {
    const last = this.lives.findLast((life) => life.slot === slot);
    if (last !== undefined && now - last.endedAt <= within) last.followed = true;
  }

  /** The level of earlier lives at this age or later, in KiB; 0 where nothing is known. Seconds. */
  levelAt(age: number, ages: readonly number[] = levelAges): number {
    const i = ages.findIndex((one) => one >= age);
    return Math.max(i < 0 ? 0 : (this.levels[i] as number), this.settled);
  }
}
