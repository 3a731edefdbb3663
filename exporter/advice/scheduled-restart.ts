// May the scheduled restart of a service come less often, or go? One answer, with its numbers, from what the exporter remembers.

import { type AdviceSettings, advice } from "../../detection/advice.ts";
import { type EndedLife, mostLives } from "../memory/service-memory.ts";
import { type GrowthBound, growthBoundOf, livesUntil, spanOf } from "./growth-bound.ts";
import { type GrowthOfLife, growthOfLives } from "./growth-of-life.ts";
import { downtimeOf, type WeekOfRestarts, weekOfRestarts } from "./restart-cost.ts";
import { longestSafeLife, type SafeLife, type Unknown } from "./safe-life.ts";

/** Times in seconds on the clock of the samples. */
export interface RestartFacts {
  /** Processes that exited, and those that run as if they exited now (`endedLifeOf`). */
  readonly ended: readonly EndedLife[];
  readonly running?: readonly EndedLife[];
  /** What one process may hold, in bytes: its limit, less what others hold of it. */
  readonly limit: number | undefined;
  /** Between two scheduled restarts (`steadyInterval` of the starts); undefined where no clock restarts it. */
  readonly interval: number | undefined;
  readonly now: number;
  /** Processes that are restarted alike. */
  readonly replicas?: number;
  readonly pricePerGibHour?: number | undefined;
}

export type RestartVerdict =
  /** It reaches its limit before an interval is over that is worth a change. */
  | "needed"
  | "less_often"
  /** By what its newest version shows. */
  | "safe_to_remove"
  | "not_known";

/** All processes would last much longer, but they are too few to say that of 99 in 100. */
export interface TooUncertain {
  readonly kind: "tooUncertain";
  readonly lives: number;
  /** Seconds until the first of them would reach the limit. */
  readonly shortest: number;
}

export interface RestartAdvice {
  readonly verdict: RestartVerdict;
  /** Why it is not known. */
  readonly reason: Unknown | { readonly kind: "noSchedule" } | TooUncertain | undefined;
  readonly interval: number | undefined;
  /** The longest safe life, whether or not a clock restarts the service. */
  readonly safeLife: SafeLife | Unknown;
  /** The interval to set, in seconds: the longest safe life, rounded down to what people write; undefined where the present one stays. */
  readonly recommended: number | undefined;
  /** Growth of the newest version. */
  readonly version: string;
  readonly growth: GrowthBound | undefined;
  /** When the newest version will have shown whether the restart may go; undefined where that is known, or watching does not tell. */
  readonly watchUntil: number | undefined;
  /** Processes of other versions are among those that the longest safe life rests on. */
  readonly otherVersions: boolean;
  /** Seconds without a process at each restart, the median. */
  readonly downtime: number | undefined;
  /** At the present interval, and at the recommended one. */
  readonly present: WeekOfRestarts | undefined;
  readonly longer: WeekOfRestarts | undefined;
  /** Restarts a week that the recommended interval avoids, or all of them. */
  readonly avoided: number | undefined;
}

