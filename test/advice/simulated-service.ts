// Services that leak by a known law and are restarted by a clock: what the advice is held against. Hours and MiB.

import { MiB } from "../../catalog/defaults.ts";
import { advice } from "../../detection/advice.ts";
import { endedLife } from "../../detection/ended-life.ts";
import { growthOfLives } from "../../exporter/advice/growth-of-life.ts";
import { longestSafeLife } from "../../exporter/advice/safe-life.ts";
import { bisect } from "../../exporter/advice/student.ts";
import { judgeEndedLife } from "../../exporter/memory/ended-life.ts";
import { LifeHistory } from "../../exporter/memory/life-history.ts";
import { type EndedLife, endedLifeOf } from "../../exporter/memory/service-memory.ts";
import { SlotHistory } from "../../exporter/memory/slot-history.ts";
import { median } from "../../exporter/memory/statistics.ts";
import { randomNumbers } from "../support/memory-curves.ts";

const hour = 3600;

/** Draws numbers from 0 to 1. */
export type Random = () => number;

export const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const lognormal = (sigma: number) => (random: Random) => Math.exp(sigma * normal(random));

const weibull = (shape: number) => (random: Random) => (-Math.log(1 - random())) ** (1 / shape);

/** Marsaglia and Tsang (2000), for a shape of 1 or more; the mean is 1. */
const gamma = (shape: number) => (random: Random) => {
  const d = shape - 1 / 3;
  for (;;) {
    const x = normal(random);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
};

/** A share of lives grows so many times as fast. */
const twoModes = (share: number, times: number) => (random: Random) =>
  (random() < share ? times : 1) * Math.exp(0.1 * normal(random));

export interface Law {
  /** MiB an hour, to a typical pace. */
  readonly pace: (random: Random) => number;
  /** Spread of levels after warm-up, as a logarithm. */
  readonly levels?: number;
  /** Growth increases by its first pace in so many hours; or by the factor e. */
  readonly doublesIn?: number;
  readonly growsIn?: number;
  /** Growth follows the load of the day: this share of the pace, up and down. */
  readonly daily?: number;
  /** Height of the sawtooth of garbage collections. */
  readonly teeth?: number;
}

export const laws: Readonly<Record<string, Law>> = {
  "lognormal .1": { pace: lognormal(0.1) },
  "lognormal .3": { pace: lognormal(0.3) },
  "lognormal .5": { pace: lognormal(0.5) },
  "lognormal .3, levels .3": { pace: lognormal(0.3), levels: 0.3 },
  "gamma 4": { pace: gamma(4) },
  "gamma 10": { pace: gamma(10) },
  "Weibull 2": { pace: weibull(2) },
  "Weibull 4": { pace: weibull(4) },
  "weekday 3, weekend 1": { pace: twoModes(5 / 7, 3) },
  "weekday 1, weekend 3": { pace: twoModes(2 / 7, 3) },
  "daily load ±.8": { pace: lognormal(0.1), daily: 0.8 },
  "noise: teeth of 60 MiB": { pace: lognormal(0.2), teeth: 60 },
  "doubles in 12 h": { pace: lognormal(0.2), doublesIn: 12 },
  "exponential, e in 24 h": { pace: lognormal(0.2), growsIn: 24 },
  "exponential, e in 8 h": { pace: lognormal(0.2), growsIn: 8 },
};

export const limit = 1024;
const typicalLevel = 200;

/** MiB above the level at an age in hours, for a life that started at `start` hours. */
function risen({ doublesIn, growsIn, daily }: Law, pace: number, start: number, age: number): number {
  if (doublesIn !== undefined) return pace * (age + age ** 2 / (2 * doublesIn));
  if (growsIn !== undefined) return pace * growsIn * Math.expm1(age / growsIn);
  if (daily === undefined) return pace * age;
  const turn = (2 * Math.PI) / 24;
  return pace * (age + (daily / turn) * (Math.cos(turn * start) - Math.cos(turn * (start + age))));
}

interface Drawn {
  readonly pace: number;
  readonly level: number;
  readonly start: number;
}

/** Hours until the highest reading meets the limit. */
function hoursToLimit(law: Law, { pace, level, start }: Drawn): number {
  const { doublesIn, growsIn, daily } = law;
  const steady = Math.max(0, limit - level - (law.teeth ?? 20)) / pace;
  if (doublesIn !== undefined) return doublesIn * (Math.sqrt(1 + (2 * steady) / doublesIn) - 1);
  if (growsIn !== undefined) return growsIn * Math.log1p(steady / growsIn);
  if (daily === undefined) return steady;
  return bisect((hours) => risen(law, pace, start, hours) < pace * steady, 0, steady + 24);
}

/** A service restarted every `interval` hours, `typicalPace` in MiB an hour. */
export class SimulatedService {
  private readonly random: Random;
  private readonly law: Law;
  private readonly interval: number;
  private readonly typicalPace: number;

  constructor(law: Law, options: { interval: number; typicalPace: number; seed: number }) {
    this.law = law;
    this.interval = options.interval;
    this.typicalPace = options.typicalPace;
    this.random = randomNumbers(options.seed);
  }

  private draw(start: number): Drawn {
    return {
      pace: this.typicalPace * this.law.pace(this.random),
      level: typicalLevel * Math.exp((this.law.levels ?? 0.05) * normal(this.random)),
      start,
    };
  }

  /** Ages in hours at which so many processes, started at any time of day, reach the limit; the shortest first. */
  hoursToLimit(count: number): number[] {
    const times = Array.from({ length: count }, () => hoursToLimit(this.law, this.draw(24 * this.random())));
    return times.sort((a, b) => a - b);
  }

  /** What the exporter keeps of so many of its processes. */
  lives(count: number): EndedLife[] {
    const lives: EndedLife[] = [];
    let start = 24 * this.random();
    for (let i = 0; i < count; i++) {
      const drawn = this.draw(start);
      const toLimit = hoursToLimit(this.law, drawn);
      const age = Math.min(this.interval, toLimit);
      lives.push(this.observe(drawn, age, toLimit <= this.interval));
      start += age;
    }
    return lives;
  }

  private observe({ pace, level, start }: Drawn, age: number, atLimit: boolean): EndedLife {
    const samples = 48;
    const startTime = start * hour;
    // steps as wide as the samples are apart: a thousand empty minutes take their time
    const scale = { step: (age * hour) / samples, kept: samples };
    const history = new SlotHistory({ fine: scale, minutes: scale, halfHours: scale });
    const life = new LifeHistory({ ...endedLife, firstBucketSeconds: scale.step });
    for (let i = 0; i <= samples; i++) {
      const hours = (i / samples) * age;
      const warm = 1 - 0.7 * Math.exp(-hours / 0.2);
      const bytes = MiB * (level * warm + risen(this.law, pace, start, hours) + (this.law.teeth ?? 20) * this.random());
      const time = startTime + hours * hour;
      history.add({ time, bytes, startTime });
      life.add(time, bytes);
    }
    const verdict = judgeEndedLife(life, undefined, atLimit);
    return endedLifeOf(history, verdict, { slot: "0", now: history.time, watchedSince: startTime, atLimit });
  }
}

export interface Measured {
  /** Share of all drawn processes that reach no limit before the recommended age. */
  readonly survived: number;
  /** Median over data sets of the answer, to the true quantile: of what is recommended, and of what the pace promises. */
  readonly efficiency: number;
  readonly atThisPace: number;
}

/** How the answers from `count` processes of each of `datasets` services do against `draws` more processes. */
export function measure(
  law: Law,
  options: { count: number; datasets: number; draws: number; seed?: number; interval: number; typicalPace?: number },
): Measured {
  const { count, datasets, draws, seed = 1, interval, typicalPace = 25 } = options;
  const service = new SimulatedService(law, { interval, typicalPace, seed });
  const more = service.hoursToLimit(draws);
  const optimum = more[Math.round(draws * advice.risk)] as number;
  const answers = Array.from({ length: datasets }, () => {
    const answer = longestSafeLife(growthOfLives(service.lives(count)), limit * MiB);
    if ("kind" in answer) throw new Error(`no answer: ${answer.kind}`);
    return answer;
  });
  const died = answers.map(({ seconds }) => more.filter((toLimit) => toLimit < seconds / hour).length / draws);
  const share = (seconds: readonly number[]) => median(seconds) / hour / optimum;
  return {
    survived: 1 - died.reduce((sum, one) => sum + one, 0) / datasets,
    efficiency: share(answers.map(({ seconds }) => seconds)),
    atThisPace: share(answers.map(({ atThisPace }) => atThisPace)),
  };
}
