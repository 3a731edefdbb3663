// The alerts of class leak: the exporter has judged, the rules ask for its severity. Each kind is one alert with its severities.

import { alertLabels, alerts, type Severity } from "../../catalog/alerts.ts";
import { groupMetrics, judgeMetrics as judged, outsideMetrics as outside } from "../../catalog/metrics.ts";
import { groupRecordings } from "../../catalog/recordings.ts";
import type { Rules } from "../../detection/rules.ts";
import { cgroupText, maskedText, slotText } from "../annotations.ts";
import { all, duration, round, withVerdict } from "../promql.ts";
import type { AlertRule, RuleGroup } from "../rule.ts";

export const leakAlerts = (d: Rules): RuleGroup => ({
  name: "leakwatch-leaks",
  interval: d.evaluation.fast,
  rules: [
    leakAlert(d, "critical", "== 4"),
    leakAlert(d, "warning", ">= 2 < 4"),
    slowLeakAlert(d),
    ...d.oomPredicted.map((one) => predictedAlert(d, one)),
    maskedAlert(d),
    outsideAlert(d, "critical", `${outside.severity.name} == 4`),
    outsideAlert(d, "warning", `${outside.severity.name} >= 1 < 4`),
  ],
});

const grows = "It grows as leaks do: steadily, without slowing down, and to new highs.";

/** Its value is the time left; never, where a leak pauses. */
function leakAlert({ keepFiring, leak }: Rules, severity: Severity, ofSeverity: string): AlertRule {
  const { name } = alerts.memoryLeak;
  return {
    alert: name,
    expr: `${judged.timeToOom.name} and ${judged.severity.name} ${ofSeverity}\nor Inf * (${judged.severity.name} ${ofSeverity})`,
    for: leak.for,
    keepFiringFor: keepFiring.leak,
    labels: alertLabels(alerts.memoryLeak, severity),
    annotations: slotText("leaking memory", grows, name, { value: "time left", verdict: "leaking" }),
  };
}

/** Its value is the growth per hour; none, where a leak pauses. There may be many: their text asks for nothing else. */
function slowLeakAlert({ keepFiring, leak }: Rules): AlertRule {
  const { name } = alerts.memoryLeak;
  return {
    alert: name,
    expr: `3600 * ${judged.leakGrowth.name} and ${judged.severity.name} == 1\nor 0 * (${judged.severity.name} == 1)`,
    for: leak.for,
    keepFiringFor: keepFiring.leak,
    labels: alertLabels(alerts.memoryLeak, "info"),
    annotations: slotText("leaking memory slowly", grows, name, { value: "growth", verdict: "leaking" }),
  };
}

/** A leak that is this near its limit. */
function predictedAlert(
  { keepFiring }: Rules,
  { within, leakSeverity, severity, for: hold }: Rules["oomPredicted"][number],
): AlertRule {
  const { name } = alerts.oomPredicted;
  return {
    alert: name,
    expr: `${judged.timeToOom.name} < ${round(within)} and ${judged.severity.name} >= ${leakSeverity}`,
    for: hold,
    keepFiringFor: keepFiring.oomPredicted,
    labels: alertLabels(alerts.oomPredicted, severity),
    annotations: slotText(`OOM predicted within ${duration(within)}`, "It is leaking.", name, {
      value: "time left",
      verdict: "leaking",
    }),
  };
}

/** By one exporter that saw the exits, or by Prometheus where each pod has its own. */
function maskedAlert(d: Rules): AlertRule {
  const { keepFiring } = d;
  return {
    alert: alerts.memoryLeakMasked.name,
    expr: `${withVerdict(groupMetrics.verdict, "masked_leak")}\nor ${maskedPods(d)}`,
    for: 0,
    keepFiringFor: keepFiring.masked,
    labels: alertLabels(alerts.memoryLeakMasked),
    annotations: maskedText(
      "restarts are masking a memory leak",
      "Most of its processes were still growing when they exited.",
      "First: keep the restarts; take a heap snapshot shortly before the next one.",
      alerts.memoryLeakMasked.name,
    ),
  };
}

function maskedPods({ maskedPods: { over, count, share, lately, earlier }, evaluation: { fast } }: Rules): string {
  const { name } = groupRecordings.podsEndedGrowing;
  const ended = all(name, over, fast);
  const before = `${all(name, over - lately, fast)} offset ${duration(lately)}`;
  return `(avg_over_time(${ended}) >= ${round(share)} and count_over_time(${ended}) > ${count - 0.5} and count_over_time(${before}) > ${earlier - 0.5})`;
}

function outsideAlert({ keepFiring, leak }: Rules, severity: Severity, expr: string): AlertRule {
  return {
    alert: alerts.memoryLeakOutside.name,
    expr,
    for: leak.for,
    keepFiringFor: keepFiring.leak,
    labels: alertLabels(alerts.memoryLeakOutside, severity),
    annotations: cgroupText(
      "memory outside its processes is leaking",
      "It belongs to none of the processes in this cgroup: files in tmpfs, socket buffers or kernel memory.",
      "First: compare the files below /dev/shm and in memory-backed volumes with those of an hour ago.",
      alerts.memoryLeakOutside.name,
    ),
  };
}
