import { describe, expect, test } from "vitest";
import {
  parseBytes,
  parseEvents,
  parseLimit,
  parseMemoryStatV1,
  parseMemoryStatV2,
  parsePressure,
} from "../../exporter/cgroupfs/memory-files.ts";
import { fixture, MiB } from "../support/fixtures.ts";

const burstable =
  "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9c3f5e_7a41_4b62_9a53_3f1c2f6b8d10.slice";
const worker = `${burstable}/cri-containerd-c47b19e60d83f52ac47b19e60d83f52ac47b19e60d83f52ac47b19e60d83f52a.scope`;
const web = `${burstable}/cri-containerd-8c1e5d2f9b7a4630e1c8d5f2b9a7604318e5c1d2f9b7a4630e1c8d5f2b9a7604.scope`;
const nested = `cgroup-v2-nested/sys/fs/cgroup/${worker}`;

describe("parseLimit", () => {
  test.each([
    ["version 2", `${nested}/memory.max`, 50331648],
    ["version 2 without a limit", "cgroup-v2-nested/sys/fs/cgroup/kubepods.slice/memory.max", undefined],
    ["version 1", "docker-cgroup-v1/sys/fs/cgroup/memory/memory.limit_in_bytes", 67108864],
    [
      "version 1 without a limit",
      "debian12-host-v1/sys/fs/cgroup/memory/services/apps/memory.limit_in_bytes",
      undefined,
    ],
  ])("reads one of %s", (_, file, bytes) => {
    expect(parseLimit(fixture(file))).toBe(bytes);
  });

  test.each([
    ["version 1's none with 64 KiB pages", "9223372036854710272\n", undefined],
    ["a limit of a petabyte", `${2 ** 50}\n`, 2 ** 50],
    ["a limit of 0", "0\n", 0],
  ])("understands %s", (_, text, bytes) => {
    expect(parseLimit(text)).toBe(bytes);
  });
});

describe("parseBytes", () => {
  test("reads a file with a number", () => {
    expect(parseBytes(fixture(nested, "memory.current"))).toBe(26505216);
  });

  test.each(["", "\n", "max\n", "-1\n", "12 34\n", "1e9\n", "0x10\n"])("rejects %j and shows it", (text) => {
    expect(() => parseBytes(text)).toThrow(`expected a number of bytes, got "${text.trim()}"`);
  });

  test("shows the beginning of a long text only", () => {
    expect(() => parseBytes("x".repeat(1000))).toThrow(/got "x{40}"$/);
  });
});

describe("parsePressure", () => {
  test("reads seconds, of a cgroup that was held back and of one that was not", () => {
    expect(parsePressure(fixture(nested, "memory.pressure"))).toEqual({ waiting: 0.422333, stalled: 0.422333 });
    expect(parsePressure(fixture("cgroup-v2-nested/sys/fs/cgroup", web, "memory.pressure"))).toEqual({
      waiting: 0,
      stalled: 0,
    });
  });

  test("tells some from full", () => {
    expect(parsePressure(fixture("cgroup-v2-nested/sys/fs/cgroup/memory.pressure"))).toEqual({
      waiting: 0.422345,
      stalled: 0.42034,
    });
  });

  test("leaves out what the kernel does not say", () => {
    const some = "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";
    expect(parsePressure(some)).toEqual({ waiting: 5e-6, stalled: undefined });
    expect(parsePressure("")).toEqual({ waiting: undefined, stalled: undefined });
  });
});

describe("parseMemoryStatV2", () => {
  test("reads Linux 6.1 and 6.12", () => {
    expect(parseMemoryStatV2(fixture(nested, "memory.stat"))).toEqual({
      anonymous: 26370048,
      file: 0,
      kernel: 135168,
      inactiveFile: 0,
      swap: undefined,
      shared: 0,
      kernelUnreclaimable: 135168 - 1840,
    });
    const newer = parseMemoryStatV2(fixture("cgroup-v2-nested-6-12/sys/fs/cgroup", worker, "memory.stat"));
    expect(newer.anonymous).toBeGreaterThan(25 * MiB);
    expect(newer.kernel).toBeGreaterThan(0);
  });

  // each kernel shows more parts of its memory than the one before, and from 5.18 on their sum
  const slab = "slab_reclaimable 3000\nslab_unreclaimable 1096\nslab 4096\n";
  test.each([
    ["4.6: stacks and slab", `kernel_stack 16384\n${slab}sock 9\n`, 16384 + 4096],
    ["slab by its parts only", "kernel_stack 16384\nslab_reclaimable 3000\nslab_unreclaimable 1096\n", 16384 + 4096],
    ["5.9: percpu too", `kernel_stack 16384\npercpu 512\nsock 9\n${slab}`, 16384 + 512 + 4096],
    [
      "5.11: page tables too",
      `kernel_stack 16384\npagetables 8192\npercpu 512\nsock 9\n${slab}`,
      16384 + 8192 + 512 + 4096,
    ],
    [
      "5.17: vmalloc too",
      `kernel_stack 16384\npagetables 8192\npercpu 512\nsock 9\nvmalloc 64\n${slab}`,
      16384 + 8192 + 512 + 64 + 4096,
    ],
    [
      "5.18: the sum, in which all of them are",
      `kernel 99999\nkernel_stack 16384\npagetables 8192\npercpu 512\nsock 9\nvmalloc 64\n${slab}`,
      99999,
    ],
    [
      "6.1: the sum has the page tables of virtual machines",
      `kernel 99999\nkernel_stack 16384\npagetables 8192\nsec_pagetables 4096\npercpu 512\nsock 9\nvmalloc 64\n${slab}`,
      99999,
    ],
    ["before 4.6: nothing", "anon 1\nfile 2\nsock 9\n", undefined],
  ])("kernel memory of Linux %s", (_, text, bytes) => {
    expect(parseMemoryStatV2(text).kernel).toBe(bytes);
  });

  test("says undefined, not 0, for what is not in the file", () => {
    expect(parseMemoryStatV2("pgfault 5\n")).toEqual({
      anonymous: undefined,
      file: undefined,
      kernel: undefined,
      inactiveFile: undefined,
      swap: undefined,
    });
  });
});

