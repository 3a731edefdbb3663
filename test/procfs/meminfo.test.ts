import { describe, expect, test } from "vitest";
import { parseMeminfo } from "../../exporter/procfs/meminfo.ts";
import { fixture, KiB } from "../support/fixtures.ts";

describe("parseMeminfo", () => {
  test.each([
    ["a host of 24 GB", "debian12-host-v1", 24684084],
    ["a virtual machine of 512 MB", "cgroup-v2-nested", 481296],
  ])("reads that of %s", (_, machine, kib) => {
    expect(parseMeminfo(fixture(machine, "proc/meminfo"))).toMatchObject({ total: kib * KiB });
  });

  test("reads what is available, or that nothing tells", () => {
    expect(parseMeminfo(fixture("debian12-host-v1", "proc/meminfo")).available).toBe(24227788 * KiB);
    expect(parseMeminfo("MemTotal:   100 kB\n").available).toBeUndefined();
  });

  test("rejects a file without it", () => {
    expect(() => parseMeminfo("MemFree:   100 kB\n")).toThrow("missing field MemTotal");
  });
});
