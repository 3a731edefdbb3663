// What becomes of an alert's condition over time, as a Prometheus server goes about it.
// https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/

import type { AlertRule } from "../../alerts/rule.ts";
import { type Column, type LabelSet, mergeSame, type Samples, type Vector, withoutName } from "../promql/series.ts";

/** A stretch in which an alert fired. Seconds on the clock of the samples. */
export interface Episode {
  readonly alert: string;
  readonly labels: LabelSet;
  readonly start: number;
  /** Undefined when it still fires at the end. */
  readonly end: number | undefined;
}

/** One alert for each element of `condition`, which is what the rule's expression gave at these times. */
export function runAlert(
  rule: AlertRule,
  condition: Vector,
  times: Float64Array,
): {
  episodes: readonly Episode[];
  /** What a server writes for other rules to read, where something fired. */
  series: readonly Samples[];
} {
  const episodes: Episode[] = [];
  const series: Samples[] = [];
  const elements = condition.map(({ labels, values }) => ({ labels: withoutName(labels), values }));
  for (const column of mergeSame(elements, times)) {
    const { labels, firing, found } = runElement(rule, column, times);
    if (found.length === 0) continue;
    episodes.push(...found);
    series.push({
      labels: { __name__: "ALERTS", ...labels, alertname: rule.alert, alertstate: "firing" },
      times,
      values: firing,
    });
  }
  return { episodes, series };
}

/** Pending until the condition held for `for`, firing from then on, and for `keep_firing_for` after it ended. */
function runElement(rule: AlertRule, { labels: own, values }: Column, times: Float64Array) {
  const labels: LabelSet = { ...own, ...rule.labels };
  const firing = new Float64Array(times.length).fill(Number.NaN);
  const found: Episode[] = [];
  const keep = rule.keepFiringFor ?? 0;
  let activeSince: number | undefined;
  let firedAt: number | undefined;
  let goneSince: number | undefined;
  for (let i = 0; i < times.length; i++) {
    const t = times[i] as number;
    if (!Number.isNaN(values[i] as number)) {
      goneSince = undefined;
      activeSince ??= t;
      if (firedAt === undefined && t - activeSince >= rule.for) firedAt = t;
    } else {
      activeSince = undefined;
      goneSince ??= t;
      if (firedAt !== undefined && t - goneSince >= keep) {
        found.push({ alert: rule.alert, labels, start: firedAt, end: t });
        firedAt = undefined;
      }
    }
    if (firedAt !== undefined) firing[i] = 1;
  }
  if (firedAt !== undefined) found.push({ alert: rule.alert, labels, start: firedAt, end: undefined });
  return { labels, firing, found };
}
