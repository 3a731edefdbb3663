// The alerts of class leak. A comparison in PromQL keeps its left value, so the growth over a window is computed once and
// then filtered, line by line. Each kind and severity is one alert, whichever window found it.

import { alertLabels, alerts, anyLeak, type Severity } from "../../catalog/alerts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { listed, slotLabels } from "../../catalog/labels.ts";
import { processMetrics, recentMetrics as recent } from "../../catalog/metrics.ts";
import { slotRecordings as slot, sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { slotText } from "../annotations.ts";
import { ago, all, duration, growthWhere, present, rarely, round, youngerThan } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

const floor = slot.floor.name;
const hourFloor = slot.hourFloor.name;
const headroom = recent.headroom.name;

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
    { record: sparse.evenRise12h.name, expr: evenHalfADay(d) },
    { record: sparse.left12h.name, expr: timeLeftOfHalfADay(d) },
  ],
});

export const steadyLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-leak-steady",
  interval: d.evaluation.slow,
  // what looks far back is recorded without the level that its gain is compared with
  rules: [{ record: sparse.rise22h.name, expr: evenly(d) }, steadyAlert(d), slowAlert(d)],
});

/** What days of growth say together, by the half hour. */
export const dayByDayLeaks = (d: Detection): RuleGroup => ({
  name: "leakwatch-leak-days",
  interval: d.evaluation.rare,
  rules: [
    { record: sparse.rise36h.name, expr: byDayMoreThanByNight(d) },
    { record: sparse.rise58h.name, expr: dayByDay(d) },
    { record: sparse.lowRise3d.name, expr: lowByLow(d) },
  ],
});

export const predictedOom = (d: Detection): RuleGroup => ({
  name: "leakwatch-oom",
  interval: d.evaluation.slow,
  rules: [
    { record: sparse.leakReach.name, expr: leakReach(d) },
    ...d.oomPredicted.map((one) => predictedAlert(d, one)),
  ],
});

/** Rises over a stretch, recorded where they may be one of a leak. */
interface Stretch {
  readonly rise: string;
  readonly seconds: number;
}

type UrgentWindow = Detection["urgent"]["fortyMinutes" | "twoHours" | "twelveHours"];

/** Seconds to the limit at the pace of forty minutes, where these look like a leak and they are no more than a young process may have. */
function timeLeftOfFortyMinutes(d: Detection): string {
  const window = d.urgent.fortyMinutes;
  const stretch = { rise: sparse.rise15m.name, seconds: d.horizons["15m"].seconds };
  const before = all(stretch.rise, window.over - stretch.seconds, d.evaluation.fast);
  const gained = `${round(window.over / stretch.seconds)} * avg_over_time(${before})`;
  const even = growsEvenly(window, stretch, gained, d.evaluation.fast);
  return timeLeft(window.over, [`(${even})`, ...reachesLimit(d, window, stretch, floor)], d.urgent.young.timeLeft);
}

function timeLeftOfTwoHours(d: Detection): string {
  const window = d.urgent.twoHours;
  const { seconds } = d.horizons["1h"];
  const stretch = { rise: sparse.rise1h.name, seconds };
  const gained = `(${stretch.rise} + ${ago(stretch.rise, seconds)})`;
  const even = growsEvenly(window, stretch, gained, d.evaluation.fast);
  return timeLeft(window.over, [`(${even})`, ...reachesLimit(d, window, stretch, floor)], window.timeLeft);
}

const halfADay = ({ horizons }: Detection) => ({ rise: sparse.rise6h.name, seconds: horizons["6h"].seconds });

/** What twelve hours gained, where they are even: it looks far back, and at nothing else. */
function evenHalfADay(d: Detection): string {
  const stretch = halfADay(d);
  const gained = `(${stretch.rise} + ${ago(stretch.rise, stretch.seconds)})`;
  return growsEvenly(d.urgent.twelveHours, stretch, gained, d.evaluation.slow);
}

function timeLeftOfHalfADay(d: Detection): string {
  const window = d.urgent.twelveHours;
  const lines = [
    sparse.evenRise12h.name,
    ...reachesLimit(d, window, halfADay(d), hourFloor),
    `<= ${round(window.over / d.floors.hour / window.stillGrowing)} * (${floor} - ${hourFloor})`,
  ];
  return timeLeft(window.over, lines, window.timeLeft);
}

