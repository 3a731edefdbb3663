// Which series an expression reads, and which there are.

import { metricFamilies } from "../../catalog/metrics.ts";
import { recordings } from "../../catalog/recordings.ts";

/** What others export: Prometheus itself, and the client library in the exporter. */
const foreign = [
  "ALERTS",
  "up",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
  "prometheus_rule_evaluation_failures_total",
  "prometheus_rule_group_interval_seconds",
  "prometheus_rule_group_iterations_missed_total",
  "prometheus_rule_group_last_duration_seconds",
  "prometheus_rule_group_last_evaluation_timestamp_seconds",
];

export const knownSeries: ReadonlySet<string> = new Set([
  ...metricFamilies.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
  ...recordings.map(({ name }) => name),
  ...foreign,
]);

/** The names of the series in an expression: words that are no functions, keywords, labels or durations. */
export function seriesIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, "")
    .replaceAll(/\b(on|ignoring|by|without|group_left|group_right)\s*\([^)]*\)/g, " ")
    .replaceAll(/\boffset\s+\w+/g, " ");
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?![\w:]|\s*\()/g)]
    .filter(({ index }) => !/[\w.]/.test(bare[index - 1] ?? " ")) // not the e of 1e3
    .map(([name]) => name)
    .filter((name) => !["and", "or", "unless", "bool", "sum", "count", "Inf"].includes(name));
}
