// The types are the test: `tsc` fails on a line that should not compile and does, and on one that should and does not.

import { describe, expect, test } from "vitest";
import { counter, gauge, type Labels } from "../../catalog/metric.ts";
import { metricFamilies, type processMetrics } from "../../catalog/metrics.ts";

type ProcessLabels = Labels<typeof processMetrics.residentMemory>;

describe("a metric's labels", () => {
  test("must be given all, and no others", () => {
    const right: ProcessLabels = { group: "api", slot: "0" };
    // @ts-expect-error slot is missing
    const missing: ProcessLabels = { group: "api" };
    // @ts-expect-error pid is no label of this metric
    const extra: ProcessLabels = { group: "api", slot: "0", pid: "1" };
    // @ts-expect-error a slot is a text
    const wrong: ProcessLabels = { group: "api", slot: 0 };
    expect([right, missing, extra, wrong]).toHaveLength(4);
  });
});

describe("a metric's name", () => {
  test("must carry prefix, unit and, for counters, _total", () => {
    const right = gauge("leakwatch_process_swap_bytes", "", { unit: "bytes" });
    // @ts-expect-error no prefix
    const prefix = gauge("process_swap_bytes", "", { unit: "bytes" });
    // @ts-expect-error the unit is not in the name
    const unit = gauge("leakwatch_process_swap", "", { unit: "bytes" });
    // @ts-expect-error a counter ends in _total
    const total = counter("leakwatch_restarts", "");
    expect([right, prefix, unit, total]).toHaveLength(4);
  });

  test("is given once", () => {
    const names = metricFamilies.flatMap(({ metrics }) => metrics.map(({ name }) => name));
    expect(names).toHaveLength(new Set(names).size);
  });

  test("has a help text that is one sentence or more", () => {
    for (const { metrics } of metricFamilies) {
      for (const { name, help } of metrics) expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
    }
  });
});
