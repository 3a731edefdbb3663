import { describe, expect, test } from "vitest";
import { parseBootTime } from "../../exporter/procfs/system-stat.ts";
import { fixture } from "../support/fixtures.ts";

describe("parseBootTime", () => {
  test.each([
    ["debian12-host-v1", 1795213753],
    ["cgroup-v2-nested-6-12", 1795214899],
  ])("reads that of %s", (machine, seconds) => {
    expect(parseBootTime(fixture(machine, "proc/stat"))).toBe(seconds);
  });

  test.each([
    ["without it", "cpu 1 2 3\nctxt 5\n"],
    ["in which it is no number", "btime soon\n"],
    ["in which another name ends the same", "xbtime 5\n"],
  ])("rejects a file %s", (_, text) => {
    expect(() => parseBootTime(text)).toThrow("no line btime");
  });
});
