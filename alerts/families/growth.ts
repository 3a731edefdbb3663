// What memory does, as recorded series: the exporter's floors, growth at several horizons, time to OOM. Prometheus reads a series
// from every block that the expression as a whole looks into, so an expression that looks far back has no series of all
// processes in it, or no others. Small groups, since Prometheus spreads them over their interval.

import type { Detection } from "../../catalog/detection.ts";
import { recentMetrics as recent } from "../../catalog/metrics.ts";
import { slotRecordings as slot, sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { ago, all, bySteps, present, rarely, round, youngerThan } from "../promql.ts";
import type { RecordingRule, RuleGroup } from "../rule.ts";

const floor = slot.floor.name;
const hourFloor = slot.hourFloor.name;
const dayLow = slot.dayLow.name;
const headroom = recent.headroom.name;

/** The recorded growth of each horizon that has one. */
export const growthName = {
  "15m": slot.growth15m.name,
  "1h": slot.growth1h.name,
  "6h": slot.growth6h.name,
  "1d": slot.growth1d.name,
  "7d": slot.growth7d.name,
} as const;

export const floorRules = (d: Detection): RuleGroup => {
  const least = leastRises(d);
  const nearLimit = leastOfHeadroom(d);
  const rise = (name: "15m" | "1h") =>
    `${round(d.horizons[name].seconds)} * ${growthName[name]} > ${round(least[name])} * ${floor} > ${round(nearLimit[name])} * ${headroom}`;
  return {
    name: "leakwatch-floor",
    interval: d.evaluation.fast,
    rules: [
      { record: floor, expr: recent.floor.name },
      growth(d, "15m", ago(floor, d.horizons["15m"].seconds)),
      growth(d, "1h", ago(floor, d.horizons["1h"].seconds)),
      { record: sparse.rise15m.name, expr: rise("15m") },
      { record: sparse.rise1h.name, expr: rise("1h") },
    ],
  };
};

export const lifeRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-life",
  interval: d.evaluation.fast,
  rules: [
    { record: slot.growth.name, expr: lifeGrowth(d) },
    { record: slot.timeToOom.name, expr: `clamp_min(${headroom}, 0) / (${slot.growth.name} > 0)` },
  ],
});

export const levelRules = (d: Detection): RuleGroup => {
  const { "6h": quarter, "1d": day, "7d": week } = d.horizons;
  return {
    name: "leakwatch-level",
    interval: d.evaluation.slow,
    rules: [
      { record: hourFloor, expr: recent.hourFloor.name },
      { record: slot.dayAgo.name, expr: ago(hourFloor, day.seconds) },
      { record: slot.weekAgo.name, expr: ago(hourFloor, week.seconds) },
      growth(d, "6h", ago(hourFloor, quarter.seconds)),
      growth(d, "1d", slot.dayAgo.name),
      growth(d, "7d", slot.weekAgo.name),
    ],
  };
};

/** What may be stretches of leaks of hours, and how even all growth is. */
export const riseRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-rise",
  interval: d.evaluation.slow,
  rules: [
    { record: sparse.rise6h.name, expr: `${rise(d, "6h")}\nand ${mayLeak(d)}` },
    { record: sparse.slowest.name, expr: slowest(d) },
    { record: slot.confidence.name, expr: `clamp_max(${sparse.slowest.name} / (${slot.growth.name} > 0), 1)` },
  ],
});

/** The same over days, where half an hour more or less is nothing and five minutes would be many samples. */
export const dayRules = (d: Detection): RuleGroup => {
  const { "12h": half, "1d": day } = d.horizons;
  const dayBefore = rarely(d, sparse.rise1d.name, day.seconds);
  return {
    name: "leakwatch-day",
    interval: d.evaluation.rare,
    rules: [
      { record: sparse.rise1d.name, expr: rise(d, "1d") },
      {
        record: sparse.rise12h.name,
        expr: `(${hourFloor} - ${ago(hourFloor, half.seconds)} > ${round(leastRises(d)["12h"])} * ${hourFloor}) and ${mayLeak(d)}
unless ${youngerThan(half.seconds + d.floorAge.hour, d)}`,
      },
      { record: dayLow, expr: `min_over_time(${bySteps(d, hourFloor, day.seconds, d.floors.hour)})` },
      { record: sparse.lowRise1d.name, expr: lowRise(d) },
      { record: sparse.growth2d.name, expr: `(${sparse.rise1d.name} + ${dayBefore}) / ${round(2 * day.seconds)}` },
    ],
  };
};

