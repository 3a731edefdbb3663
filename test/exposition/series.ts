// The series of an exposition text, and what the catalogue says of them.

import type { Metric } from "../../catalog/metric.ts";
import { metricFamilies } from "../../catalog/metrics.ts";

export interface Series {
  metric: string;
  labels: readonly string[] | undefined;
}

const declared = new Map(
  metricFamilies.flatMap(({ metrics }) => metrics.map(({ name, labels }: Metric) => [name, labels] as const)),
);

/** The series with the labels that the catalogue gives it; none for one that it does not have. */
export function asDeclared({ metric }: Series): Series {
  return { metric, labels: declared.get(metric) };
}

/** Name and label names of each sample line. Label values may hold commas, braces and escaped quotes. */
export function seriesOf(text: string): Series[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, metric, labels = ""] = /^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? \S+$/.exec(line) ?? [];
      if (metric === undefined) throw new Error(`not a sample: ${line}`);
      return { metric, labels: [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, name]) => name as string) };
    });
}
