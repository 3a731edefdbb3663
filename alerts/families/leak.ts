// The alerts of class leak. A comparison in PromQL keeps its left value, so the growth over a window is computed once and
// then filtered, line by line. Each kind and severity is one alert, whichever window found it.

import type { Detection } from "../../catalog/detection.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings as slot, sparseRecordings as sparse } from "../../catalog/recordings.ts";
import type { Severity } from "../../catalog/windows.ts";
import { slotText } from "../annotations.ts";
import { ago, duration, round, slotLabels, youngerThan } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

const floor = slot.floor.name;
const hourFloor = slot.hourFloor.name;
const dayPeak = slot.dayPeak.name;
const headroom = slot.headroom.name;

export const alertName = {
  urgent: "LeakwatchMemoryLeakUrgent",
  steady: "LeakwatchMemoryLeakSteady",
  slow: "LeakwatchMemoryLeakSlow",
} as const;

export const urgentLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-leak-urgent",
  interval: d.evaluation.fast,
  rules: [{ record: sparse.left40m.name, expr: timeLeftOfFortyMinutes(d) }, pageAlert(d), todayAlert(d)],
});

export const soonLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-leak-soon",
  interval: d.evaluation.slow,
  rules: [
    { record: sparse.left2h.name, expr: timeLeftOfTwoHours(d) },
    { record: sparse.left12h.name, expr: timeLeftOfHalfADay(d) },
  ],
});

export const steadyLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-leak-steady",
  interval: d.evaluation.slow,
  // what looks far back makes every series in its expression dear, so it is recorded without those that look at now
  rules: [
    { record: sparse.rise22h.name, expr: evenly(d) },
    { record: sparse.rise36h.name, expr: byDayMoreThanByNight(d) },
    steadyAlert(d),
    slowAlert(d),
  ],
});

export const predictedOom = (d: Detection): RuleGroup => ({
  name: "leakwatch-oom",
  interval: d.evaluation.slow,
  rules: d.oomPredicted.map((one) => predictedAlert(d, one)),
});

/** Seconds to the limit at the pace of forty minutes, where these look like a leak and they are no more than `timeLeft`. */
function timeLeftOfFortyMinutes(d: Detection): string {
  const { over, gain, slowest, biggest, beyondLimit } = d.urgent.fortyMinutes;
  const { seconds } = d.horizons["15m"];
  const growth = slot.growth15m.name;
  const stretches = `${growth}[${duration(over - seconds)}]`;
  const lines = [
    `(${floor} - ${ago(floor, over)})`,
    `> ${gain} * ${floor}`,
    `<= ${round(over / slowest)} * min_over_time(${stretches})`,
    `>= ${round(seconds / biggest)} * max_over_time(${stretches})`,
    `<= ${round(over)} * ${growth} * (1 + ${round((over - seconds) / 2 / beyondLimit)} * ${growth} / clamp_min(${headroom}, 1))`,
    aboveDayPeak(d, floor, over),
  ];
  const young = youngerThan(over + d.floorAge.short, d);
  return `${round(over)} * ${headroom} / (${lines.join("\n  ")}\nunless ${young}) <= ${round(d.urgent.young.timeLeft)}`;
}

/** The same over sparse rises, of one hour or of six. */
function timeLeftOfTwo(
  d: Detection,
  { over, gain, slowest, biggest, beyondLimit, timeLeft: within }: Detection["urgent"]["twoHours" | "twelveHours"],
  stretch: { rise: string; seconds: number; floor: string },
  further: readonly string[],
): string {
  const { rise, seconds } = stretch;
  const stretches = `${rise}[${duration(over - seconds)}]`;
  const count = over / seconds;
  const lines = [
    `(${rise} + ${ago(rise, seconds)})`,
    `> ${gain} * ${stretch.floor}`,
    `<= ${round(count / slowest)} * min_over_time(${stretches})`,
    `>= ${round(1 / biggest)} * max_over_time(${stretches})`,
    `<= ${round(count)} * ${rise} * (1 + ${round((over - seconds) / 2 / seconds / beyondLimit)} * ${rise} / clamp_min(${headroom}, 1))`,
    aboveDayPeak(d, stretch.floor, over),
    ...further,
  ];
  return `${round(over)} * ${headroom} / (${lines.join("\n  ")}) <= ${round(within)}`;
}