export function adviseRestart(facts: RestartFacts, settings: AdviceSettings = advice): RestartAdvice {
  const { ended, running = [], replicas = 1, pricePerGibHour } = facts;
  const interval = known(facts.interval);
  const limit = known(facts.limit);
  const all = [...ended, ...running];
  const version = newestVersion(all);
  const own = growthOfLives(all.filter((life) => life.version === version));
  // a version of a few processes borrows from those before it
  const lives = own.length >= settings.lives ? own : growthOfLives(all);
  const safeLife = longestSafeLife(lives, limit, settings);
  const growth = growthBoundOf(own, settings);

  const removal = removalOf({ own, growth, limit, interval, now: facts.now, replicas }, settings);
  const safe = "kind" in safeLife ? undefined : roundDown(safeLife.seconds, settings);
  const isLonger = interval !== undefined && safe !== undefined && safe >= settings.lessOften * interval;
  const recommended = isLonger && !removal.isSafe ? safe : undefined;
  const week = (seconds: number | undefined) =>
    seconds === undefined ? undefined : weekOfRestarts(seconds, { ended, lives, replicas, pricePerGibHour });
  const present = week(interval);
  const longer = week(recommended);
  const reason =
    removal.isSafe && interval !== undefined ? undefined : unknownOf(interval, safeLife, isLonger, settings);
  return {
    verdict:
      reason !== undefined ? "not_known" : removal.isSafe ? "safe_to_remove" : isLonger ? "less_often" : "needed",
    reason,
    interval,
    safeLife,
    recommended,
    version,
    growth,
    watchUntil: removal.isSafe ? undefined : removal.watchUntil,
    otherVersions: lives !== own && own.length < lives.length,
    downtime: downtimeOf(ended),
    present,
    longer,
    avoided: present && (removal.isSafe ? present.restarts : longer && present.restarts - longer.restarts),
  };
}

function unknownOf(
  interval: number | undefined,
  safeLife: SafeLife | Unknown,
  isLonger: boolean,
  { muchLonger }: AdviceSettings,
): RestartAdvice["reason"] {
  if (interval === undefined) return { kind: "noSchedule" };
  if ("kind" in safeLife) return safeLife;
  const { lives, shortest } = safeLife;
  return !isLonger && shortest >= muchLonger * interval ? { kind: "tooUncertain", lives, shortest } : undefined;
}

/** May the restart go, by these processes of one version? If not yet, when will more of them tell? */
function removalOf(
  {
    own,
    growth,
    limit,
    interval,
    now,
    replicas,
  }: {
    own: readonly GrowthOfLife[];
    growth: GrowthBound | undefined;
    limit: number | undefined;
    interval: number | undefined;
    now: number;
    replicas: number;
  },
  settings: AdviceSettings,
): { isSafe: boolean; watchUntil?: number } {
  if (limit === undefined || own.some(({ atLimit }) => atLimit)) return { isSafe: false };
  const allowed = (limit - Math.max(...own.map(({ top }) => top), 0)) / settings.ahead;
  if (!(allowed > 0)) return { isSafe: false };
  const { lives, confidence } = settings;
  const span = spanOf(own);
  const isSafe = growth !== undefined && own.length >= lives && span >= settings.span && growth.bound <= allowed;
  if (isSafe || interval === undefined || !Number.isFinite(now)) return { isSafe };
  // of one process no bound is known, nor how many more it takes beyond the least
  const untilBound = growth === undefined ? lives : livesUntil(growth, allowed, { most: mostLives, confidence });
  const needed = Math.max(lives, untilBound);
  if (!Number.isFinite(needed)) return { isSafe };
  const missing = Math.max(0, needed - own.length);
  return { isSafe, watchUntil: now + Math.max(Math.ceil(missing / replicas) * interval, settings.span - span) };
}

/** That of the life that started last; it may be empty. */
function newestVersion(lives: readonly EndedLife[]): string {
  let newest: EndedLife | undefined;
  for (const life of lives) {
    if (Number.isFinite(startOf(life)) && (newest === undefined || startOf(life) > startOf(newest))) newest = life;
  }
  return newest?.version ?? "";
}

const startOf = ({ endedAt, lifetime }: EndedLife) => endedAt - lifetime;

/** To a whole step of what people write into a crontab; below the shortest step as it is. */
function roundDown(seconds: number, { steps }: AdviceSettings): number {
  const { step } = steps.find(({ below }) => seconds < below) as (typeof steps)[number]; // the last is for all that are longer
  return seconds < step ? seconds : Math.floor(seconds / step) * step;
}

/** A second, or a byte, or more. */
const known = (value: number | undefined) =>
  value !== undefined && Number.isFinite(value) && value >= 1 ? value : undefined;