/** What a window gained, and that every stretch in it grew and none carries most of it. */
function growsEvenly(
  { over, slowest, present: share, ...more }: UrgentWindow,
  { rise, seconds }: Stretch,
  gained: string,
  interval: number,
): string {
  const biggest = "biggest" in more ? more.biggest : undefined;
  const stretches = all(rise, over - seconds, interval);
  return [
    gained,
    `<= ${round(over / seconds / slowest)} * min_over_time(${stretches})`,
    ...(biggest === undefined ? [] : [`>= ${round(1 / biggest)} * max_over_time(${stretches})`]),
    present(rise, over - seconds, share, interval),
  ].join("\n  ");
}

/** That it is a good share of the level, above what was reached before, and no curve that bends to a plateau before the limit. */
function reachesLimit(
  { urgent: { aboveDayPeak } }: Detection,
  { over, window, gain, beyondLimit }: UrgentWindow,
  { rise, seconds }: Stretch,
  level: string,
): string[] {
  const count = round(over / seconds);
  const bend = round((over - seconds) / 2 / seconds / beyondLimit);
  return [
    `> ${gain} * ${level}`,
    `<= ${count} * ${rise} * (1 + ${bend} * ${rise} / clamp_min(${headroom}, 1))`,
    `<= ignoring (window) ${round(1 / aboveDayPeak)} * ${recent.newHigh.name}{window="${window}"}`,
  ];
}

const timeLeft = (over: number, gained: readonly string[], within: number) =>
  `${round(over)} * ${headroom} / (${gained.join("\n  ")}) <= ${round(within)}`;

/** The value of just this evaluation, also where nothing marks the end of a series. */
const fresh = (series: string, interval: number) => `last_over_time(${series}[${duration(interval)}])`;

/** A recorded series that was there at every evaluation for so long. */
function held(series: string, seconds: number, interval: number): string {
  const times = Math.round(seconds / interval) + 1;
  return `count_over_time(${all(series, seconds + interval, interval)}) >= ${times}`;
}

/** The value is the time left in seconds. */
function pageAlert(d: Detection): AlertRule {
  const { fortyMinutes, twoHours } = d.urgent;
  const left40m = fresh(sparse.left40m.name, d.evaluation.fast / 2);
  const lines = [
    `${left40m} <= ${round(fortyMinutes.timeLeft)}`,
    `(${left40m} <= ${round(twoHours.timeLeft)} and ${inItsYouth(d)})`,
    `(${fresh(sparse.left2h.name, d.evaluation.slow)} and ${held(sparse.left2h.name, twoHours.for, d.evaluation.slow)})`,
  ];
  return urgentAlert(d, lines, fortyMinutes.severity, "leaks memory and has hours to live", [
    fortyMinutes.over,
    twoHours.over,
  ]);
}

/** The same with more time left. */
function todayAlert(d: Detection): AlertRule {
  const { fortyMinutes, twoHours, twelveHours } = d.urgent;
  const lines = [
    `(${fresh(sparse.left40m.name, d.evaluation.fast / 2)} > ${round(twoHours.timeLeft)} and ${inItsYouth(d)})`,
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
    alert: alerts.memoryLeakUrgent.name,
    expr: growthWhere(lines.join("\nor ")),
    for: urgent.fortyMinutes.for,
    keepFiringFor: keepFiring.urgent,
    labels: alertLabels(alerts.memoryLeakUrgent, severity),
    annotations: slotText(
      does,
      `It grew in every stretch of the last ${windows.map(duration).join(" or ")}.`,
      alerts.memoryLeakUrgent.name,
      "leaking",
    ),
  };
}

