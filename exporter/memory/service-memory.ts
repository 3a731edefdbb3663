// What the ended lives of a service teach: how far healthy ones grew by which age, and how many still grew when they ended.

import { KiB } from "../../catalog/defaults.ts";
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
  /** The version of its program; empty where none is known. */
  readonly version: string;
  /** Did another one take its place soon? What nobody starts again was scaled down, or stopped. */
  followed: boolean;
  /** When it was last seen to run. */
  readonly seenUntil: number;
  /** After how many seconds that one started: between two samples, so to half their distance. */
  replacedAfter?: number;
  /** Growth after warm-up in KiB per second, and how it changed, per second; unknown where too little was seen. */
  readonly growth?: number;
  readonly acceleration?: number;
  /** Floor where warm-up ended, and the highest reading of its last third. */
  readonly level?: number;
  readonly top?: number;
}

/** The slot of `life` was taken by one that started at `bornAt`. */
export function follow(life: EndedLife, bornAt: number): void {
  life.followed = true;
  const least = Math.max(0, bornAt - life.endedAt);
  const most = bornAt - life.seenUntil;
  if (most >= 0) life.replacedAfter = (least + most) / 2;
}

/** A life that its memory ended, and that stood so much above where it was first seen, grew, however short it was. */
const grownAtLimit = 1.25;

/** What a life that ends now teaches. `watchedSince` and `now` in seconds on the clock of the samples. */
export function endedLifeOf(
  history: SlotHistory,
  verdict: EndedLifeVerdict,
  {
    slot,
    version = "",
    now,
    watchedSince,
    atLimit,
  }: { slot: string; version?: string | undefined; now: number; watchedSince: number; atLimit: boolean },
): EndedLife {
  const isUnknown = verdict.reason === "too short" || verdict.reason === "too few samples";
  const rose = history.peak > grownAtLimit * history.firstValue;
  const watched = now - watchedSince;
  return {
    endedAt: now,
    lifetime: now - history.startTime,
    watched,
    growing: !isUnknown ? verdict.growing : atLimit && rose ? true : undefined,
    atLimit,
    peak: history.peak,
    slot,
    version,
    followed: false,
    seenUntil: history.time,
    ...growthOf(verdict, history, { watched, rose: atLimit && rose }),
    top: history.highestSince(history.time - watched / 3),
  };
}

/** Of a life that was too short to judge, and reached its limit, all that was seen of it. */
function growthOf(
  { growthPerSecond, acceleration, level }: EndedLifeVerdict,
  { peak, firstValue }: SlotHistory,
  { watched, rose }: { watched: number; rose: boolean },
): Pick<EndedLife, "growth" | "acceleration" | "level"> {
  if (growthPerSecond !== undefined && acceleration !== undefined && level !== undefined)
    return { growth: short(growthPerSecond / KiB), acceleration: short(acceleration / KiB), level: short(level / KiB) };
  return rose && watched > 0 ? { growth: short((peak - firstValue) / watched), level: firstValue } : {};
}

/** Six digits are more than a sample has, and take less room in the state file. */
const short = (value: number) => Number(value.toPrecision(6));

/** What healthy lives of one version reached. */
interface Levels {
  readonly version: string;
  /** Highest level at each of `levelAges`, in KiB; 0 where none was as old. */
  readonly byAge: Float32Array;
  /** What lives reached that had stopped growing, in KiB. */
  settled: number;
}

/** As it is written down. */
export interface SavedService {
  readonly lives: readonly EndedLife[];
  readonly levels: readonly { readonly version: string; readonly byAge: string; readonly settled: number }[];
  readonly knownSince: number | null;
}

/** Lives that are remembered: a day of forty recycled workers. */
export const mostLives = 64;
/** What a life taught is forgotten by so much with each that follows. */
const fading = 0.97;
/** Versions whose levels are remembered: the one that runs, the one before, and one that was rolled back. */
const mostVersions = 3;

export class ServiceMemory {
  /** Oldest first. */
  readonly lives: EndedLife[] = [];
  /** The version whose life ended last at the end. */
  private readonly levels: Levels[] = [];
  /** Since when ends are known, in seconds. */
  knownSince = Number.NaN;

  recordEnd(life: EndedLife, levels: ArrayLike<number>, settledAfter: number): void {
    this.lives.push(life);
    if (this.lives.length > mostLives) this.lives.shift();
    // a life that its memory ended was no healthy one
    if (life.atLimit) return;
    const of = this.levelsOf(life.version);
    if (life.growing === false && life.watched > settledAfter) of.settled = Math.max(0.9 * of.settled, life.peak);
    for (let i = 0; i < of.byAge.length; i++) {
      const level = levels[i] as number;
      if (!Number.isNaN(level)) of.byAge[i] = Math.max(fading * (of.byAge[i] as number), level);
    }
  }

  /** Those of a version, as the newest. */
  private levelsOf(version: string): Levels {
    const place = this.levels.findIndex((one) => one.version === version);
    const [known] = place < 0 ? [] : this.levels.splice(place, 1);
    const levels = known ?? { version, byAge: new Float32Array(levelAges.length), settled: 0 };
    this.levels.push(levels);
    if (this.levels.length > mostVersions) this.levels.shift();
    return levels;
  }

  save(): SavedService {
    const { lives, levels, knownSince } = this;
    return {
      lives: [...lives],
      levels: levels.map(({ version, byAge, settled }) => ({ version, byAge: encode(byAge), settled })),
      knownSince: Number.isNaN(knownSince) ? null : knownSince,
    };
  }

  /** Takes what was saved. Throws RangeError where it makes no sense. */
  restore(saved: SavedService): void {
    if (!Array.isArray(saved.lives) || !Array.isArray(saved.levels))
      throw new RangeError("not the memory of a service");
    const levels = saved.levels.slice(-mostVersions).map(({ version, byAge, settled }) => {
      const decoded = decode(byAge);
      if (decoded.length !== levelAges.length) throw new RangeError("not the levels of a service");
      return { version: String(version), byAge: decoded, settled: Number(settled) };
    });
    this.lives.splice(0, this.lives.length, ...saved.lives.slice(-mostLives));
    this.levels.splice(0, this.levels.length, ...levels);
    this.knownSince = saved.knownSince ?? Number.NaN;
  }

  /** A life that started at `bornAt` took a slot: it follows the last one there, if that ended within so many seconds. */
  begin(slot: string, now: number, within: number, bornAt = now): void {
    const last = this.lives.findLast((life) => life.slot === slot);
    if (last !== undefined && now - last.endedAt <= within) follow(last, bornAt);
  }

  /**
   * The level of earlier lives at this age or later, in KiB; 0 where nothing is known. Age in seconds. Those of the same version, and of
   * others only as long as it has none of its own.
   */
  levelAt(age: number, version = "", ages: readonly number[] = levelAges): number {
    const i = ages.findIndex((one) => one >= age);
    const at = ({ byAge, settled }: Levels) => Math.max(i < 0 ? 0 : (byAge[i] as number), settled);
    const own = this.levels.find((one) => one.version === version);
    const ofOwn = own === undefined ? 0 : at(own);
    if (ofOwn > 0) return ofOwn;
    for (const other of this.levels.toReversed()) if (at(other) > 0) return at(other);
    return 0;
  }
}
