// What memory does, as recorded series: floor, peak, headroom, growth at several horizons, confidence, time to OOM.
// The two rules that read raw samples look back an hour at most; everything longer reads what those recorded.

import { processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings as slot } from "../../catalog/recordings.ts";
import { dayPeakAge, evaluation, floorAge, floors, type Horizon, horizons, lifeGrowth } from "../../catalog/windows.ts";
import { duration, olderThan, round, youngerThan } from "../promql.ts";
import type { RecordingRule, RuleGroup } from "../rule.ts";

const resident = processMetrics.residentMemory.name;
const limit = processMetrics.memoryLimit.name;
const floorName = { short: slot.floor.name, hour: slot.hourFloor.name };

/** The recorded growth of each horizon. */
export const growthName: Record<Horizon, string> = {
  "15m": slot.growth15m.name,
  "1h": slot.growth1h.name,
  "6h": slot.growth6h.name,
  "12h": slot.growth12h.name,
  "1d": slot.growth1d.name,
  "7d": slot.growth7d.name,
};

const hour = 3600;
const longestLookBack = 10 * 60;

export const fastGrowth = (): RuleGroup => ({
  name: "leakwatch-floor",
  interval: evaluation.fast,
  rules: [
    {
      record: slot.floor.name,
      expr: `min_over_time(${resident}[${duration(floors.short)}]) and ${olderThan(floorAge.short)}`,
    },
    {
      record: slot.hourFloor.name,
      expr: `min_over_time(${slot.floor.name}[${duration(floors.hour)}]) and ${olderThan(floorAge.hour)}`,
    },
    {
      record: slot.peak.name,
      expr: `(max_over_time(${resident}[1h]) and ${olderThan(hour)})
or (max_over_time(${resident}[${duration(floors.short)}]) and ${olderThan(floorAge.short)} and ${youngerThan(hour)})`,
    },
    growth("15m"),
    growth("1h"),
    {
      record: slot.headroom.name,
      expr: `(${limit} - last_over_time(${slot.dayPeak.name}[${duration(longestLookBack)}]) and ${olderThan(dayPeakAge)})
or (${limit} - ${slot.peak.name})`,
    },
    {
      record: slot.timeToOom.name,
      expr: `clamp_min(${slot.headroom.name}, 0) / (last_over_time(${slot.growth.name}[${duration(longestLookBack)}]) > 0)
and ${olderThan(lifeGrowth.minimumAge)}`,
    },
  ],
});

export const slowGrowth = (): RuleGroup => ({
  name: "leakwatch-growth",
  interval: evaluation.slow,
  rules: [
    // an hour less than a day, since each peak is that of an hour
    { record: slot.dayPeak.name, expr: `max_over_time(${slot.peak.name}[23h])` },
    growth("6h"),
    growth("12h"),
    growth("1d"),
    growth("7d"),
    { record: slot.growth.name, expr: longestGrowth() },
    { record: slot.confidence.name, expr: evenness() },
  ],
});

function growth(name: Horizon): RecordingRule {
  const { seconds, floor } = horizons.find((horizon) => horizon.name === name) as (typeof horizons)[number];
  const f = floorName[floor];
  return {
    record: growthName[name],
    expr: `(${f} - ${f} offset ${name}) / ${seconds} and ${olderThan(seconds + floorAge[floor])}`,
  };
}

/** The first line whose window fits the life counts. */
function longestGrowth(): string {
  const f = slot.hourFloor.name;
  const plain = lifeGrowth.plain.map(
    (seconds) =>
      `(((${f} - ${f} offset ${duration(seconds)}) / ${seconds}) < ${slot.headroom.name} / ${seconds / 2} and ${olderThan(seconds + floorAge.hour)})`,
  );
  return [
    ...plain,
    `(${weighted("6h")} and ${olderThan(24 * hour + floorAge.hour)})`,
    growthName["12h"],
    growthName["6h"],
    `((${growthName["1h"]} + ${growthName["1h"]} offset 1h) / 2 and ${olderThan(2 * hour + floorAge.short)})`,
    `(${weighted("15m")} and ${olderThan(hour + floorAge.short)})`,
    `((${growthName["15m"]} + ${growthName["15m"]} offset 15m) / 2 and ${olderThan(hour / 2 + floorAge.short)})`,
    growthName["15m"],
  ].join("\nor ");
}

/** Four stretches in a row, the middle ones weighted more. */
function weighted(name: "15m" | "6h"): string {
  const { seconds } = horizons.find((horizon) => horizon.name === name) as (typeof horizons)[number];
  const terms = lifeGrowth.weights.map(
    (weight, i) => `${weight} * ${growthName[name]}${i === 0 ? "" : ` offset ${duration(i * seconds)}`}`,
  );
  return `(${terms.join(" + ")})`;
}

/** The slowest stretch of the longest window that fits, as a share of the growth. */
function evenness(): string {
  const slowest: [Horizon, number][] = [
    ["1d", 48 * hour],
    ["6h", 16 * hour],
    ["1h", hour],
    ["15m", hour / 3],
  ];
  const lines = slowest.map(([name, over]) => {
    const { seconds, floor } = horizons.find((horizon) => horizon.name === name) as (typeof horizons)[number];
    const age = seconds + over + floorAge[floor];
    return `(min_over_time(${growthName[name]}[${duration(over)}]) and ${olderThan(age)})`;
  });
  return `clamp_max(clamp_min((\n  ${lines.join("\n  or ")}\n) / (${slot.growth.name} > 0), 0), ${round(1)})`;
}
