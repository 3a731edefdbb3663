// The verdict per slot and per group: how sure the growth is, the severity and the word. The latter two are recorded as the
// number that stands for the word, with the word as a label. Alerts are asked for on the labels of a slot alone, for they may have labels of their own.

import { alerts, anyLeak, loopAlerts, oneOf, type Severity, severities } from "../../catalog/alerts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { groupLabels, listed, slotLabels } from "../../catalog/labels.ts";
import { groupMetrics, recentMetrics as recent } from "../../catalog/metrics.ts";
import {
  groupRecordings as group,
  slotRecordings as slot,
  sparseRecordings as sparse,
} from "../../catalog/recordings.ts";
import { type Verdict, verdictCode } from "../../catalog/verdicts.ts";
import { round, youngerThan } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";

export const verdictRules = (d: Detection): RuleGroup => ({
  name: "leakwatch-verdict",
  interval: d.evaluation.slow,
  rules: [
    {
      record: sparse.notable.name,
      expr: `${slot.growth.name} > ${round(d.dailyGrowth.bounded / d.dailyGrowth.per)} * ${slot.hourFloor.name}`,
    },
    { record: slot.severity.name, expr: slotSeverity() },
    { record: slot.verdict.name, expr: slotVerdict(d) },
    { record: group.growth.name, expr: `max without (slot) (${slot.growth.name})` },
    { record: group.confidence.name, expr: `max without (slot) (${slot.confidence.name})` },
    { record: group.timeToOom.name, expr: `min without (slot) (${slot.timeToOom.name})` },
    { record: group.severity.name, expr: groupSeverity() },
    { record: group.verdict.name, expr: groupVerdict() },
  ],
});

const firing = (matchers: string) => `ALERTS{alertstate="firing",${matchers}}`;

const byGravity = [...severities].reverse();

/** The slot's own labels, with what the gravest alert says: the first that has a value counts. */
function slotSeverity(): string {
  const fires = (severity: Severity) =>
    `${severityCode(severity)} * max by (${listed(slotLabels)}, severity) (${firing(`alertname=~"${anyLeak}",severity="${severity}",slot!=""`)})`;
  const gravest = byGravity.map(fires).join(`\n  or ignoring (severity) `);
  return `0 * ${slot.floor.name} + on (${listed(slotLabels)}) group_left (severity) (\n  ${gravest}\n)`;
}

function groupSeverity(): string {
  const gravest = `max without (slot, severity) (${slot.severity.name})`;
  const masked = `${groupMetrics.livesEnded.name} and on (${listed(groupLabels)}) ${firing(`alertname="${alerts.memoryLeakMasked.name}"`)}`;
  return byGravity
    .flatMap((severity) => [
      graded(severity, `${gravest} == ${severityCode(severity)}`),
      ...(severity === "warning" ? [graded(severity, masked)] : []),
    ])
    .join("\nor ignoring (severity) ");
}

/** The first line that holds counts. */
function slotVerdict(d: Detection): string {
  const { verdictAge, dailyGrowth, spike } = d;
  const growth = slot.growth.name;
  return [
    named("leaking", `max without (severity) (${slot.severity.name})`),
    named("insufficient_data", youngerThan(verdictAge, d)),
    named(
      "warming_up",
      `(${sparse.notable.name} and ${youngerThan(dailyGrowth.maximumAge, d)}) > ${round(dailyGrowth.warmingUp / dailyGrowth.per)} * ${slot.hourFloor.name}`,
    ),
    named("bounded_growth", `${sparse.notable.name} and ${slot.confidence.name}`),
    named("high_stable", `${sparse.nearLimit.name} and ${growth}`),
    named("spiky", `${recent.peak.name} > ${spike} * ${slot.floor.name} and ${growth}`),
    named("stable", growth),
    named("insufficient_data", slot.hourFloor.name),
    named("insufficient_data", recent.youngStart.name),
  ].join("\nor ignoring (verdict) ");
}

/** What holds for the group as a whole is graver than anything that its slots can say; else the gravest of these. */
function groupVerdict(): string {
  const fires = (alerts: string) =>
    `${groupMetrics.livesEnded.name} and on (${listed(groupLabels)}) ${firing(`alertname=~"${alerts}"`)}`;
  const words = `max without (slot) (${slot.verdict.name})`;
  const gravest = `max without (slot, verdict) (${slot.verdict.name})`;
  return [
    named("restart_loop", fires(oneOf(...loopAlerts))),
    named("masked_leak", fires(alerts.memoryLeakMasked.name)),
    `(${words} == ignoring (verdict) group_left () ${gravest})`,
  ].join("\nor ignoring (verdict) ");
}

/** 1 for the least grave. */
const severityCode = (severity: Severity) => severities.indexOf(severity) + 1;

/** A word's number wherever the expression has an element, with the word as a label. */
const labelled = (label: string, word: string, code: number, expr: string) =>
  `label_replace(0 * (${expr}) + ${code}, "${label}", "${word}", "", "")`;

const graded = (severity: Severity, expr: string) => labelled("severity", severity, severityCode(severity), expr);

const named = (word: Verdict, expr: string) => labelled("verdict", word, verdictCode[word], expr);