function steadyAlert(d: Detection): AlertRule {
  const { steady, uneven, horizons, floors, keepFiring } = d;
  const longest = Math.max(...steady.lookedAt) + horizons["6h"].seconds;
  return {
    alert: alerts.memoryLeakSteady.name,
    expr: growthWhere(`(${sparse.rise22h.name} > ${steady.gain} * ${hourFloor}
  <= ${round((steady.lookedAt.length * horizons["6h"].seconds) / floors.hour / steady.stillGrowing)} * (${floor} - ${hourFloor}))
or (${rarely(d, sparse.rise36h.name)} > ${uneven.gain} * ${hourFloor})`),
    for: steady.for,
    keepFiringFor: keepFiring.steady,
    labels: alertLabels(alerts.memoryLeakSteady, steady.severity),
    annotations: slotText(
      "leaks memory steadily",
      `It grew in every stretch of the last ${duration(longest)} or ${duration(3 * horizons["12h"].seconds)}.`,
      alerts.memoryLeakSteady.name,
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
    ...stretches.map((stretch) => `<= ${round(count / steady.slowest)} * ${stretch}`),
    `<= ${round(1 + 1 / steady.pace)} * (${secondHalf})`,
  ].join("\n  ");
}

function byDayMoreThanByNight(d: Detection): string {
  const { uneven, horizons } = d;
  const rise = sparse.rise12h.name;
  const { seconds } = horizons["12h"];
  const now = rarely(d, rise);
  return [
    ...allGrew(d, rise, [0, seconds, 2 * seconds], uneven),
    `>= ${round(1 / uneven.biggest)} * max_over_time(${all(rise, 2 * seconds, d.evaluation.rare)})`,
    `<= ${round(1 + 1 / uneven.pace)} * (${now} + ${rarely(d, rise, seconds)} / 2)`,
    present(rise, 2 * seconds, uneven.present, d.evaluation.rare),
  ].join("\n  ");
}

const dayByDay = (d: Detection) => dayAfterDay(d, sparse.rise1d.name, d.slow.lookedAt);

const lowByLow = (d: Detection) => dayAfterDay(d, sparse.lowRise1d.name, d.slow.lows.lookedAt, d.slow.lows.longer);

/** The growth of three days, if every stretch of a day that ends between them, or so much longer ago, grew. */
function dayAfterDay(d: Detection, rise: string, lookedAt: readonly number[], longer = 0): string {
  const over = Math.max(...lookedAt) + longer;
  const lines = allGrew(d, rise, lookedAt, d.slow, over);
  return [...lines, present(rise, over, d.slow.present, d.evaluation.rare)].join("\n  ");
}

function slowAlert(d: Detection): AlertRule {
  const { slow, keepFiring } = d;
  return {
    alert: alerts.memoryLeakSlow.name,
    // what is told as steady is not told again: a text for each process costs as much as a rule for many
    expr: growthWhere(`(${rarely(d, sparse.rise58h.name)} or ${rarely(d, sparse.lowRise3d.name)}) > ${slow.gain} * ${hourFloor}
unless on (${listed(slotLabels)}) ALERTS{alertname="${alerts.memoryLeakSteady.name}"}`),
    for: slow.for,
    keepFiringFor: keepFiring.slow,
    labels: alertLabels(alerts.memoryLeakSlow, slow.severity),
    annotations: slotText(
      "leaks memory slowly",
      "Each of the last days stands above the day before.",
      alerts.memoryLeakSlow.name,
      "leaking",
    ),
  };
}

/** The growth of stretches together, if every one that ends in this time grew. */
function allGrew(
  d: Detection,
  rise: string,
  lookedAt: readonly number[],
  { slowest }: { slowest: number },
  over = Math.max(...lookedAt),
): string[] {
  return [
    `(${lookedAt.map((age) => rarely(d, rise, age)).join(" + ")})`,
    `<= ${round(lookedAt.length / slowest)} * min_over_time(${all(rise, over, d.evaluation.rare)})`,
  ];
}

/** Which share of its limit a leaking process has reached: level and trend. */
function leakReach({ minimumConfidence }: Detection): string {
  const leaks = `ALERTS{alertstate="firing",alertname=~"${anyLeak}",slot!=""}`;
  return `1 - (${headroom} and ${slot.confidence.name} > ${minimumConfidence} and on (${listed(slotLabels)}) ${leaks}) / ${processMetrics.memoryLimit.name}`;
}

/** Near enough to the limit, and a leak by the alerts above, not by the slope alone. */
function predictedAlert(
  { keepFiring }: Detection,
  { within, level, severity, for: hold }: Detection["oomPredicted"][number],
): AlertRule {
  const { name } = alerts.oomPredicted;
  return {
    alert: name,
    expr: growthWhere(`${slot.timeToOom.name} < ${round(within)} and ${sparse.leakReach.name} > ${level}`),
    for: hold,
    keepFiringFor: keepFiring.oomPredicted,
    labels: alertLabels(alerts.oomPredicted, severity),
    annotations: slotText(
      `will reach its memory limit within ${duration(within)}`,
      `It leaks, and has passed ${round(level * 100)}% of its limit.`,
      name,
      "leaking",
    ),
  };
}