const rise = (d: Detection, name: "6h" | "1d") =>
  `${round(d.horizons[name].seconds)} * ${growthName[name]} > ${round(leastRises(d)[name])} * ${hourFloor}`;

function lowRise(d: Detection): string {
  const { seconds } = d.horizons["1d"];
  return `(${dayLow} - ${rarely(d, dayLow, seconds)} > ${round(leastRises(d)["1d"])} * ${dayLow})
unless ${youngerThan(2 * seconds + d.floorAge.hour, d)}`;
}

/** Above the day before, or too young to have one: what only follows the day is out. */
const mayLeak = (d: Detection) => `(${rarely(d, sparse.rise1d.name)} or ${youngerThan(d.dayPeakAge, d)})`;

/** The least growth of a stretch that any window could take for one of a leak, as a share of the level. */
function leastRises({ urgent: { fortyMinutes, twoHours, twelveHours }, horizons, steady, uneven, slow }: Detection) {
  const least = ({ gain, slowest }: { gain: number; slowest: number }, stretches: number) =>
    (gain * slowest) / stretches;
  return {
    "15m": least(fortyMinutes, fortyMinutes.over / horizons["15m"].seconds),
    "1h": least(twoHours, 2),
    "6h": Math.min(least(twelveHours, 2), least(steady, steady.lookedAt.length)),
    "12h": least(uneven, 3),
    "1d": least(slow, slow.lookedAt.length),
  };
}

/**
 * The least growth of a stretch that may lead to the limit in time, as a share of the headroom: half of what the slowest stretch
 * must have, since there was more headroom when the window began.
 */
function leastOfHeadroom({ urgent: { fortyMinutes, twoHours, young }, horizons }: Detection) {
  const least = (slowest: number, stretch: number, within: number) => ((slowest / 2) * stretch) / within;
  return {
    "15m": least(fortyMinutes.slowest, horizons["15m"].seconds, Math.max(fortyMinutes.timeLeft, young.timeLeft)),
    "1h": least(twoHours.slowest, horizons["1h"].seconds, twoHours.timeLeft),
  };
}

function growth(d: Detection, name: keyof typeof growthName, before: string): RecordingRule {
  const { horizons, floorAge } = d;
  const { seconds, floor: kind } = horizons[name];
  const now = kind === "short" ? floor : hourFloor;
  return {
    record: growthName[name],
    expr: `(${now} - ${before}) / ${round(seconds)} unless ${youngerThan(seconds + floorAge[kind as "short" | "hour"], d)}`,
  };
}

/** The first line that has a value counts. */
function lifeGrowth(d: Detection): string {
  const {
    horizons,
    lifeGrowth: { far, near },
    slow,
  } = d;
  const hour = horizons["1h"].seconds;
  const rise = sparse.rise1h.name;
  const faraway = (perSecond: string) => `(${perSecond} < ${headroom} / ${round(far)})`;
  return [
    faraway(`${rarely(d, sparse.lowRise3d.name)} / ${round(slow.lows.lookedAt.length * horizons["1d"].seconds)}`),
    faraway(rarely(d, sparse.growth2d.name)),
    growthName["1d"],
    growthName["6h"],
    `((${rise} + ${ago(rise, hour)}) / ${round(2 * hour)} > ${headroom} / ${round(near)})`,
    growthName["1h"],
    growthName["15m"],
  ].join("\nor ");
}

/** Bytes per second in the slowest stretch of the longest window that grew all the time. */
function slowest(d: Detection): string {
  const { horizons, confidence, evaluation } = d;
  const { windows } = confidence;
  const lines = [
    [sparse.lowRise1d.name, "1d", windows.low, evaluation.rare],
    [sparse.rise1d.name, "1d", windows["1d"], evaluation.rare],
    [sparse.rise6h.name, "6h", windows["6h"], evaluation.slow],
    [sparse.rise1h.name, "1h", windows["1h"], evaluation.fast],
    [sparse.rise15m.name, "15m", windows["15m"], evaluation.fast],
  ] as const;
  return lines
    .map(([rise, name, { over }, interval]) => {
      const least = `min_over_time(${all(rise, over, interval)}) / ${round(horizons[name].seconds)}`;
      return `(${least} ${present(rise, over, confidence.present, interval)})`;
    })
    .join("\nor ");
}
