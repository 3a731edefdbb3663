// The exporter on itself, through prom-client: its default process and nodejs metrics, and what selfMetrics declares.

import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Labels, Metric } from "../../catalog/metric.ts";
import { selfMetrics } from "../../catalog/metrics.ts";

/** Values as they are at a scrape, by metric; undefined is not known and has no series. */
export type SelfSamples = {
  readonly [K in keyof typeof selfMetrics]: readonly (readonly [
    labels: Labels<(typeof selfMetrics)[K]>,
    value: number | undefined,
  ])[];
};

/** Gauges that are named like counters, which promtool refuses. Each is the sum of one that is kept. */
const sumsCalledTotal = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

/** Milliseconds between two looks at the event loop's delay. At the default of 10 they cost a fifth of a percent of a core. */
export const eventLoopLook = 100;

/** Classic exposition text of a registry of its own, so that two exporters in one process do not meet. */
export function selfMetricsText(collect: () => SelfSamples): () => Promise<string> {
  const register = new Registry();
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: eventLoopLook });
  for (const name of sumsCalledTotal) register.removeSingleMetric(name);
  const declared = (Object.keys(selfMetrics) as (keyof SelfSamples)[]).map((key) => ({
    key,
    client: declare(selfMetrics[key], register),
  }));
  return () => {
    const samples = collect();
    for (const { key, client } of declared) {
      client.reset();
      // reset leaves a metric without labels at 0, which would be a value that nobody measured
      if (samples[key].every(([, value]) => value === undefined)) client.remove({});
      for (const [labels, value] of samples[key]) if (value !== undefined) client.inc(labels, value);
    }
    return register.metrics();
  };
}

function declare({ name, help, type, labels }: Metric, register: Registry): Counter | Gauge {
  const options = { name, help, labelNames: labels, registers: [register] };
  return type === "counter" ? new Counter(options) : new Gauge(options);
}
