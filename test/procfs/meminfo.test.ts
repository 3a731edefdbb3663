import { describe, expect, test } from "vitest";
import { parseMemTotal } from "../../exporter/procfs/meminfo.ts";
import { fixture, KiB } from "../support/fixtures.ts";

describe("parseMemTotal", () => {
  test.each([
    ["a host of 24 GB", "debian12-host-v1", 24684084],
    ["a virtual machine of 512 MB", "cgroup-v2-nested", 481296],
  ])("reads that of %s", (_, machine, kib) => {
    expect(parseMemTotal(fixture(machine, "proc/meminfo"))).toBe(kib * KiB);
  });

  test("rejects a file without it", () => {
    expect(() => parseMemTotal("MemFree:   100 kB\n")).toThrow("missing field MemTotal");
  });
});
