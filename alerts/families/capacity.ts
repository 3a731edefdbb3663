// High but level, and no limit at all: not leaks, and never called so.

import { processInfo, processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings as slot } from "../../catalog/recordings.ts";
import { capacity, dailyGrowth, evaluation, floorAge } from "../../catalog/windows.ts";
import { levelText, slotText } from "../annotations.ts";
import { olderThan } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";

export const capacityAlerts = (): RuleGroup => ({
  name: "leakwatch-capacity",
  interval: evaluation.slow,
  rules: [
    {
      alert: "LeakwatchMemoryNearLimit",
      expr: `${slot.peak.name} > ${capacity.nearLimit} * ${processMetrics.memoryLimit.name}
and ${slot.growth.name} * 86400 < ${dailyGrowth.bounded} * ${slot.hourFloor.name}
and ${olderThan(floorAge.hour)}`,
      for: capacity.for,
      labels: { severity: "warning", class: "capacity" },
      annotations: levelText(
        "is near its memory limit, and level",
        "It does not grow: this is a matter of room, not a leak.",
        "LeakwatchMemoryNearLimit",
        "high_stable",
      ),
    },
    {
      alert: "LeakwatchNoMemoryLimit",
      expr: `${slot.growth.name} * 86400 > ${dailyGrowth.warmingUp} * ${slot.hourFloor.name}
and on (cluster, namespace, job, instance, group, slot) ${processInfo.memoryLimit.name}{source="node"}`,
      for: 6 * 3600,
      labels: { severity: "info", class: "capacity" },
      annotations: slotText(
        "grows and has no memory limit",
        "It would take the memory of the whole machine.",
        "LeakwatchNoMemoryLimit",
      ),
    },
  ],
});
