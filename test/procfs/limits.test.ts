import { describe, expect, test } from "vitest";
import { parseOpenFilesLimit, parseProcessesLimit } from "../../exporter/procfs/limits.ts";
import { fixture } from "../support/fixtures.ts";

describe("parseOpenFilesLimit", () => {
  test.each([
    ["a host", "debian12-host-v1/proc/7769", 20_000, 20_000],
    ["a virtual machine", "cgroup-v2-nested/proc/116", 1024, 4096],
    ["a container with --ulimit", "podman-v1/proc/18915", 4096, 4096],
  ])("reads that of %s", (_, folder, soft, hard) => {
    expect(parseOpenFilesLimit(fixture(folder, "limits"))).toEqual({ soft, hard });
  });

  test("leaves out what is unlimited", () => {
    const line = "Max open files            1024                 unlimited            files     \n";
    expect(parseOpenFilesLimit(line)).toEqual({ soft: 1024, hard: undefined });
    expect(parseOpenFilesLimit(line.replace("1024     ", "unlimited"))).toEqual({ soft: undefined, hard: undefined });
  });

  test.each([
    ["empty", ""],
    ["without the line", "Max locked memory         8388608              8388608              bytes     \n"],
    ["cut within the line", "Max open files            1024"],
  ])("rejects a file that is %s", (_, text) => {
    expect(() => parseOpenFilesLimit(text)).toThrow("no line Max open files");
  });
});

describe("parseProcessesLimit", () => {
  test.each([
    ["a host", "debian12-host-v1/proc/7769", 96_365],
    ["a small virtual machine", "cgroup-v2-nested/proc/116", 1835],
  ])("reads that of %s", (_, folder, soft) => {
    expect(parseProcessesLimit(fixture(folder, "limits"))).toEqual({ soft, hard: soft });
  });

  test("leaves out what is unlimited", () => {
    const line = "Max processes             unlimited            unlimited            processes \n";
    expect(parseProcessesLimit(line)).toEqual({ soft: undefined, hard: undefined });
  });

  test("does not take another line for it", () => {
    const text = "Max open files            1024                 4096                 files     \n";
    expect(() => parseProcessesLimit(text)).toThrow("no line Max processes");
  });
});
