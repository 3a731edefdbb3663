import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCgroupMemory, readEffectiveLimit, readEvents } from "../../exporter/cgroupfs/cgroup-memory.ts";
import { CgroupLayout } from "../../exporter/cgroupfs/layout.ts";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import { parseMemoryCgroup } from "../../exporter/procfs/cgroup.ts";
import { FixtureFiles, fixture } from "../support/fixtures.ts";

const burstable =
  "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9c3f5e_7a41_4b62_9a53_3f1c2f6b8d10.slice";
const besteffort =
  "/sys/fs/cgroup/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod5b1e7c02_94d6_4c1f_8e3a_6d0a7f2b9c44.slice";
const web = `${burstable}/cri-containerd-8c1e5d2f9b7a4630e1c8d5f2b9a7604318e5c1d2f9b7a4630e1c8d5f2b9a7604.scope`;
const worker = `${burstable}/cri-containerd-c47b19e60d83f52ac47b19e60d83f52ac47b19e60d83f52ac47b19e60d83f52a.scope`;
const batch = `${besteffort}/cri-containerd-5d72f8a1c3e6b9045d72f8a1c3e6b9045d72f8a1c3e6b9045d72f8a1c3e6b904.scope`;
const docker = "/host/sys/fs/cgroup/memory/docker";
const jobs = `${docker}/32b2290610ebbfc54ea5d9c4ea25839ccdc92d5762377077cd05f5d041dda379`;
const queue = `${docker}/90bd9d00ef49abb1afc1bdfbc0a3c2d4b50412c42bc975af5e47b07e62cffb7b`;

