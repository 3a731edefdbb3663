// High but level, and no limit at all: not leaks, and never called so.

import type { Detection } from "../../catalog/detection.ts";
import { processInfo, processMetrics, recentMetrics as recent } from "../../catalog/metrics.ts";
import { slotRecordings as slot, sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { levelText, slotText } from "../annotations.ts";
import { growthWhere, round, slotLabels, youngerThan } from "../promql.ts";
import type { RuleGroup } from "../rule.ts";

export const capacityAlerts = (d: Detection): RuleGroup => {
  const { evaluation, capacity, dailyGrowth, floorAge } = d;
  return {
    name: "leakwatch-capacity",
    interval: evaluation.slow,
    rules: [
      {
        record: sparse.nearLimit.name,
        expr: `${recent.peak.name} > ${capacity.nearLimit} * ${processMetrics.memoryLimit.name}`,
      },
      {
        alert: "LeakwatchMemoryNearLimit",
        expr: `${sparse.nearLimit.name} and ${slot.growth.name} unless ${sparse.notable.name} unless ${youngerThan(floorAge.hour, d)}`,
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
        expr: growthWhere(`(${sparse.notable.name} > ${round(dailyGrowth.warmingUp / dailyGrowth.per)} * ${slot.hourFloor.name})
and on (${slotLabels}) ${processInfo.memoryLimit.name}{source="node"}`),
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
