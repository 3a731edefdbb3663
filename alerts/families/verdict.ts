// The verdict word, per slot and per group, as one series each: the number that stands for it, and the word as a label.

import { processMetrics } from "../../catalog/metrics.ts";
import { groupRecordings as group, slotRecordings as slot } from "../../catalog/recordings.ts";
import { type Verdict, verdictCode, verdicts } from "../../catalog/verdicts.ts";
import { capacity, dailyGrowth, evaluation, spike, verdictAge } from "../../catalog/windows.ts";
import { olderThan, youngerThan } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";

const day = 86_400;
const alertLabels = "alertname, alertstate, severity, class, window";

export const verdictRules = (): RuleGroup => ({
  name: "leakwatch-verdict",
  interval: evaluation.slow,
  rules: [
    { record: slot.verdict.name, expr: slotVerdict() },
    { record: group.verdict.name, expr: groupVerdict() },
  ],
});

/** The first line that holds counts. */
function slotVerdict(): string {
  const resident = processMetrics.residentMemory.name;
  const limit = processMetrics.memoryLimit.name;
  const growth = slot.growth.name;
  const perDay = (share: number) => `${growth} * ${day} > ${share} * ${slot.hourFloor.name}`;
  return firstOf([
    [
      "leaking",
      `max without (${alertLabels}) (ALERTS{alertstate="firing",alertname=~"LeakwatchMemoryLeak.*",slot!=""})`,
    ],
    ["insufficient_data", `${resident} unless ${olderThan(verdictAge)}`],
    [
      "warming_up",
      `${slot.floor.name} and ${youngerThan(day)} and ${growth} * ${day} > ${dailyGrowth.warmingUp} * ${slot.floor.name}`,
    ],
    ["bounded_growth", `${slot.hourFloor.name} and ${perDay(dailyGrowth.bounded)} and ${slot.confidence.name} > 0`],
    ["high_stable", `${slot.peak.name} and ${slot.peak.name} > ${capacity.nearLimit} * ${limit}`],
    ["spiky", `${slot.peak.name} and ${slot.peak.name} > ${spike} * ${slot.floor.name}`],
    ["stable", slot.floor.name],
    ["insufficient_data", resident],
  ]);
}

/** What holds for the group as a whole is graver than anything that its slots can say; else the gravest of these. */
function groupVerdict(): string {
  const gravest = `max without (slot, verdict) (${slot.verdict.name})`;
  const words = verdicts.filter(({ word }) => word !== "masked_leak" && word !== "restart_loop");
  return [
    named("restart_loop", firing("LeakwatchOomLoop|LeakwatchRestartLoop")),
    named("masked_leak", firing("LeakwatchMemoryLeakMasked")),
    ...words.map(({ word, code }) => named(word, `${gravest} == ${code}`)),
  ].join("\nor ignoring (verdict) ");
}

const firing = (alerts: string) => `max without (${alertLabels}) (ALERTS{alertstate="firing",alertname=~"${alerts}"})`;

/** The number of a verdict wherever the expression has an element, with the word as a label. */
const named = (word: Verdict, expr: string) =>
  `label_replace(0 * (${expr}) + ${verdictCode[word]}, "verdict", "${word}", "", "")`;

const firstOf = (lines: readonly (readonly [Verdict, string])[]) =>
  lines.map(([word, expr]) => named(word, expr)).join("\nor ignoring (verdict) ");