describe("readCgroupMemory, version 2", () => {
  test("reads a container that is held back by memory.high", () => {
    expect(readCgroupMemory(new FixtureFiles("cgroup-v2-nested"), 2, worker)).toEqual({
      usage: 26505216,
      workingSet: 26505216, // inactive_file is 0
      anonymous: 26370048,
      file: 0,
      kernel: 135168,
      inactiveFile: 0,
      swap: 0,
      shared: 0,
      kernelUnreclaimable: 135168 - 1840,
      unreclaimable: 26370048 + 135168 - 1840,
      outside: undefined,
      peak: 26521600,
      limit: 50331648,
      high: 25165824,
      pressure: { waiting: 0.422333, stalled: 0.422333 },
      events: new Map([
        ["low", 0],
        ["high", 70],
        ["max", 0],
        ["oom", 0],
        ["oom_kill", 0],
        ["oom_group_kill", 0],
      ]),
    });
  });

  test("reads a pod: a limit, and no memory.high", () => {
    const pod = readCgroupMemory(new FixtureFiles("cgroup-v2-nested"), 2, burstable);
    expect(pod).toMatchObject({ usage: 43995136, limit: 201326592, high: undefined });
  });

  test("reads the root group, which has statistics and pressure and nothing else", () => {
    const root = readCgroupMemory(new FixtureFiles("cgroup-v2-nested"), 2, "/sys/fs/cgroup");
    expect(root).toMatchObject({
      usage: undefined,
      workingSet: undefined,
      anonymous: 52191232,
      file: 7299072,
      kernel: 1781760,
      peak: undefined,
      limit: undefined,
      pressure: { waiting: 0.422345, stalled: 0.42034 },
      events: new Map(),
    });
  });

  test("throws for a cgroup that is gone, so that it is not taken for an empty one", () => {
    const gone = () => readCgroupMemory(new FixtureFiles("cgroup-v2-nested"), 2, `${burstable}/gone`);
    expect(gone).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});

describe("readCgroupMemory, version 1", () => {
  test("reads a host's service, most of whose memory is cached files", () => {
    const folder = "/sys/fs/cgroup/memory/services/apps";
    expect(readCgroupMemory(new FixtureFiles("debian12-host-v1"), 1, folder)).toEqual({
      usage: 381689856,
      workingSet: 381689856 - 245878784,
      anonymous: 58155008,
      file: 296792064,
      kernel: 25587712,
      inactiveFile: 245878784,
      swap: 0,
      shared: 12992512,
      kernelUnreclaimable: undefined,
      unreclaimable: 58155008 + 12992512,
      outside: undefined,
      peak: 1020112896,
      limit: undefined,
      high: undefined,
      pressure: undefined,
      events: new Map([
        ["max", 0],
        ["oom_kill", 0],
      ]),
    });
  });

  test("reads a container after an OOM kill", () => {
    expect(readCgroupMemory(new FixtureFiles("docker-cgroup-v1"), 1, queue)).toMatchObject({
      usage: 2928640,
      anonymous: 2179072,
      kernel: 327680,
      peak: 33554432,
      limit: 33554432,
      events: new Map([
        ["max", 124],
        ["oom_kill", 1],
      ]),
    });
  });
});

describe("readCgroupMemory between two moments", () => {
  test("has no negative working set when files were dropped after their size was read", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-cgroup-"));
    try {
      fs.writeFileSync(path.join(folder, "memory.stat"), "file 9000\ninactive_file 9000\n");
      fs.writeFileSync(path.join(folder, "memory.current"), "4000\n");
      const files = new KernelFiles({ procfs: "/proc", cgroupfs: folder });
      expect(readCgroupMemory(files, 2, folder)).toMatchObject({ usage: 4000, workingSet: 0, inactiveFile: 9000 });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe("readEvents", () => {
  const events = (machine: string, version: 1 | 2, folder: string) =>
    Object.fromEntries(readEvents(new FixtureFiles(machine), version, folder));

  test("sees an OOM kill of a worker in its container and in the pod", () => {
    expect(events("cgroup-v2-after-worker-oom", 2, web)).toMatchObject({ max: 35, oom: 1, oom_kill: 1 });
    expect(events("cgroup-v2-after-worker-oom", 2, burstable)).toMatchObject({ max: 35, oom_kill: 1 });
  });

  test("sees that of a main process in the pod only: its own group was made anew", () => {
    expect(events("cgroup-v2-after-main-oom", 2, worker)).toMatchObject({ oom: 0, oom_kill: 0 });
    expect(events("cgroup-v2-after-main-oom", 2, burstable)).toMatchObject({ oom: 2, oom_kill: 2 });
  });

  test("sees a group kill", () => {
    expect(events("cgroup-v2-after-main-oom", 2, batch)).toMatchObject({ oom: 1, oom_kill: 3, oom_group_kill: 1 });
  });

  test("sees one on version 1 even where the limit was never counted as met", () => {
    expect(events("docker-cgroup-v1", 1, jobs)).toEqual({ max: 0, oom_kill: 1 });
    expect(events("docker-cgroup-v1", 1, docker)).toEqual({ max: 0, oom_kill: 0 }); // version 1 does not add up
  });

  test.each([1, 2] as const)("is empty where a cgroup of version %i is gone", (version) => {
    expect(events("docker-cgroup-v1", version, `${docker}/gone`)).toEqual({});
  });
});

describe("readEffectiveLimit on captured machines", () => {
  const pod = { bytes: 201326592, source: "ancestor" };
  const own = (bytes: number) => ({ bytes, source: "cgroup" });
  const host = { cgroupfs: "/host/sys/fs/cgroup" };

  test.each([
    ["a host without limits", "debian12-host-v1", 7769, {}, undefined],
    ["docker: api", "docker-cgroup-v1", 8, host, own(134217728)],
    ["docker: jobs", "docker-cgroup-v1", 28, host, own(50331648)],
    ["docker: queue", "docker-cgroup-v1", 37, host, own(33554432)],
    ["docker: ourselves, by our own mount", "docker-cgroup-v1", 39, {}, own(67108864)],
    ["podman: api", "podman-v1", 18915, {}, own(134217728)],
    ["podman: queue", "podman-v1", 19028, {}, own(33554432)],
    ["podman: infra, which has none", "podman-v1", 18848, {}, undefined],
    ["a container of a pod", "cgroup-v2-nested", 116, {}, own(67108864)],
    ["its neighbour", "cgroup-v2-nested", 118, {}, own(50331648)],
    ["the pause container: the pod's", "cgroup-v2-nested", 111, {}, pod],
    ["a container of a pod without a limit", "cgroup-v2-nested", 124, {}, own(33554432)],
    ["a kernel thread", "cgroup-v2-nested", 2, {}, undefined],
    ["after a worker's OOM kill", "cgroup-v2-after-worker-oom", 120, {}, own(67108864)],
    ["a group that was made anew", "cgroup-v2-after-main-oom", 3690, {}, own(50331648)],
    ["Linux 6.12: pause", "cgroup-v2-nested-6-12", 161, {}, pod],
    ["Linux 6.12: worker", "cgroup-v2-nested-6-12", 168, {}, own(50331648)],
    ["a private namespace: ourselves", "cgroup-v2-private-namespace", 6, {}, own(67108864)],
    ["a private namespace with the host's mount: web", "cgroup-v2-private-namespace", 2, host, own(67108864)],
    ["a private namespace with the host's mount: worker", "cgroup-v2-private-namespace", 3, host, own(50331648)],
    ["a private namespace with the host's mount: pause", "cgroup-v2-private-namespace", 1, host, pod],
  ])("%s", (_, machine, pid, roots, expected) => {
    const files = new FixtureFiles(machine, roots);
    const cgroup = parseMemoryCgroup(fixture(machine, "proc", String(pid), "cgroup"));
    const at = cgroup && CgroupLayout.detect(files, 6).locate(cgroup); // 6 is ours in the private namespace
    if (!cgroup || !at) throw new Error(`the cgroup of ${pid} was not found`);
    expect(readEffectiveLimit(files, cgroup.version, at)).toEqual(expected);
  });
});

describe("readEffectiveLimit takes the least of", () => {
  let root: string;
  beforeAll(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-cgroup-"));
  });
  afterAll(() => {
    fs.rmSync(root, { recursive: true });
  });

  /** Limits from the top down to the cgroup; in version 1 what memory.stat says may come from above the top. */
  function limitOf(version: 1 | 2, limits: readonly string[], hierarchical?: string) {
    const top = fs.mkdtempSync(path.join(root, "top-"));
    let folder = top;
    limits.forEach((limit, depth) => {
      if (depth > 0) folder = path.join(folder, `level${depth}`);
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(folder, version === 2 ? "memory.max" : "memory.limit_in_bytes"), `${limit}\n`);
    });
    if (hierarchical !== undefined) {
      fs.writeFileSync(path.join(folder, "memory.stat"), `cache 5\nhierarchical_memory_limit ${hierarchical}\n`);
    }
    return readEffectiveLimit(new KernelFiles({ procfs: "/proc", cgroupfs: top }), version, { folder, top });
  }

  const none = "9223372036854771712";

  test.each([
    ["its own below larger ones", ["max", "400", "300"], { bytes: 300, source: "cgroup" }],
    ["its own and an equal one above: its own is named", ["max", "300", "300"], { bytes: 300, source: "cgroup" }],
    ["a smaller one of its parent", ["max", "200", "300"], { bytes: 200, source: "ancestor" }],
    ["a smaller one at the very top", ["100", "200", "300"], { bytes: 100, source: "ancestor" }],
    ["one in the middle when there is no other", ["max", "200", "max"], { bytes: 200, source: "ancestor" }],
    ["no limits at all", ["max", "max", "max"], undefined],
    ["its own, at the top of the mount", ["300"], { bytes: 300, source: "cgroup" }],
  ])("%s (version 2)", (_, limits, expected) => {
    expect(limitOf(2, limits)).toEqual(expected);
  });

  test.each([
    ["one above our mount that memory.stat tells of", ["300"], "200", { bytes: 200, source: "ancestor" }],
    ["its own, which memory.stat repeats", ["300"], "300", { bytes: 300, source: "cgroup" }],
    ["a parent's, which memory.stat repeats", ["200", none], "200", { bytes: 200, source: "ancestor" }],
    ["none, written as a huge number", [none, none], none, undefined],
    ["its own where there is no memory.stat", ["300"], undefined, { bytes: 300, source: "cgroup" }],
  ])("%s (version 1)", (_, limits, hierarchical, expected) => {
    expect(limitOf(1, limits, hierarchical)).toEqual(expected);
  });

  test("what is left of the groups above when the cgroup is gone", () => {
    const top = fs.mkdtempSync(path.join(root, "top-"));
    fs.writeFileSync(path.join(top, "memory.max"), "100\n");
    const at = { folder: path.join(top, "gone"), top };
    const files = new KernelFiles({ procfs: "/proc", cgroupfs: top });
    expect(readEffectiveLimit(files, 2, at)).toEqual({ bytes: 100, source: "ancestor" });
  });

  test("nothing, with an error, when a limit is no number", () => {
    expect(() => limitOf(2, ["max", "lots"])).toThrow('expected a number of bytes, got "lots"');
  });
});
