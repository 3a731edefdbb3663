// All tests of the rules, by name. The name is that of the alert which they are about.

import { ruleGroups } from "../index.ts";
import { renderRules } from "../render.ts";
import { rulesFor } from "./closure.ts";
import { type RuleTestFile, renderRuleTest } from "./rule-test.ts";
import { heapNearLimit, memoryGrowth, nearLimit, noLimit } from "./situations/capacity.ts";
import { firstHour } from "./situations/first-hour.ts";
import { sameGroupEverywhere } from "./situations/fleet.ts";
import {
  exporterAbsent,
  exporterDown,
  exporterLeaks,
  podsStale,
  rulesNotEvaluated,
  samplesStale,
  targetGone,
  targetsUnreadable,
} from "./situations/health.ts";
import {
  descriptorLeak,
  masked,
  maskedPods,
  memoryLeak,
  oomPredicted,
  outside,
  threadLeak,
} from "./situations/leak.ts";
import { oomKilled, oomLoop, oomLoopFromTheStart, restartLoop, restartsRecur } from "./situations/restarts.ts";

export const ruleTests: Readonly<Record<string, () => RuleTestFile>> = {
  LeakwatchMemoryLeak: memoryLeak,
  LeakwatchMemoryLeakMasked: masked,
  "masked-over-pods": maskedPods,
  LeakwatchMemoryLeakOutsideProcesses: outside,
  LeakwatchOomPredicted: oomPredicted,
  LeakwatchMemoryGrowth: memoryGrowth,
  LeakwatchMemoryNearLimit: nearLimit,
  LeakwatchNoMemoryLimit: noLimit,
  LeakwatchHeapNearLimit: heapNearLimit,
  LeakwatchRestartLoop: restartLoop,
  LeakwatchOomKilled: oomKilled,
  LeakwatchOomLoop: oomLoop,
  LeakwatchRestartsRecur: restartsRecur,
  "oom-loop-from-the-start": oomLoopFromTheStart,
  LeakwatchDescriptorLeak: descriptorLeak,
  LeakwatchThreadLeak: threadLeak,
  LeakwatchExporterDown: exporterDown,
  LeakwatchExporterAbsent: exporterAbsent,
  LeakwatchTargetGone: targetGone,
  LeakwatchSamplesStale: samplesStale,
  LeakwatchPodsStale: podsStale,
  LeakwatchTargetsUnreadable: targetsUnreadable,
  LeakwatchRulesNotEvaluated: rulesNotEvaluated,
  LeakwatchExporterLeaks: exporterLeaks,
  "first-hour": firstHour,
  "same-group-everywhere": sameGroupEverywhere,
};

/** The two files that promtool takes of a test, by their names: the test, and the rules that it needs. */
export function testFiles(name: string, test: RuleTestFile): Record<string, string> {
  const groups = rulesFor(test, ruleGroups());
  const rulesFile = `${name}.rules.yml`;
  return { [`${name}.yml`]: renderRuleTest(test, rulesFile, groups), [rulesFile]: renderRules(groups) };
}
