// This exporter's own series in a server: everything that the rules read, of one group after another.

import type { RuleGroup } from "../../alerts/rule.ts";
import type { Metric } from "../../catalog/metric.ts";
import { groupMetrics, processInfo, processMetrics, recentMetrics } from "../../catalog/metrics.ts";
import type { PrometheusApi } from "../prometheus/api.ts";
import { selectorsOf } from "../promql/ast.ts";
import { parsePromql } from "../promql/parse.ts";
import { groupBy, type LabelSet, type Samples, signature } from "../promql/series.ts";
import { tracedGroups } from "./builtin.ts";
import { fetchRange } from "./fetch-range.ts";
import type { HistoryOptions, Watch } from "./history.ts";
import { selectorText } from "./selector.ts";

export const leakwatchMetric = processMetrics.residentMemory.name;

export async function leakwatchSource(
  api: PrometheusApi,
  rules: readonly RuleGroup[],
  { match, ...stretch }: HistoryOptions,
): Promise<Watch> {
  const found = await api.series(selectorText(leakwatchMetric, {}, match.matchers), stretch.from, stretch.to);
  const read = metricsRead(rules);
  const groups = groupBy(found, (labels) => signature(identityOf(processMetrics.residentMemory, labels)));
  return {
    what: `${leakwatchMetric} of ${found.length} processes in ${groups.size} groups`,
    watched: [...groups.values()].map((slots) => {
      const labels = identityOf(processMetrics.residentMemory, slots[0] as LabelSet);
      return {
        labels,
        processes: slots.length,
        async series() {
          const series = new Map<string, Samples[]>();
          for (const metric of read) {
            const all = await fetchRange(api, selectorText(metric.name, labels), stretch);
            // a selector cannot say that there are no other labels
            const own = all.filter((one) => signature(identityOf(metric, one.labels)) === signature(labels));
            if (own.length > 0) series.set(metric.name, own);
          }
          return series;
        },
      };
    }),
  };
}

/** What the rules read of a process group. */
function metricsRead(rules: readonly RuleGroup[]): Metric[] {
  const read = new Set(
    tracedGroups(rules).flatMap((group) =>
      group.rules.flatMap(({ expr }) => [...selectorsOf(parsePromql(expr))].map(({ name }) => name)),
    ),
  );
  const perGroup = [processMetrics, recentMetrics, processInfo, groupMetrics].flatMap((metrics) =>
    Object.values(metrics),
  );
  return perGroup.filter(({ name }) => read.has(name));
}

/** The labels of the group, and of where it was scraped. */
function identityOf(metric: Metric, labels: LabelSet): LabelSet {
  const own = new Set(["__name__", ...metric.labels.filter((label) => label !== "group")]);
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !own.has(label)));
}
