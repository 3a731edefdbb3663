import { describe, expect, test } from "vitest";
import { growthLabels, judgeMetrics, processMetrics } from "../../catalog/metrics.ts";
import { column, columnCount, columns, ProcessTable } from "../../exporter/memory/process-table.ts";
import { statusFields } from "../../exporter/procfs/status.ts";

describe("columns", () => {
  test("are every process metric, once, and one for each window of growth behind them", () => {
    const { growth, verdict, ...judged } = judgeMetrics;
    expect(columns.map(({ name }) => name).toSorted()).toEqual(
      Object.values({ ...processMetrics, ...judged })
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(columnCount).toBe(columns.length + growthLabels.length);
    expect(growth.labels).toContain("window");
    expect(verdict.labels).toContain("verdict");
  });

  test("begin with what a status file gives, in its order, so that it can be parsed straight into a row", () => {
    expect(statusFields.map(({ label }, i) => [label, columns[i]?.name])).toEqual([
      ["VmSize", "leakwatch_process_virtual_memory_bytes"],
      ["VmHWM", "leakwatch_process_peak_resident_memory_bytes"],
      ["VmRSS", "leakwatch_process_resident_memory_bytes"],
      ["RssAnon", "leakwatch_process_anonymous_memory_bytes"],
      ["RssFile", "leakwatch_process_file_memory_bytes"],
      ["RssShmem", "leakwatch_process_shared_memory_bytes"],
      ["VmSwap", "leakwatch_process_swap_bytes"],
      ["Threads", "leakwatch_process_threads"],
    ]);
  });

  test.each(Object.entries(column))("%s is where its metric is", (name, index) => {
    expect(columns[index]).toBe({ ...processMetrics, ...judgeMetrics }[name as keyof typeof column]);
  });
});

describe("ProcessTable", () => {
  const row = (table: ProcessTable, at: number) => [...table.values.subarray(at * columnCount, (at + 1) * columnCount)];
  const unknown = Array(columnCount).fill(Number.NaN);

  test("gives every process a row of its own, all values unknown", () => {
    const table = new ProcessTable();
    const [first, second] = [table.addRow(), table.addRow()];
    expect(first).not.toBe(second);
    expect(row(table, first)).toEqual(unknown);
    table.set(first, column.residentMemory, 4096);
    expect(table.get(first, column.residentMemory)).toBe(4096);
    expect(row(table, second)).toEqual(unknown);
  });

  test("gives a row that was freed to the next process, without what was in it", () => {
    const table = new ProcessTable();
    const first = table.addRow();
    table.set(first, column.startTime, 1_795_213_000);
    table.freeRow(first);
    expect(table.addRow()).toBe(first);
    expect(row(table, first)).toEqual(unknown);
  });

  test("keeps every value when it grows", () => {
    const table = new ProcessTable();
    const rows = Array.from({ length: 1000 }, () => table.addRow());
    for (const at of rows) table.set(at, column.uniqueMemory, at); // the last column
    expect(new Set(rows).size).toBe(1000);
    expect(rows.map((at) => table.get(at, column.uniqueMemory))).toEqual(rows);
  });

  test("forgets what is read at every pass, and keeps what was read once", () => {
    const table = new ProcessTable();
    const [at, next] = [table.addRow(), table.addRow()];
    for (let col = 0; col < columnCount; col++) {
      table.set(at, col, 1);
      table.set(next, col, 2);
    }
    table.clearReadings(at);
    const left = columns.filter((_, col) => !Number.isNaN(table.get(at, col))).map(({ name }) => name);
    expect(left).toEqual([
      "leakwatch_process_max_fds",
      "leakwatch_process_max_threads",
      "leakwatch_process_start_time_seconds",
      "leakwatch_process_memory_limit_bytes",
      "leakwatch_process_heap_limit_bytes",
      "leakwatch_process_proportional_memory_bytes",
      "leakwatch_process_unique_memory_bytes",
    ]);
    expect(row(table, next)).toEqual(Array(columnCount).fill(2));
  });
});
