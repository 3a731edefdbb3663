// All tests of the rules, by the name of their file. The name is that of the alert which they are about.

import { type RuleTestFile, renderRuleTest } from "./rule-test.ts";
import { fixedCases, fixedCasesByTheMinute } from "./situations/fixed.ts";
import { sameGroupByTheMinute, sameGroupEverywhere } from "./situations/fleet.ts";
import {
  exporterAbsent,
  exporterDown,
  exporterLeaks,
  rulesNotEvaluated,
  samplesStale,
  targetGone,
  targetsUnreadable,
} from "./situations/health.ts";
import { badInput } from "./situations/input.ts";
import { masked, oomPredicted, slow, steady, urgent } from "./situations/leak.ts";
import { oomKilled, oomLoop, restartLoop, restartsRecur } from "./situations/restarts.ts";
import { descriptorLeak, nearLimit, noLimit, threadLeak } from "./situations/room.ts";

const files: Readonly<Record<string, () => RuleTestFile>> = {
  LeakwatchMemoryLeakUrgent: urgent,
  LeakwatchMemoryLeakSteady: steady,
  LeakwatchMemoryLeakSlow: slow,
  LeakwatchMemoryLeakMasked: masked,
  LeakwatchOomPredicted: oomPredicted,
  LeakwatchMemoryNearLimit: nearLimit,
  LeakwatchNoMemoryLimit: noLimit,
  LeakwatchRestartLoop: restartLoop,
  LeakwatchOomKilled: oomKilled,
  LeakwatchOomLoop: oomLoop,
  LeakwatchRestartsRecur: restartsRecur,
  LeakwatchDescriptorLeak: descriptorLeak,
  LeakwatchThreadLeak: threadLeak,
  LeakwatchExporterDown: exporterDown,
  LeakwatchExporterAbsent: exporterAbsent,
  LeakwatchTargetGone: targetGone,
  LeakwatchSamplesStale: samplesStale,
  LeakwatchTargetsUnreadable: targetsUnreadable,
  LeakwatchRulesNotEvaluated: rulesNotEvaluated,
  LeakwatchExporterLeaks: exporterLeaks,
  "fixed-cases": fixedCases,
  "fixed-cases-by-the-minute": fixedCasesByTheMinute,
  "bad-input": badInput,
  "same-group-everywhere": sameGroupEverywhere,
  "same-group-by-the-minute": sameGroupByTheMinute,
};

/** Text by file name. */
export const ruleTests = (): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, test]) => [`${name}.yml`, renderRuleTest(test())]));
