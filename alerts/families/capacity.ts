// High but level, and no limit at all: not leaks, and never called so.

import type { Detection } from "../../catalog/detection.ts";
import { processInfo, processMetrics } from "../../catalog/metrics.ts";
import { slotRecordings as slot } from "../../catalog/recordings.ts";
import { levelText, slotText } from "../annotations.ts";
import { round, slotLabels, youngerThan } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";

export const capacityAlerts = (d: Detection): RuleGroup => {
  const { evaluation, capacity, dailyGrowth, floorAge } = d;
  return {
    name: "leakwatch-capacity",
    interval: evaluation.slow,
    rules: [
      {
        alert: "LeakwatchMemoryNearLimit",
        expr: `${slot.peak.name} > ${capacity.nearLimit} * ${processMetrics.memoryLimit.name}
and ${slot.growth.name} < ${round(dailyGrowth.bounded / dailyGrowth.per)} * ${slot.hourFloor.name}
unless ${youngerThan(floorAge.hour, d)}`,
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
        expr: `${slot.growth.name} > ${round(dailyGrowth.warmingUp / dailyGrowth.per)} * ${slot.hourFloor.name}
and on (${slotLabels}) ${processInfo.memoryLimit.name}{source="node"}`,
        for: capacity.noLimitFor,
        labels: { severity: "info", class: "capacity" },
        annotations: slotText(
          "grows and has no memory limit",
          "It would take the memory of the whole machine.",
          "LeakwatchNoMemoryLimit",
        ),
      },
    ],
  };
};
