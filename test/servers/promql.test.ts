// Our evaluation of PromQL against a real Prometheus: the same numbers.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BlockWriter } from "../../exporter/backtest/blocks.ts";
import { sampleValue } from "../../exporter/prometheus/api.ts";
import { PrometheusServer } from "../../exporter/prometheus/server.ts";
import { Workspace } from "../../exporter/prometheus/workspace.ts";
import { evaluate, type Source } from "../../exporter/promql/evaluate.ts";
import { parsePromql } from "../../exporter/promql/parse.ts";
import type { LabelSet, Samples } from "../../exporter/promql/series.ts";
import { randomNumbers } from "../support/memory-curves.ts";

const minute = 60;
const hour = 60 * minute;
const week = 7 * 24 * hour;

/** A Prometheus with these series in its database, for all tests of a block. */
function prometheusWith(series: () => readonly Samples[]) {
  const running = {} as { workspace: Workspace; server: PrometheusServer };
  beforeAll(async () => {
    running.workspace = new Workspace();
    const data = running.workspace.path("data");
    const blocks = new BlockWriter(running.workspace, data);
    for (const samples of series()) await blocks.add(samples);
    await blocks.end();
    running.server = await PrometheusServer.start(running.workspace, data);
  });
  afterAll(() => running.workspace?.close());
  return running;
}

// We do as Prometheus 3 does. What 2 does differently is not compared: it takes in the sample at the far end of a window, so
// samples lie 7 s and evaluations 30 s off the minute; and it extrapolates counters near 0 in another way.
describe("PromQL", () => {
  const begin = 2000 * week;
  const times = Float64Array.from({ length: 60 }, (_, i) => begin + 3 * hour + i * 5 * minute + 30);

  /** Six hours of a walk by the minute, with holes longer and shorter than the lookback, and resets in it. */
  function walk(labels: LabelSet, seed: number): Samples {
    const random = randomNumbers(seed);
    const samples: [number, number][] = [];
    let value = 100 * random();
    for (let i = 0; i < 8 * 60; i++) {
      value = random() < 0.02 ? 10 * random() : value + 10 * random() - 3;
      if (random() < 0.02) i += Math.floor(20 * random());
      samples.push([begin + i * minute + 7, Math.round(value * 1000) / 1000]);
    }
    return { labels, times: samples.map(([t]) => t), values: samples.map(([, v]) => v) };
  }

  const series = [
    ...["1", "2", "3"].map((x) => walk({ __name__: "a", x, y: x === "3" ? "q" : "p" }, Number(x))),
    walk({ __name__: "b", x: "1", y: "p" }, 4),
    walk({ __name__: "b", x: "2", y: "p" }, 5),
    walk({ __name__: "c", y: "p", z: "r" }, 6),
    walk({ __name__: "c", y: "q", z: 's"\\' }, 7),
    walk({ __name__: "d", x: "1", y: "p", z: "r" }, 8),
  ];
  const source: Source = { series: (name) => series.filter(({ labels }) => labels["__name__"] === name) };
  const running = prometheusWith(() => series);

  type Table = Record<string, (number | undefined)[]>;
  const keyOf = (labels: LabelSet) => JSON.stringify(Object.entries(labels).sort());

  async function theirs(expr: string): Promise<Table> {
    const [first, last] = [times[0] as number, times[times.length - 1] as number];
    const results = await running.server.api.range(expr, first, last, 5 * minute);
    return Object.fromEntries(
      results.map(({ metric, values }) => {
        const known = new Map(values.map(([t, text]) => [t, sampleValue(text)]));
        return [keyOf(metric), Array.from(times, (t) => known.get(t))];
      }),
    );
  }

  function ours(expr: string): Table {
    const columns = evaluate(parsePromql(expr), source, times).filter(({ values }) => !values.every(Number.isNaN));
    return Object.fromEntries(
      columns.map(({ labels, values }) => [
        keyOf(labels),
        Array.from(values, (value) => (Number.isNaN(value) ? undefined : value)),
      ]),
    );
  }

  test.each([
    ...["a", "a offset 17m", "a offset -3m", 'a{x=~"1|2"}', 'a{x!="1"}', 'a{y!~"q.*"}', 'c{z="s\\"\\\\"}', "missing"],
    ...["min", "max", "sum", "avg", "count", "last", "present"].map((name) => `${name}_over_time(a[17m])`),
    ...[
      "changes(a[1h])",
      "deriv(a[23m])",
      "predict_linear(a[1h], 3600)",
      "rate((a + 1000)[13m:1m])",
      "max_over_time(a[40s])",
    ],
    ...[
      "min_over_time(a[1h:10m])",
      "count_over_time((a > 50)[2h:7m])",
      "max_over_time(sum by (y) (a)[1h:5m] offset 20m)",
    ],
    ...["avg_over_time(min_over_time(a[10m])[1h:15m])", "sum_over_time(last_over_time(a[10m] offset 30m)[2h:1h])"],
    ...[
      "a + b",
      "a - on (x, y) b",
      "a * ignoring (z) d",
      "b / a",
      "a % 7",
      "abs(a) ^ 0.5",
      "2 ^ 3 ^ 2 + 0 * a",
      "-a ^ 2",
    ],
    ...[
      "a / 0",
      "-1 - a * 2 + 3",
      "a * on (y) group_left c",
      "a * on (y) group_left (z) c",
      "c - on (y) group_right (z) a",
    ],
    ...["a > 50", "50 < a", "a > bool 50", "a > b", "a >= on (x) b", "a <= ignoring (z) d", "a == a", "a != bool b"],
    ...["a > 20 < 80", "a > 20 and a < 80", "a and on (x) d", "a unless on (x) b", "a or c", "(a > 50) or (a * 0 - 1)"],
    ...["a and ignoring (x) c", "a or on (y) c", "d or on (x) a", "a unless d", "a and on () d > 30"],
    ...["sum(a)", "sum by (y) (a)", "min without (x) (a)", "max by (x, y) (b)", "avg(a)", "count by (y) (a > 40)"],
    ...["group(a)", "sum by (nothing) (a)", "count(a) > bool 2"],
    ...["time() - a", "time()", "vector(7)", "clamp_min(a, 40)", "clamp_max(a, 10 * 6)", "floor(a)", "ceil(a / 3)"],
    ...["sgn(a - 50)", "abs(a - 50)", "sqrt(abs(a))"],
    ...[`label_replace(a, "w", "$1-$2", "y", "(.)(.*)")`, `label_replace(a, "y", "", "x", "1")`],
    ...[`label_replace(0 * a + 3, "verdict", "stable", "", "")`],
  ])("%s", async (expr) => {
    const [expected, found] = [await theirs(expr), ours(expr)];
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, values] of Object.entries(expected)) {
      for (const [i, value] of values.entries()) {
        const own = found[key]?.[i];
        const where = `${key} at ${times[i]}`;
        if (value === undefined || own === undefined) expect(own, where).toBe(value);
        // sums are not made in the same order
        else if (own !== value) expect(Math.abs(own - value), where).toBeLessThan(1e-9 * Math.max(1, Math.abs(value)));
      }
    }
  });

  test.each([
    ["several on the left", "a + on (y) c"],
    ["several on the right", "c + on (y) a"],
    ["several on the one side of many", "c * on (y) group_left b"],
    ["the same labels in the end", 'label_replace(a, "x", "0", "", "")'],
  ])("both refuse %s", async (_, expr) => {
    await expect(theirs(expr)).rejects.toThrow(/many-to-many|many-to-one|same labelset|duplicate/);
    expect(() => ours(expr)).toThrow("several elements have the labels");
  });
});
