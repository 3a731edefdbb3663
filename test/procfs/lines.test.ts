import { describe, expect, test } from "vitest";
import { FormatError } from "../../exporter/kernel/files.ts";
import { counter, parseCounters, parseKibFields, required } from "../../exporter/procfs/lines.ts";
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

describe("counter", () => {
  const text = "anon 14\nfile_mapped 3\nfile 7\nneg -1\nkernel 9";
  test.each([
    ["of the first line", "anon", 14],
    ["of a line whose name begins another", "file", 7],
    ["of the last line, which has no end", "kernel", 9],
    ["of a name that only ends another: none", "mapped", undefined],
    ["of a line with no number of ours: none", "neg", undefined],
    ["of a line that is not there: none", "slab", undefined],
  ])("finds the number %s", (_, name, value) => {
    expect(counter(text, name)).toBe(value);
  });
});

describe("required", () => {
  test("names the field that is missing", () => {
    expect(required(new Map([["Rss", 0]]), "Rss")).toBe(0);
    expect(() => required(new Map([["Rss", 0]]), "Pss")).toThrow(new FormatError("missing field Pss"));
  });
});
