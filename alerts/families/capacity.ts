// High but level, and no limit at all: not leaks, and never called so.

import { alertLabels, alerts } from "../../catalog/alerts.ts";
import type { Detection } from "../../catalog/detection.ts";
import { listed, slotLabels } from "../../catalog/labels.ts";
import { processInfo, processMetrics, recentMetrics as recent } from "../../catalog/metrics.ts";
import { slotRecordings as slot, sparseRecordings as sparse } from "../../catalog/recordings.ts";
import { levelText, slotText } from "../annotations.ts";
import { growthWhere, round, youngerThan } from "../promql.ts";
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
        alert: alerts.memoryNearLimit.name,
        expr: `${sparse.nearLimit.name} and ${slot.growth.name} unless ${sparse.notable.name} unless ${youngerThan(floorAge.hour, d)}`,
        for: capacity.for,
        labels: alertLabels(alerts.memoryNearLimit),
        annotations: levelText(
          "is near its memory limit, and level",
          "It does not grow: this is a matter of room, not a leak.",
          alerts.memoryNearLimit.name,
          "high_stable",
        ),
      },
      {
        alert: alerts.noMemoryLimit.name,
        expr: growthWhere(`(${sparse.notable.name} > ${round(dailyGrowth.warmingUp / dailyGrowth.per)} * ${slot.hourFloor.name})
and on (${listed(slotLabels)}) ${processInfo.memoryLimit.name}{source="node"}`),
        for: capacity.noLimitFor,
        labels: alertLabels(alerts.noMemoryLimit),
        annotations: slotText(
          "grows and has no memory limit",
          "It would take the memory of the whole machine.",
          alerts.noMemoryLimit.name,
        ),
      },
    ],
  };
};
