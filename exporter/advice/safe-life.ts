// The longest safe life: the age that at most one process in 100 does not reach before its memory reaches the limit.
//
// Few processes were seen, most of them cut short by the restart, so each is first extrapolated to its limit. Around the logarithm of each of
// these ages lies a Student's t distribution; together they are what is expected of the next process, and its quantile is the answer. (A
// kernel density estimate, Silverman 1986, section 2, with the tails of a predictive distribution, Geisser 1993, section 2. One law, such as
// the lognormal, would promise too much where there are two kinds of days, and a third of what is possible where growth has short tails.)

import { type AdviceSettings, advice } from "../../detection/advice.ts";
import { median } from "../memory/statistics.ts";
import { ageAtLimit, type GrowthOfLife } from "./growth-of-life.ts";
import { bisect, studentCdf, studentQuantile } from "./student.ts";

/** Why there is no answer. */
export type Unknown =
  | { readonly kind: "fewLives"; readonly lives: number; readonly needed: number }
  | { readonly kind: "noLimit" }
  | { readonly kind: "noGrowth" };

/** Times in seconds. */
export interface SafeLife {
  readonly seconds: number;
  /** The same if growth went on as it was seen: longer than `seconds` where the processes were too short to say that it will. */
  readonly atThisPace: number;
  /** When the first of these processes would reach the limit, or did. */
  readonly shortest: number;
  /** Processes that it rests on, and the longest of them. */
  readonly lives: number;
  readonly longest: number;
  /** By which share of itself growth may increase, per second: what the processes do not rule out. */
  readonly speedUp: number;
}

/**
 * Longest safe life under a limit in bytes, which a process has for itself. More headroom never makes it shorter; growth that is so many times
 * as fast in all processes never makes it longer.
 */
export function longestSafeLife(
  lives: readonly GrowthOfLife[],
  limit: number | undefined,
  settings: AdviceSettings = advice,
): SafeLife | Unknown {
  if (limit === undefined || !(limit > 0 && Number.isFinite(limit))) return { kind: "noLimit" };
  const n = lives.length;
  if (n < settings.lives) return { kind: "fewLives", lives: n, needed: settings.lives };
  const slowest = settings.slowest * mean(lives.map(({ growth }) => Math.max(0, growth)));
  if (slowest === 0) return { kind: "noGrowth" };

  const growths = lives.map(({ growth }) => Math.max(slowest, growth));
  const speedUp = speedUpOf(lives, settings);
  const ages = lives.map((life, i) => Math.log(ageAtLimit(life, limit, growths[i] as number, speedUp)));
  const width = (settings.width * spreadOf(lives, growths, limit, settings)) / Math.sqrt(n);
  const risk = (age: number) => mean(ages.map((one) => studentCdf((age - one) / width, n - 1)));
  // never beyond the first that was seen or expected to reach it; less than a second is as good as one
  const first = Math.min(...ages);
  const found = Math.exp(bisect((age) => risk(age) < settings.risk, Math.min(0, first), first));
  const longest = Math.max(...lives.map(({ age }) => age));
  const seconds = Math.min(found, settings.furthest * longest);
  return { seconds, atThisPace: found, shortest: Math.exp(first), lives: n, longest, speedUp };
}

/**
 * By which share of itself growth increases each second, at the upper confidence bound over lives; 0 where it slows down. The bound is that of
 * a ratio of means: Cochran, Sampling Techniques (1977), 6.4.
 */
function speedUpOf(lives: readonly GrowthOfLife[], { accelerationConfidence }: AdviceSettings): number {
  const known = lives.filter(({ acceleration }) => acceleration !== undefined);
  const growth = mean(known.map((life) => life.growth));
  if (known.length < 3 || !(growth > 0)) return 0;
  const ratio = mean(known.map((life) => life.acceleration as number)) / growth;
  const off = known.map((life) => (life.acceleration as number) - ratio * life.growth);
  const error = Math.sqrt(sumOfSquares(off) / (known.length - 1) / known.length) / growth;
  return Math.max(0, ratio + studentQuantile(accelerationConfidence, known.length - 1) * error);
}

/**
 * Standard deviation of the logarithm of the time to the limit: of growth, and of levels as a share of the typical headroom. It holds some of
 * what was believed before any life was seen.
 */
function spreadOf(
  lives: readonly GrowthOfLife[],
  growths: readonly number[],
  limit: number,
  settings: AdviceSettings,
): number {
  const { priorSpread, priorLives } = settings;
  const level = median(lives.map((life) => life.level));
  const headroom = Math.max(limit - level, settings.leastHeadroom * level);
  const ofGrowth = deviations(growths.map(Math.log));
  const ofLevels = deviations(lives.map((life) => life.level));
  const squares = sumOfSquares(ofGrowth) + sumOfSquares(ofLevels) / headroom ** 2;
  return Math.sqrt((priorLives * priorSpread ** 2 + squares) / (priorLives + lives.length - 1));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
const sumOfSquares = (values: readonly number[]) => sum(values.map((value) => value ** 2));

function deviations(values: readonly number[]): number[] {
  const center = mean(values);
  return values.map((value) => value - center);
}
