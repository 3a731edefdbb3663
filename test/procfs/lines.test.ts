import { describe, expect, test } from "vitest";
import { FormatError } from "../../exporter/kernel/files.ts";
import { parseCounters, parseKibFields, required } from "../../exporter/procfs/lines.ts";
import { KiB } from "../support/fixtures.ts";

describe("parseKibFields", () => {
  test("turns kB into bytes and skips lines of another shape", () => {
    const text =
      "00400000-7fff11817000 ---p [rollup]\nRss:    12 kB\nActive(anon):   3 kB\nHugePages_Total:   4\nTail: 5";
    expect([...parseKibFields(text)]).toEqual([
      ["Rss", 12 * KiB],
      ["Active(anon)", 3 * KiB],
    ]);
  });

  test("finds nothing in an empty file", () => {
    expect(parseKibFields("").size).toBe(0);
  });
});

describe("parseCounters", () => {
  test("reads names and numbers and skips lines of another shape", () => {
    expect([...parseCounters("oom_kill 14\nsome avg10=0.00 total=3\nmax\nneg -1\npgpgin 7\n")]).toEqual([
      ["oom_kill", 14],
      ["pgpgin", 7],
    ]);
  });
});

describe("required", () => {
  test("names the field that is missing", () => {
    expect(required(new Map([["Rss", 0]]), "Rss")).toBe(0);
    expect(() => required(new Map([["Rss", 0]]), "Pss")).toThrow(new FormatError("missing field Pss"));
  });
});
