import { describe, expect, test } from "vitest";
import { makeFleet } from "./fleet.ts";
import { encodeLabels, encodeWrite, uncompressed } from "./remote-write.ts";
import { longestRawRange, parseRuleFile, reaches } from "./rule-file.ts";

const hour = 3600;

const groups = parseRuleFile(`
groups:
  - name: leaks
    interval: 1m
    rules:
      - alert: Leak
        expr: leakwatch_process_leak_severity > 0 and max_over_time(leakwatch_process_open_fds[30m] offset 1h) > 1
  - name: restarts
    interval: 1m
    rules:
      - record: group:leakwatch_incidents:sum
        expr: leakwatch_group_oom_kills_total
      - alert: Restarts
        expr: max_over_time((leakwatch_group_processes > 1)[6h:1h]) > 0 and increase(group:leakwatch_incidents:sum[2h]) > 0
`);

describe("a rule file", () => {
  test("says how far back it looks for each series, with the 5 minutes for which a sample holds", () => {
    expect(Object.fromEntries(reaches(groups))).toEqual({
      leakwatch_process_leak_severity: 300,
      leakwatch_process_open_fds: 1.5 * hour + 300,
      leakwatch_group_oom_kills_total: 300,
      leakwatch_group_processes: 6 * hour + 300,
      "group:leakwatch_incidents:sum": 2 * hour + 300,
    });
  });

  test("has its longest range on raw series", () => {
    expect(longestRawRange(groups)).toEqual({ seconds: 1800, series: "leakwatch_process_open_fds", rule: "Leak" });
  });
});

describe("a fleet", () => {
  const now = 1_795_214_400;
  const fleet = makeFleet(groups, 400, now);
  const named = (name: string) =>
    [...fleet.scraped, ...fleet.recorded].filter(({ labels }) => labels["__name__"] === name);

  test("has the series that the rules read, once for each slot or group", () => {
    expect(named("leakwatch_process_open_fds").length).toBe(400);
    expect(named("leakwatch_group_processes").length).toBe(100);
    expect(named("leakwatch_process_threads").length).toBe(0); // which no rule reads
    const labels = fleet.scraped.map((series) => JSON.stringify(series.labels));
    expect(new Set(labels).size).toBe(labels.length);
  });

  test("has what the rules would have recorded of them", () => {
    const recorded = named("group:leakwatch_incidents:sum").filter(({ labels }) => labels["kind"] === "oom_kill");
    const exported = named("leakwatch_group_oom_kills_total");
    const times = Array.from({ length: 50 }, (_, i) => now - i * hour);
    const counts = (all: typeof exported) => all.map(({ value }) => times.map(value));
    expect(counts(recorded)).toEqual(counts(exported));
    expect(Math.max(...counts(exported).map((of) => (of[0] ?? 0) - (of.at(-1) ?? 0)))).toBeGreaterThan(0);
  });

  test("has one process in ten that leaks", () => {
    expect(named("leakwatch_process_leak_severity").filter(({ value }) => value(now) > 0).length).toBe(40);
  });
});

describe("remote write", () => {
  test("is protobuf in a block that is not compressed", () => {
    const labels = encodeLabels({ slot: "0", __name__: "up" });
    const body = encodeWrite([{ labels, times: [1.5], values: [1] }]);
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    // 1: { 1: "__name__" 2: "up" } 1: { 1: "slot" 2: "0" }
    expect(hex(labels)).toBe(
      `0a0e0a08${hex(Buffer.from("__name__"))}12027570` + `0a090a04${hex(Buffer.from("slot"))}120130`,
    );
    // 2: { 1: 1.0 (double) 2: 1500 }
    const sample = "120c09000000000000f03f10dc0b";
    const request = `0a29${hex(labels)}${sample}`;
    expect(hex(body)).toBe(`2bf42a00${request}`); // 43 bytes, one literal of 42 + 1
  });

  test("is cut into literals of 64 KiB", () => {
    const block = uncompressed(new Uint8Array(65_536 + 10));
    expect(block.length).toBe(3 + 3 + 65_536 + 3 + 10); // the length takes three bytes, the head of a literal too
    expect([...block.subarray(3, 6)]).toEqual([0xf4, 0xff, 0xff]);
    expect([...block.subarray(3 + 3 + 65_536, 3 + 3 + 65_536 + 3)]).toEqual([0xf4, 9, 0]);
  });
});