const aboveDayPeak = ({ urgent }: Detection, level: string, over: number) =>
  `<= ${round(1 / urgent.aboveDayPeak)} * (${level} - ${ago(dayPeak, over)})`;

function timeLeftOfTwoHours(d: Detection): string {
  const { twoHours } = d.urgent;
  const { seconds } = d.horizons["1h"];
  const rise = sparse.rise1h.name;
  return timeLeftOfTwo(d, twoHours, { rise, seconds, floor }, [
    present(d, rise, twoHours.over - seconds, twoHours.present, d.evaluation.fast),
  ]);
}

function timeLeftOfHalfADay(d: Detection): string {
  const { twelveHours } = d.urgent;
  const { seconds } = d.horizons["6h"];
  const rise = sparse.rise6h.name;
  return timeLeftOfTwo(d, twelveHours, { rise, seconds, floor: hourFloor }, [
    `<= ${round(twelveHours.over / d.floors.hour / twelveHours.stillGrowing)} * (${floor} - ${hourFloor})`,
    `and ${ago(rise, seconds / 2)}`,
  ]);
}

/** The value of just this evaluation, also where nothing marks the end of a series. */
const fresh = (series: string, interval: number) => `last_over_time(${series}[${duration(interval)}])`;

/** A recorded series that was there at every evaluation for so long. */
function held(series: string, seconds: number, interval: number): string {
  const times = Math.round(seconds / interval) + 1;
  return `count_over_time(${series}[${duration(seconds + interval)}]) >= ${times}`;
}

/** The value is the time left in seconds. */
function pageAlert(d: Detection): AlertRule {
  const { fortyMinutes, twoHours, young } = d.urgent;
  const left40m = fresh(sparse.left40m.name, d.evaluation.fast / 2);
  const lines = [
    `${left40m} <= ${round(fortyMinutes.timeLeft)}`,
    `(${left40m} <= ${round(young.page)} and ${inItsYouth(d)})`,
    `(${fresh(sparse.left2h.name, d.evaluation.slow)} and ${held(sparse.left2h.name, twoHours.for, d.evaluation.slow)})`,
  ];
  return urgentAlert(d, lines, fortyMinutes.severity, "leaks memory and has hours to live", [
    fortyMinutes.over,
    twoHours.over,
  ]);
}

/** The same with more time left. */
function todayAlert(d: Detection): AlertRule {
  const { fortyMinutes, twelveHours, young } = d.urgent;
  const lines = [
    `(${fresh(sparse.left40m.name, d.evaluation.fast / 2)} > ${round(young.page)} and ${inItsYouth(d)})`,
    `(${fresh(sparse.left12h.name, d.evaluation.slow)} and ${held(sparse.left12h.name, twelveHours.for, d.evaluation.slow)})`,
  ];
  return urgentAlert(d, lines, twelveHours.severity, "leaks memory and reaches its limit today", [
    fortyMinutes.over,
    twelveHours.over,
  ]);
}

const inItsYouth = (d: Detection) => {
  const {
    urgent: { fortyMinutes, young },
    evaluation,
  } = d;
  return `${youngerThan(young.maximumAge, d)} and ${held(sparse.left40m.name, young.for - fortyMinutes.for, evaluation.fast)}`;
};

function urgentAlert(
  { urgent, keepFiring }: Detection,
  lines: readonly string[],
  severity: Severity,
  does: string,
  windows: readonly number[],
): AlertRule {
  return {
    alert: alertName.urgent,
    expr: lines.join("\nor "),
    for: urgent.fortyMinutes.for,
    keepFiringFor: keepFiring.urgent,
    labels: { severity, class: "leak" },
    annotations: slotText(
      does,
      `It grew in every stretch of the last ${windows.map(duration).join(" or ")}.`,
      alertName.urgent,
      "leaking",
    ),
  };
}

