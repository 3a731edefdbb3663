// What is called a leak. Three readable rules for what is near, the ledger of ended lives, and a card of points for hours and days
// (card.ts). docs/detection.md shows how they were found and what happens when each is moved.

import { type Cadence, cadence } from "./cadence.ts";
import type { Card } from "./card.ts";
import { type EndedLifeThresholds, endedLife } from "./ended-life.ts";
import { card } from "./points.ts";
import type { ShapeName } from "./shape.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A claim of a window: every bound of its shape holds, and has held for so long. */
export interface WindowRule {
  readonly name: "near" | "last" | "young";
  /** From the first to the last of these windows. */
  readonly from: string;
  readonly to: string;
  /** Seconds. */
  readonly for: number;
  /** Only of younger lives, in seconds. */
  readonly maximumAge?: number;
  /** It may wake somebody where the time left is at most so many windows; 0: never. */
  readonly criticalAhead: number;
  readonly atLeast: Partial<Record<ShapeName, number>>;
  readonly atMost: Partial<Record<ShapeName, number>>;
}

export const windowRules: readonly WindowRule[] = [
  {
    // the limit is at most one and a half windows away, and it grew like this from its start on: a batch job does too, for a while
    name: "near",
    criticalAhead: 1,
    from: "18m",
    to: "54m",
    for: 3 * minute,
    atLeast: { gain: 0.02, slowest: 0.3, reach: 2, swing: 1.5, new: 0.4, life: 0, last: 0.3, birth: 0.5 },
    atMost: { biggest: 2, ahead: 1.5, noise: 0.08 },
  },
  {
    // the last quarter of the way: straight enough, and not bending away
    name: "last",
    criticalAhead: 1,
    from: "72m",
    to: "6h",
    for: 3 * minute,
    atLeast: { slowest: 0.1, reach: 0.7, last: 0.25 },
    atMost: { ahead: 0.25, noise: 0.15 },
  },
  {
    // a young process on a very straight line that meets its limit within six windows
    name: "young",
    criticalAhead: 0,
    from: "18m",
    to: "36m",
    for: 3 * minute,
    maximumAge: 6 * hour,
    atLeast: { gain: 0.04, slowest: 0.4, reach: 1.5, swing: 1, new: 0.5, life: 0, last: 0.4, birth: 0.7 },
    atMost: { biggest: 1.4, ahead: 6, noise: 0.035 },
  },
];

/** Lives that ended while they grew, as a share of those that ended in that time. Together they are a leak that restarts mask. */
export const endedLives = {
  /** A life is followed by another when that starts within this time, in seconds: else the service was scaled down or stopped. */
  followedWithin: 10 * minute,
  /** Ends that are this close, in seconds, or by this share of the lifetime, are one: a deploy ends all replicas. */
  together: 10 * minute,
  togetherShare: 0.05,
  /** Killed for their memory while growing: so many within the time. */
  killed: { over: day, lives: 2, share: 0.6 },
  grown: [
    { over: day, known: 11 * hour, lives: 4, share: 0.8 },
    { over: day, known: 23 * hour, lives: 4, share: 0.6 },
    { over: 7 * day, known: 71 * hour, lives: 3, share: 0.6 },
  ],
  /** The longest lives of this time, and those of this share of that, mostly grew to their end; else the others were warm-ups that were cut short. */
  longest: 7 * day,
  longestShare: 0.8,
  /** Lives that were watched shorter, in seconds, say nothing of warm-up. */
  minimum: 4 * minute,
  /** What a life reached counts as its level once it was watched for this long and had stopped growing. */
  settledAfter: 20 * minute,
} as const;

/** A claim outlasts its condition by this time, in seconds, so that one fault is one episode. */
export const keepClaim = hour;

/** One by the card is about days, and outlasts an hour or two that say otherwise. */
export const keepCard = 12 * hour;

/** Time that is left, in seconds, for each severity of a leak. */
export const severityTimes = { critical: 2 * hour, high: day, medium: 7 * day } as const;

/** The words for what is no leak. */
export const words = {
  /** Growth that is worth a word: this share of the level and so many bytes. */
  notable: 0.03,
  notableBytes: 2 * 1024 * 1024,
  /** … that goes on: the last block has this share of the mean pace … */
  stillGrowing: 0.2,
  /** … is more than noise, and more than this multiple of what falls within a day. */
  noise: 0.3,
  swing: 0.7,
  /** The second half has less than this share of the first: it slows down. */
  slowing: 0.8,
  /** Warming up is for the young, in seconds. */
  youngAge: day,
  /** Near the limit, as a share of it; a peak of so many times the floor is a spike. */
  high: 0.9,
  spike: 1.5,
  /** Growth is told from this time on, in seconds. */
  earliest: 90,
} as const;

/** Points of the card must have been reached for so long, in seconds. */
export const cardFor = hour / 2;

/** Everything that decides what is called a leak, as one value. */
export const judgeSettings = {
  /** How many times faster than life the clock runs: 1, but in the demo. All times are in seconds of life. */
  speed: 1,
  windowRules,
  card: card as Card,
  cardFor,
  keepClaim,
  keepCard,
  severityTimes,
  words,
  endedLives,
  endedLife: endedLife as EndedLifeThresholds,
  cadence: cadence as Cadence,
};

/** The same on a clock that runs faster than life: in a demonstration an hour takes a minute, or 15 seconds. */
export function atSpeed(settings: JudgeSettings, speed: number): JudgeSettings {
  if (speed === 1) return settings;
  const { endedLives: ends } = settings;
  const { killed, grown } = ends;
  return {
    ...settings,
    speed: settings.speed * speed,
    endedLives: {
      ...ends,
      followedWithin: ends.followedWithin / speed,
      together: ends.together / speed,
      killed: { ...killed, over: killed.over / speed },
      grown: grown.map((one) => ({ ...one, over: one.over / speed, known: one.known / speed })),
      longest: ends.longest / speed,
      minimum: ends.minimum / speed,
      settledAfter: ends.settledAfter / speed,
    },
    endedLife: {
      ...settings.endedLife,
      firstBucketSeconds: settings.endedLife.firstBucketSeconds / speed,
      minimumSpanSeconds: settings.endedLife.minimumSpanSeconds / speed,
      minimumSpanAtLimitSeconds: settings.endedLife.minimumSpanAtLimitSeconds / speed,
    },
    cadence: {
      ...settings.cadence,
      toleranceSeconds: settings.cadence.toleranceSeconds / speed,
      minimumSeconds: settings.cadence.minimumSeconds / speed,
    },
  };
}

type Changeable<T> = T extends number
  ? number
  : T extends string | undefined
    ? T
    : T extends readonly (infer One)[]
      ? readonly Changeable<One>[]
      : { readonly [key in keyof T]: Changeable<T[key]> };

export type JudgeSettings = Omit<Changeable<typeof judgeSettings>, "windowRules" | "card"> & {
  readonly windowRules: readonly WindowRule[];
  readonly card: Card;
};