describe("a counter that fell below 0, which the kernel shows as almost 2^64", () => {
  const [page, one] = ["18446744073709547520", "18446744073709551615"]; // -4096 and -1

  test.each([page, one, "9223372036854775808"])("is no number of bytes: %s", (text) => {
    expect(parseBytes(`${text}\n`)).toBeUndefined();
  });

  test.each(["anon", "file", "kernel", "inactive_file"])("in version 2's %s leaves the others as they are", (name) => {
    const fields = { anon: "1", file: "2", kernel: "3", inactive_file: "4", [name]: page };
    const text = Object.entries(fields)
      .map(([field, value]) => `${field} ${value}\n`)
      .join("");
    expect(Object.values(parseMemoryStatV2(text)).filter((value) => value !== undefined)).toHaveLength(3);
  });

  test.each(["kernel_stack", "slab", "percpu", "pagetables"])("in %s leaves no sum of kernel memory", (name) => {
    const fields = { kernel_stack: "1", slab: "2", percpu: "3", pagetables: "4", [name]: page };
    const text = Object.entries(fields)
      .map(([field, value]) => `${field} ${value}\n`)
      .join("");
    expect(parseMemoryStatV2(text).kernel).toBeUndefined();
  });

  test("in the sum is not made good by its parts, which fell with it", () => {
    expect(parseMemoryStatV2(`kernel ${one}\nkernel_stack 16384\nslab 4096\n`).kernel).toBeUndefined();
  });

  test.each(["total_rss", "total_cache", "total_inactive_file", "total_swap"])("in version 1's %s", (name) => {
    const fields = { total_rss: "1", total_cache: "2", total_inactive_file: "3", total_swap: "4", [name]: page };
    const text = Object.entries(fields)
      .map(([field, value]) => `${field} ${value}\n`)
      .join("");
    expect(Object.values(parseMemoryStatV1(text)).filter((value) => value !== undefined)).toHaveLength(3);
  });

  test("in events and pressure", () => {
    expect(parseEvents(`max ${one}\noom_kill 1\n`)).toEqual(new Map([["oom_kill", 1]]));
    expect(parsePressure(`some avg10=0.00 avg60=0.00 avg300=0.00 total=${one}\n`).waiting).toBeUndefined();
  });
});

describe("parseMemoryStatV1", () => {
  test("takes the totals, in which descendants are counted", () => {
    // docker's own group has no process: rss, cache and inactive_file are 0, the totals those of five containers
    expect(parseMemoryStatV1(fixture("docker-cgroup-v1/host/sys/fs/cgroup/memory/docker/memory.stat"))).toEqual({
      anonymous: 26988544,
      file: 1224704,
      kernel: undefined,
      inactiveFile: 958464,
      swap: 0,
      shared: 0,
      kernelUnreclaimable: undefined,
    });
  });

  test("says undefined where swap is not accounted", () => {
    expect(parseMemoryStatV1("total_rss 5\n")).toMatchObject({ anonymous: 5, swap: undefined });
  });
});

describe("parseEvents", () => {
  test("reads version 2's events after an OOM kill, and ignores unknown lines", () => {
    const events = parseEvents(fixture("cgroup-v2-after-worker-oom/sys/fs/cgroup", web, "memory.events"));
    expect(Object.fromEntries(events)).toEqual({ low: 0, high: 0, max: 35, oom: 1, oom_kill: 1, oom_group_kill: 0 });
    expect(parseEvents("oom_kill 1\nsomething else\n").size).toBe(1);
  });

  test("reads version 1's oom_control", () => {
    const jobs = "docker/32b2290610ebbfc54ea5d9c4ea25839ccdc92d5762377077cd05f5d041dda379";
    const events = parseEvents(fixture("docker-cgroup-v1/host/sys/fs/cgroup/memory", jobs, "memory.oom_control"));
    expect(events.get("oom_kill")).toBe(1);
  });
});