function steadyAlert(d: Detection): AlertRule {
  const { steady, horizons, floors, keepFiring } = d;
  const longest = Math.max(...steady.lookedAt) + horizons["6h"].seconds;
  return {
    alert: alertName.steady,
    expr: `(${sparse.rise22h.name}
  <= ${round((steady.lookedAt.length * horizons["6h"].seconds) / floors.hour / steady.stillGrowing)} * (${floor} - ${hourFloor}))
or ${sparse.rise36h.name}`,
    for: steady.for,
    keepFiringFor: keepFiring.steady,
    labels: { severity: steady.severity, class: "leak" },
    annotations: slotText(
      "leaks memory steadily",
      `It grew in every stretch of the last ${duration(longest)} or ${duration(3 * horizons["12h"].seconds)}.`,
      alertName.steady,
      "leaking",
    ),
  };
}

/** Four stretches of six hours in 22, overlapping: none much slower than the others. */
function evenly({ steady }: Detection): string {
  const stretches = steady.lookedAt.map((age) => ago(sparse.rise6h.name, age));
  const count = stretches.length;
  const secondHalf = stretches.slice(0, count / 2).join(" + ");
  return [
    `(${stretches.join(" + ")})`,
    `> ${steady.gain} * ${hourFloor}`,
    ...stretches.map((stretch) => `<= ${round(count / steady.slowest)} * ${stretch}`),
    `<= ${round(1 + 1 / steady.pace)} * (${secondHalf})`,
  ].join("\n  ");
}

function byDayMoreThanByNight(d: Detection): string {
  const rise = sparse.rise12h.name;
  const { seconds } = d.horizons["12h"];
  return [
    ...threeStretches(rise, seconds, d.uneven),
    `<= ${round(1 + 1 / d.uneven.pace)} * (${rise} + ${ago(rise, seconds)} / 2)`,
    present(d, rise, 2 * seconds, d.uneven.present),
  ].join("\n  ");
}

function slowAlert(d: Detection): AlertRule {
  const { slow, keepFiring } = d;
  const rise = sparse.rise1d.name;
  const { seconds } = d.horizons["1d"];
  return {
    alert: alertName.slow,
    expr: [...threeStretches(rise, seconds, slow), present(d, rise, 2 * seconds, slow.present)].join("\n  "),
    for: slow.for,
    keepFiringFor: keepFiring.slow,
    labels: { severity: slow.severity, class: "leak" },
    annotations: slotText(
      "leaks memory slowly",
      `It grew in every stretch of the last ${duration(3 * seconds)}.`,
      alertName.slow,
      "leaking",
    ),
  };
}

/** The growth of three stretches in a row, if every stretch within them grew and none carries most of it. */
function threeStretches(rise: string, seconds: number, window: Detection["slow"]): string[] {
  const { gain, slowest, biggest } = window;
  const stretches = `${rise}[${duration(2 * seconds)}]`;
  return [
    `(${[0, 1, 2].map((i) => ago(rise, i * seconds)).join(" + ")})`,
    `> ${gain} * ${hourFloor}`,
    `<= ${round(3 / slowest)} * min_over_time(${stretches})`,
    `>= ${round(1 / biggest)} * max_over_time(${stretches})`,
  ];
}

const present = ({ evaluation }: Detection, rise: string, over: number, share: number, interval = evaluation.slow) =>
  `and count_over_time(${rise}[${duration(over)}]) >= ${Math.round((share * over) / interval)}`;

/** Level and trend: near enough to the limit, and a leak by the alerts above, not by the slope alone. */
function predictedAlert(
  { minimumConfidence, keepFiring }: Detection,
  { within, level, severity, for: hold }: Detection["oomPredicted"][number],
): AlertRule {
  const name = "LeakwatchOomPredicted";
  return {
    alert: name,
    expr: `${slot.timeToOom.name} < ${round(within)}
and ${slot.confidence.name} > ${minimumConfidence}
and ${headroom} < ${round(1 - level)} * ${processMetrics.memoryLimit.name}
and on (${slotLabels}) ALERTS{alertstate="firing",alertname=~"LeakwatchMemoryLeak.*",slot!=""}`,
    for: hold,
    keepFiringFor: keepFiring.oomPredicted,
    labels: { severity, class: "leak" },
    annotations: slotText(
      `will reach its memory limit within ${duration(within)}`,
      `It leaks, and has passed ${round(level * 100)}% of its limit.`,
      name,
      "leaking",
    ),
  };
}
