// What memory does, as recorded series: floor, peak, headroom, growth at several horizons, confidence, time to OOM.
// The rules that read raw samples look back half an hour at most; everything longer reads what those recorded. Small groups,
// since Prometheus spreads them over their interval.

import type { Detection } from "../../catalog/detection.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings as slot, sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { ago, duration, round, youngerThan } from "../promql.ts";
import type { RecordingRule, RuleGroup } from "../rule.ts";

const resident = processMetrics.residentMemory.name;
const limit = processMetrics.memoryLimit.name;
const floor = slot.floor.name;
const hourFloor = slot.hourFloor.name;
const headroom = slot.headroom.name;

/** The recorded growth of each horizon that has one. */
export const growthName = {
  "15m": slot.growth15m.name,
  "1h": slot.growth1h.name,
  "6h": slot.growth6h.name,
  "1d": slot.growth1d.name,
  "7d": slot.growth7d.name,
} as const;

type Horizon = keyof typeof growthName;

export const floorRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-floor",
  interval: d.evaluation.fast,
  rules: [
    { record: sparse.youngStart.name, expr: `${processMetrics.startTime.name} > time() - ${round(d.youngLife)}` },
    {
      record: floor,
      expr: `min_over_time(${resident}[${duration(d.floors.short)}]) unless ${youngerThan(d.floorAge.short, d)}`,
    },
    growth(d, "15m"),
    growth(d, "1h"),
    {
      record: sparse.rise1h.name,
      expr: `${round(d.horizons["1h"].seconds)} * ${growthName["1h"]} > ${round(leastRises(d)["1h"])} * ${floor} > ${round(leastOfHeadroom(d))} * ${headroom}`,
    },
    {
      record: headroom,
      expr: `${limit} - ((${slot.dayPeak.name} unless ${youngerThan(d.dayPeakAge, d)}) or max_over_time(${resident}[${duration(d.peaks.recent)}]))`,
    },
    { record: slot.timeToOom.name, expr: `clamp_min(${headroom}, 0) / (${slot.growth.name} > 0)` },
  ],
});

export const lifeRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-life",
  interval: d.evaluation.fast,
  rules: [{ record: slot.growth.name, expr: lifeGrowth(d) }],
});

export const levelRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-level",
  interval: d.evaluation.slow,
  rules: [
    {
      record: hourFloor,
      expr: `min_over_time(${floor}[${duration(d.floors.hour)}]) unless ${youngerThan(d.floorAge.hour, d)}`,
    },
    {
      record: slot.peak.name,
      expr: `(max_over_time(${resident}[${duration(d.peaks.recent)}]) unless ${youngerThan(d.peaks.recent, d)})
or (max_over_time(${resident}[${duration(d.floors.short)}]) unless ${youngerThan(d.floorAge.short, d)})`,
    },
    { record: slot.dayPeak.name, expr: `max_over_time(${slot.peak.name}[${duration(d.peaks.day)}])` },
  ],
});

export const growthRules = (d: Detection): RuleGroup => {
  const least = leastRises(d);
  const { "12h": half } = d.horizons;
  return {
    name: "leakwatch-growth",
    interval: d.evaluation.slow,
    rules: [
      growth(d, "6h"),
      growth(d, "1d"),
      growth(d, "7d"),
      { record: sparse.rise6h.name, expr: rise(d, "6h", least["6h"]) },
      {
        record: sparse.rise12h.name,
        expr: `(${hourFloor} - ${ago(hourFloor, half.seconds)} > ${round(least["12h"])} * ${hourFloor}) unless ${youngerThan(half.seconds + d.floorAge.hour, d)}`,
      },
      { record: sparse.rise1d.name, expr: rise(d, "1d", least["1d"]) },
    ],
  };
};

/** The least growth of a stretch that any window could take for one of a leak, as a share of the level. */
function leastRises({ urgent: { twoHours, twelveHours }, steady, uneven, slow }: Detection) {
  const least = ({ gain, slowest }: { gain: number; slowest: number }, stretches: number) =>
    (gain * slowest) / stretches;
  return {
    "1h": least(twoHours, 2),
    "6h": Math.min(least(twelveHours, 2), least(steady, steady.lookedAt.length)),
    "12h": least(uneven, 3),
    "1d": least(slow, 3),
  };
}

/**
 * The least growth of an hour that may lead to the limit in time, as a share of the headroom: half of what the slowest stretch
 * must have, since there was more headroom when the window began.
 */
const leastOfHeadroom = ({ urgent: { twoHours } }: Detection) =>
  ((twoHours.slowest / 2) * (twoHours.over / twoHours.timeLeft)) / 2;

const rise = ({ horizons }: Detection, name: Horizon, least: number) =>
  `${round(horizons[name].seconds)} * ${growthName[name]} > ${round(least)} * ${hourFloor}`;

function growth(d: Detection, name: Horizon): RecordingRule {
  const { horizons, floorAge } = d;
  const { seconds, floor: kind } = horizons[name];
  const f = kind === "short" ? floor : hourFloor;
  return {
    record: growthName[name],
    expr: `(${f} - ${ago(f, seconds)}) / ${round(seconds)} unless ${youngerThan(seconds + floorAge[kind as "short" | "hour"], d)}`,
  };
}

/** The first line that has a value counts. */
function lifeGrowth({ horizons, lifeGrowth: { far, near } }: Detection): string {
  const twice = (name: Horizon) => `(${growthName[name]} + ${ago(growthName[name], horizons[name].seconds)}) / 2`;
  return [
    `(${twice("1d")} < ${headroom} / ${round(far)})`,
    growthName["1d"],
    growthName["6h"],
    `(${twice("1h")} > ${headroom} / ${round(near)})`,
    growthName["1h"],
    growthName["15m"],
  ].join("\nor ");
}

/** The slowest stretch of the longest window that is known, as a share of the growth; less, where some did not grow at all. */
export function confidence(d: Detection): string {
  const { horizons, confidenceOver, floorAge, evaluation } = d;
  const rises = (series: string, name: "1d" | "6h") => {
    const { over } = confidenceOver[name];
    const range = `${series}[${duration(over)}]`;
    const mean = `min_over_time(${range}) * count_over_time(${range}) / ${round((over / evaluation.slow + 1) * horizons[name].seconds)}`;
    const age = horizons[name].seconds + over + floorAge.hour;
    // known all the time, and of this life
    return `(${mean} and ${ago(growthName[name], over)} unless ${youngerThan(age, d)})`;
  };
  const growths = (name: "1h" | "15m") => {
    const { over } = confidenceOver[name];
    const age = horizons[name].seconds + over + floorAge.short;
    return `(min_over_time(${growthName[name]}[${duration(over)}]) unless ${youngerThan(age, d)})`;
  };
  const lines = [rises(sparse.rise1d.name, "1d"), rises(sparse.rise6h.name, "6h"), growths("1h"), growths("15m")];
  return `clamp_max(clamp_min((\n  ${lines.join("\n  or ")}\n) / (${slot.growth.name} > 0), 0), 1)`;
}
