// The alerts of class leak. A comparison in PromQL keeps its left value, so the growth over a window is computed once and
// then filtered, line by line.

import { processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings as slot } from "../../catalog/recordings.ts";
import {
  evaluation,
  floorAge,
  horizons,
  keepFiring,
  type LeakWindow,
  leakWindows,
  minimumConfidence,
  oomPredicted,
  urgent,
} from "../../catalog/windows.ts";
import { slotText } from "../annotations.ts";
import { duration, olderThan, round, youngerThan } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";
import { growthName } from "./growth.ts";

export const fastLeaks = (): RuleGroup => ({
  name: "leakwatch-leak-fast",
  interval: evaluation.fast,
  rules: leakWindows.filter(isFast).map(leakAlert),
});

export const slowLeaks = (): RuleGroup => ({
  name: "leakwatch-leak-slow",
  interval: evaluation.slow,
  rules: [...leakWindows.filter((window) => !isFast(window)).map(leakAlert), ...oomPredicted.map(predictedAlert)],
});

const isFast = ({ stretch }: LeakWindow) => stretch === "15m";

export const alertName = {
  urgent: "LeakwatchMemoryLeakUrgent",
  steady: "LeakwatchMemoryLeakSteady",
  slow: "LeakwatchMemoryLeakSlow",
} as const;

const summaries = {
  urgent: "leaks memory and has hours to live",
  steady: "leaks memory steadily",
  slow: "leaks memory slowly",
} as const;

function leakAlert(window: LeakWindow): AlertRule {
  return {
    alert: alertName[window.kind],
    expr: leakExpr(window),
    for: window.for,
    keepFiringFor: keepFiring[window.kind],
    labels: { severity: window.severity, class: "leak", window: duration(lengthOf(window)) },
    annotations: slotText(
      summaries[window.kind],
      `It grew in every stretch of the last ${duration(lengthOf(window))}.`,
      alertName[window.kind],
      "leaking",
    ),
  };
}

/** Seconds. */
export function lengthOf({ stretch, over }: LeakWindow): number {
  return secondsOf(stretch) + over;
}

const secondsOf = (stretch: LeakWindow["stretch"]) =>
  (horizons.find(({ name }) => name === stretch) as { seconds: number }).seconds;

function leakExpr(window: LeakWindow): string {
  const { stretch, over, slowest, lookedAt, biggest, gain, pace, timeLeft, stillGrowing, maximumAge } = window;
  const floorKind = (horizons.find(({ name }) => name === stretch) as (typeof horizons)[number]).floor;
  const floor = floorKind === "hour" ? slot.hourFloor.name : slot.floor.name;
  const growth = growthName[stretch];
  const length = lengthOf(window);
  const half = duration(Math.floor(length / 120) * 60);
  const secondHalf = `(${floor} - ${floor} offset ${half})`;
  const perSlowest = Math.round(length / slowest);

  const lines = [`(${floor} - ${floor} offset ${duration(length)})`, `> ${gain} * ${floor}`];
  if (lookedAt === undefined) {
    lines.push(`<= ${perSlowest} * min_over_time(${growth}[${duration(over)}])`);
  } else {
    for (const age of lookedAt)
      lines.push(`<= ${perSlowest} * ${growth}${age === 0 ? "" : ` offset ${duration(age)}`}`);
  }
  if (biggest !== undefined) {
    lines.push(`>= ${Math.round(secondsOf(stretch) / biggest)} * max_over_time(${growth}[${duration(over)}])`);
  }
  if (pace !== undefined) lines.push(`<= ${round(1 + 1 / pace)} * ${secondHalf}`);
  if (timeLeft !== undefined) {
    const headroom = slot.headroom.name;
    lines.push(
      `>= ${round(length / timeLeft)} * ${headroom}`,
      `<= ${secondHalf} * (2 + ${urgent.plateau} * ${secondHalf} / clamp_min(${headroom}, 1))`,
      `<= ${round(1 / urgent.aboveDayPeak)} * (${floor} - ${slot.dayPeak.name} offset ${duration(length)})`,
    );
  }
  if (stillGrowing !== undefined) {
    lines.push(`<= ${round(length / stillGrowing / 3600)} * (${slot.floor.name} - ${slot.hourFloor.name})`);
  }
  const ages = [olderThan(length + floorAge[floorKind])];
  if (maximumAge !== undefined) ages.push(youngerThan(maximumAge));
  return `${lines.join("\n  ")}\nand ${ages.join("\nand ")}`;
}

/** Level and trend: near enough to the limit, and a leak by the alerts above, not by the slope alone. */
function predictedAlert({ within, level, severity }: (typeof oomPredicted)[number]): AlertRule {
  const name = "LeakwatchOomPredicted";
  return {
    alert: name,
    expr: `${slot.timeToOom.name} < ${within}
and ${slot.confidence.name} > ${minimumConfidence}
and ${slot.peak.name} > ${level} * ${processMetrics.memoryLimit.name}
and ignoring (alertname, alertstate, severity, class, window) ALERTS{alertstate="firing",alertname=~"LeakwatchMemoryLeak.*"}`,
    for: 10 * 60,
    keepFiringFor: keepFiring.oomPredicted,
    labels: { severity, class: "leak", window: duration(within) },
    annotations: slotText(
      `will reach its memory limit within ${duration(within)}`,
      `It leaks, and has passed ${round(level * 100)}% of its limit.`,
      name,
      "leaking",
    ),
  };
}
