// The words of alerts: one plain sentence, then the numbers a person wants at night, in units that a person reads. Values
// that an alert's own expression does not have are asked for by a query in the template.
// https://prometheus.io/docs/prometheus/latest/configuration/template_reference/

import { links } from "../catalog/links.ts";
import { groupMetrics, processMetrics } from "../catalog/metrics.ts";
import { groupRecordings as group, slotRecordings as slot } from "../catalog/recordings.ts";
import { duration } from "./promql.ts";

type Annotations = { summary: string; description: string; runbook_url: string; dashboard_url: string };

const slotLabels = ["cluster", "namespace", "job", "instance", "group", "slot"];
const groupLabels = ["cluster", "namespace", "job", "instance", "group"];

/** The value of an expression around one series of the alert's own labels, as text; a dash where there is none. */
function value(series: string, labels: readonly string[], format: string, around = "%s"): string {
  const selector = `${series}{${labels.map((label) => `${label}=%q`).join(",")}}`;
  const values = labels.map((label) => `$labels.${label}`).join(" ");
  return `{{ with printf \`${around.replace("%s", selector)}\` ${values} | query }}{{ . | first | value | ${format} }}{{ else }}–{{ end }}`;
}

const bytes = "humanize1024";

/** About one process. `does` completes the sentence "api (slot 0) …". */
export function slotText(does: string, evidence: string, alert: string): Annotations {
  const of = (series: string, format: string, around?: string) => value(series, slotLabels, format, around);
  const facts = [
    `Growth ${of(slot.growth.name, bytes, "%s * 3600")}B per hour, confidence ${of(slot.confidence.name, "humanizePercentage")}.`,
    `Memory ${of(processMetrics.residentMemory.name, bytes)}B of ${of(processMetrics.memoryLimit.name, bytes)}B,`,
    `at this pace the limit is reached in ${of(slot.timeToOom.name, "humanizeDuration")}.`,
  ];
  return {
    summary: `{{ $labels.group }} (slot {{ $labels.slot }}) ${does}.`,
    description: [evidence, ...facts].filter((text) => text !== "").join(" "),
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("process", "24h", ["group", "slot"]),
  };
}

/** About a count with a limit of its own: descriptors, threads. */
export function countText(does: string, what: string, current: string, alert: string): Annotations {
  return {
    summary: `{{ $labels.group }} (slot {{ $labels.slot }}) ${does}.`,
    description: `${value(current, slotLabels, "humanize")} ${what} are open; the limit is reached in {{ $value | humanizeDuration }} at this pace.`,
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("process", "24h", ["group", "slot"]),
  };
}

/** About a group. */
export function groupText(does: string, evidence: string, alert: string): Annotations {
  const of = (series: string, format: string, around?: string) => value(series, groupLabels, format, around);
  const day = duration(86_400);
  const facts = [
    `In the last day ${of(group.livesEnded.name, "humanize", `sum_over_time(%s[${day}:1h])`)} lives ended,`,
    `${of(group.livesEndedGrowing.name, "humanize", `sum_over_time(%s[${day}:1h])`)} of them still growing,`,
    `${of(group.oomRestarts.name, "humanize", `sum_over_time(%s[${day}:1h])`)} by an OOM kill.`,
    `The last one ended at ${of(groupMetrics.lastEndMemoryLimit.name, "humanizePercentage")} of its limit.`,
  ];
  return {
    summary: `{{ $labels.group }} ${does}.`,
    description: [evidence, ...facts].filter((text) => text !== "").join(" "),
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("restarts", "7d", ["group"]),
  };
}

/** About leakwatch itself. */
export function healthText(summary: string, description: string, alert: string): Annotations {
  return { summary, description, runbook_url: links.runbook(alert), dashboard_url: dashboard("exporter", "6h", []) };
}

function dashboard(uid: Parameters<typeof links.dashboard>[0], range: string, variables: readonly string[]): string {
  const query = variables.map((label) => `&var-${label}={{ $labels.${label} | urlquery }}`).join("");
  return `${links.dashboard(uid)}?from=now-${range}&to=now${query}`;
}
