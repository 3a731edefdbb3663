// Near the limit, without one, and growing without a verdict: not leaks, and never called so.

import { alertLabels, alerts } from "../../catalog/alerts.ts";
import { listed, slotLabels } from "../../catalog/labels.ts";
import { judgeMetrics as judged, processInfo, processMetrics } from "../../catalog/metrics.ts";
import type { Rules } from "../../detection/rules.ts";
import { countText, levelText, slotText } from "../annotations.ts";
import { round, withVerdict } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";

const onSlot = `on (${listed(slotLabels)})`;

export const capacityAlerts = ({ evaluation, capacity, growthRate, countLimit, heap }: Rules): RuleGroup => ({
  name: "leakwatch-capacity",
  interval: evaluation.slow,
  rules: [
    {
      alert: alerts.memoryGrowth.name,
      expr: `3600 * ${judged.growth.name}{window="${growthRate.window}"} > ignoring (window) ${round(growthRate.limitPerDay)} / 24 * ${processMetrics.memoryLimit.name}
and ${onSlot} ${withVerdict(judged.verdict, "growing")}`,
      for: growthRate.for,
      labels: alertLabels(alerts.memoryGrowth),
      annotations: slotText(
        "memory keeps growing",
        `At the pace of the last ${growthRate.window} it takes ${round(growthRate.limitPerDay * 100)}% of its limit or more in a day. It is too uneven, or too young, to be called a leak.`,
        alerts.memoryGrowth.name,
        { value: "growth", verdict: "growing" },
      ),
    },
    {
      alert: alerts.memoryNearLimit.name,
      expr: withVerdict(judged.verdict, "high_stable"),
      for: capacity.for,
      labels: alertLabels(alerts.memoryNearLimit),
      annotations: levelText(
        "near its memory limit, but not growing",
        "This is a capacity problem, not a leak.",
        alerts.memoryNearLimit.name,
        "high_stable",
      ),
    },
    {
      alert: alerts.noMemoryLimit.name,
      expr: `${withVerdict(judged.verdict, "growing", "leaking")} and ${onSlot} ${processInfo.memoryLimit.name}{source="node"}`,
      for: capacity.noLimitFor,
      labels: alertLabels(alerts.noMemoryLimit),
      annotations: slotText(
        "growing without a memory limit",
        "It would take the memory of the whole machine.",
        alerts.noMemoryLimit.name,
        { value: undefined },
      ),
    },
    {
      alert: alerts.heapNearLimit.name,
      expr: `${processMetrics.anonymousMemory.name} / ${processMetrics.heapLimit.name} > ${heap.nearLimit}
and ${onSlot} ${processInfo.heapLimit.name}{runtime="v8"}`,
      for: heap.for,
      labels: alertLabels(alerts.heapNearLimit),
      annotations: levelText(
        "runtime's heap nearly full",
        "Its runtime exits with an out-of-memory error when the heap reaches its maximum, whatever is left of the memory limit.",
        alerts.heapNearLimit.name,
      ),
    },
    {
      alert: alerts.descriptorLeak.name,
      expr: `${judged.timeToFdLimit.name} < ${round(countLimit.within)}`,
      for: countLimit.for,
      labels: alertLabels(alerts.descriptorLeak),
      annotations: countText(
        "leaking file descriptors",
        "descriptors are open",
        { now: processMetrics.openFds.name, limit: processMetrics.maxFds.name },
        alerts.descriptorLeak.name,
      ),
    },
    {
      alert: alerts.threadLeak.name,
      expr: `${judged.timeToThreadLimit.name} < ${round(countLimit.within)}`,
      for: countLimit.for,
      labels: alertLabels(alerts.threadLeak),
      annotations: countText(
        "leaking threads",
        "threads run",
        { now: processMetrics.threads.name, limit: processMetrics.maxThreads.name },
        alerts.threadLeak.name,
      ),
    },
  ],
});
