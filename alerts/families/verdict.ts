// The verdict per slot and per group: how sure the growth is, the severity and the word. The latter two are recorded as the
// number that stands for the word, with the word as a label. Alerts are asked for on the labels of a slot alone, for they may have labels of their own.

import type { Detection } from "../../catalog/detection.ts";
import { groupMetrics, processMetrics } from "../../catalog/metrics.ts";
import { groupRecordings as group, slotRecordings as slot } from "../../catalog/recordings.ts";
import { type Verdict, verdictCode, verdicts } from "../../catalog/verdicts.ts";
import { type Severity, severities } from "../../catalog/windows.ts";
import { groupLabels, round, slotLabels, youngerThan } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";
import { confidence } from "./growth.ts";

export const verdictRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-verdict",
  interval: d.evaluation.slow,
  rules: [
    { record: slot.confidence.name, expr: confidence(d) },
    { record: slot.severity.name, expr: slotSeverity() },
    { record: slot.verdict.name, expr: slotVerdict(d) },
    { record: group.severity.name, expr: groupSeverity() },
    { record: group.verdict.name, expr: groupVerdict() },
  ],
});

const firing = (matchers: string) => `ALERTS{alertstate="firing",${matchers}}`;

const byGravity = [...severities].reverse();

function slotSeverity(): string {
  const fires = (severity: Severity) =>
    `${slot.floor.name} and on (${slotLabels}) ${firing(`alertname=~"LeakwatchMemoryLeak.*",severity="${severity}",slot!=""`)}`;
  return byGravity.map((severity) => graded(severity, fires(severity))).join("\nor ignoring (severity) ");
}

function groupSeverity(): string {
  const gravest = `max without (slot, severity) (${slot.severity.name})`;
  const masked = `${groupMetrics.livesEnded.name} and on (${groupLabels}) ${firing('alertname="LeakwatchMemoryLeakMasked"')}`;
  return byGravity
    .flatMap((severity) => [
      graded(severity, `${gravest} == ${severityCode(severity)}`),
      ...(severity === "warning" ? [graded(severity, masked)] : []),
    ])
    .join("\nor ignoring (severity) ");
}

/** The first line that holds counts. */
function slotVerdict(d: Detection): string {
  const { verdictAge, dailyGrowth, capacity, spike } = d;
  const growth = slot.growth.name;
  const grows = (share: number) => `${growth} > ${round(share / dailyGrowth.per)} * ${slot.hourFloor.name}`;
  return [
    named("leaking", `max without (severity) (${slot.severity.name})`),
    named("insufficient_data", youngerThan(verdictAge, d)),
    named("warming_up", `${grows(dailyGrowth.warmingUp)} and ${youngerThan(dailyGrowth.maximumAge, d)}`),
    named("bounded_growth", `${grows(dailyGrowth.bounded)} and ${slot.confidence.name} > 0`),
    named(
      "high_stable",
      `${slot.headroom.name} < ${round(1 - capacity.nearLimit)} * ${processMetrics.memoryLimit.name} and ${growth}`,
    ),
    named("spiky", `${slot.peak.name} > ${spike} * ${slot.floor.name} and ${growth}`),
    named("stable", growth),
    named("insufficient_data", processMetrics.residentMemory.name),
  ].join("\nor ignoring (verdict) ");
}

/** What holds for the group as a whole is graver than anything that its slots can say; else the gravest of these. */
function groupVerdict(): string {
  const gravest = `max without (slot, verdict) (${slot.verdict.name})`;
  const words = verdicts.filter(({ word }) => word !== "masked_leak" && word !== "restart_loop");
  const fires = (alerts: string) =>
    `${groupMetrics.livesEnded.name} and on (${groupLabels}) ${firing(`alertname=~"${alerts}"`)}`;
  return [
    named("restart_loop", fires("LeakwatchOomLoop|LeakwatchRestartLoop")),
    named("masked_leak", fires("LeakwatchMemoryLeakMasked")),
    ...words.map(({ word, code }) => named(word, `${gravest} == ${code}`)),
  ].join("\nor ignoring (verdict) ");
}

/** 1 for the least grave. */
const severityCode = (severity: Severity) => severities.indexOf(severity) + 1;

/** A word's number wherever the expression has an element, with the word as a label. */
const labelled = (label: string, word: string, code: number, expr: string) =>
  `label_replace(0 * (${expr}) + ${code}, "${label}", "${word}", "", "")`;

const graded = (severity: Severity, expr: string) => labelled("severity", severity, severityCode(severity), expr);

const named = (word: Verdict, expr: string) => labelled("verdict", word, verdictCode[word], expr);
