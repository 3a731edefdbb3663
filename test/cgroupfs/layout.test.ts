import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CgroupLayout, locateInMounts } from "../../exporter/cgroupfs/layout.ts";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import { type MemoryCgroup, parseMemoryCgroup } from "../../exporter/procfs/cgroup.ts";
import { parseMounts } from "../../exporter/procfs/mountinfo.ts";
import { FixtureFiles, fixture } from "../support/fixtures.ts";

const ownRoot = { cgroupfs: "/sys/fs/cgroup" };
const hostRoot = { cgroupfs: "/host/sys/fs/cgroup" };
const burstable =
  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9c3f5e_7a41_4b62_9a53_3f1c2f6b8d10.slice";
const web = "/cri-containerd-8c1e5d2f9b7a4630e1c8d5f2b9a7604318e5c1d2f9b7a4630e1c8d5f2b9a7604.scope";
const sidecar = "/cri-containerd-e93a60b5d17c284fe93a60b5d17c284fe93a60b5d17c284fe93a60b5d17c284f.scope";

/** The cgroup of a captured process. */
function cgroupOf(machine: string, pid: number | "self"): MemoryCgroup {
  const found = parseMemoryCgroup(fixture(machine, "proc", String(pid), "cgroup"));
  if (found === undefined) throw new Error(`no cgroup of ${pid} in ${machine}`);
  return found;
}

function locate(machine: string, pid: number | "self", roots = ownRoot, ownPid = 1) {
  return CgroupLayout.detect(new FixtureFiles(machine, roots), ownPid).locate(cgroupOf(machine, pid));
}

describe("CgroupLayout", () => {
  test("on a hybrid host: the folder of the version 1 memory hierarchy", () => {
    expect(locate("debian12-host-v1", 7769)).toEqual({
      folder: "/sys/fs/cgroup/memory/services/apps",
      top: "/sys/fs/cgroup/memory",
    });
  });

  test("on a version 2 host: the full path", () => {
    expect(locate("cgroup-v2-nested", 116)).toEqual({
      folder: `/sys/fs/cgroup${burstable}${web}`,
      top: "/sys/fs/cgroup",
    });
  });

  test("for kernel threads: the root group", () => {
    expect(locate("cgroup-v2-nested", 2)).toEqual({ folder: "/sys/fs/cgroup", top: "/sys/fs/cgroup" });
  });

  test("under podman, from the host", () => {
    expect(locate("podman-v1", 18915)?.folder).toMatch(
      /^\/sys\/fs\/cgroup\/memory\/libpod_parent\/8ad2426e\w+\/libpod-c9d64d49/,
    );
  });

  test("finds nothing for the other version of the interface", () => {
    const layout = CgroupLayout.detect(new FixtureFiles("cgroup-v2-nested"), 1);
    expect(layout.locate({ version: 1, path: "/docker/x" })).toBeUndefined();
  });

  test("finds nothing where no cgroup is mounted", () => {
    const layout = CgroupLayout.detect(new FixtureFiles("debian12-host-v1", { cgroupfs: "/nowhere" }), 1);
    expect(layout.mounts).toEqual([]);
    expect(layout.locate(cgroupOf("debian12-host-v1", 7769))).toBeUndefined();
  });

  test("finds nothing where /proc/self is not shown", () => {
    expect(CgroupLayout.detect(new FixtureFiles("debian12-host-v1", { procfs: "/nowhere" }), 1).mounts).toEqual([]);
  });

  test("does not take /sys/fs/cgroup2 for a part of /sys/fs/cgroup", () => {
    const { mounts } = CgroupLayout.detect(new FixtureFiles("debian12-host-v1", { cgroupfs: "/sys/fs/cgroup/mem" }), 1);
    expect(mounts).toEqual([]);
  });
});

describe("CgroupLayout in a docker container with the host's cgroup namespace", () => {
  const machine = "docker-cgroup-v1";

  test("shows our own group as the top of our mount, and no other", () => {
    expect(locate(machine, "self")).toEqual({ folder: "/sys/fs/cgroup/memory", top: "/sys/fs/cgroup/memory" });
    expect(locate(machine, 39)?.folder).toBe("/sys/fs/cgroup/memory");
    expect(locate(machine, 8)).toBeUndefined();
  });

  test("shows all groups through the host's mount", () => {
    expect(locate(machine, 8, hostRoot)).toEqual({
      folder: "/host/sys/fs/cgroup/memory/docker/394599a6e06f5cf22cf47392d881e39fcdbcd812d92692a68f822729d1967b79",
      top: "/host/sys/fs/cgroup/memory",
    });
  });
});

describe("CgroupLayout in a private cgroup namespace", () => {
  const machine = "cgroup-v2-private-namespace";
  const host = "/host/sys/fs/cgroup";

  test("our own mount shows our own group only", () => {
    expect(locate(machine, 6, ownRoot, 6)).toEqual({ folder: "/sys/fs/cgroup", top: "/sys/fs/cgroup" });
    expect(locate(machine, 2, ownRoot, 6)).toBeUndefined();
  });

  // The host's mount has the root /../../../.. there; pid 6 tells which of the folders four levels down is ours.
  test("the host's mount shows siblings, by the way from our own place", () => {
    expect(locate(machine, 2, hostRoot, 6)).toEqual({ folder: host + burstable + web, top: host });
    expect(locate(machine, 6, hostRoot, 6)).toEqual({ folder: host + burstable + sidecar, top: host });
  });

  test("the host's mount shows the pod, its class and the node above us", () => {
    const layout = CgroupLayout.detect(new FixtureFiles(machine, hostRoot), 6);
    expect(layout.locate({ version: 2, path: "/.." })).toEqual({ folder: host + burstable, top: host });
    expect(layout.locate({ version: 2, path: "/../../../.." })).toEqual({ folder: host, top: host });
    expect(layout.locate({ version: 2, path: "/../../../kubepods-x.slice" })?.folder).toBe(
      `${host}/kubepods.slice/kubepods-x.slice`,
    );
  });

  test("finds nothing in the host's mount when we are not in it", () => {
    expect(locate(machine, 2, hostRoot, 4711)).toBeUndefined();
  });
});

describe("CgroupLayout by the mounts alone", () => {
  let root: string;
  beforeAll(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-layout-"));
    fs.mkdirSync(path.join(root, "proc/self"), { recursive: true });
  });
  afterAll(() => {
    fs.rmSync(root, { recursive: true });
  });

  /** Where a version 2 cgroup is for us, with these roots mounted at /sys/fs/cgroup/0, …/1 and so on. */
  function folderOf(cgroup: string, mountRoots: string[]): string | undefined {
    const lines = mountRoots.map((top, i) => `30 29 0:26 ${top} /sys/fs/cgroup/${i} rw - cgroup2 cgroup2 rw\n`);
    fs.writeFileSync(path.join(root, "proc/self/mountinfo"), lines.join(""));
    const files = new KernelFiles({ root, procfs: "/proc", cgroupfs: "/sys/fs/cgroup" });
    return CgroupLayout.detect(files, 1).locate({ version: 2, path: cgroup })?.folder;
  }

  test.each([
    ["the mount's own group", "/docker/abc", ["/docker/abc"], "/sys/fs/cgroup/0"],
    ["a group below it", "/docker/abc/init", ["/docker/abc"], "/sys/fs/cgroup/0/init"],
    ["a neighbour whose name begins the same", "/docker/abcd", ["/docker/abc"], undefined],
    ["the group above", "/docker", ["/docker/abc"], undefined],
    ["a group that the second mount shows", "/docker/abcd", ["/docker/abc", "/"], "/sys/fs/cgroup/1/docker/abcd"],
    ["a group that both mounts show, in the first", "/docker/abc", ["/docker/abc", "/"], "/sys/fs/cgroup/0"],
    ["a sibling in a private namespace, mounted by itself", "/../abcd", ["/", "/../abcd"], "/sys/fs/cgroup/1"],
    ["a sibling below the folder above us", "/../abcd", ["/", "/.."], "/sys/fs/cgroup/1/abcd"],
    ["ourselves below it, with no group there that holds us", "/", ["/.."], undefined],
  ])("%s", (_, cgroup, mountRoots, folder) => {
    expect(folderOf(cgroup, mountRoots)).toBe(folder);
  });
});

describe("locateInMounts", () => {
  const found = (machine: string, pid: number) =>
    locateInMounts(parseMounts(fixture(machine, "proc", String(pid), "mountinfo")), cgroupOf(machine, pid));

  test("finds a container's group in its own mounts", () => {
    expect(found("docker-cgroup-v1", 8)).toMatchObject({
      folder: "/sys/fs/cgroup/memory",
      top: "/sys/fs/cgroup/memory",
    });
  });

  test("finds a node's process by its full path", () => {
    expect(found("cgroup-v2-nested", 116)).toMatchObject({ folder: `/sys/fs/cgroup${burstable}${web}` });
  });

  test("does not guess where the target's mount reaches above our namespace", () => {
    expect(found("cgroup-v2-private-namespace", 1)).toBeUndefined(); // the root is /../../../.. there, and the path /../<id>
  });

  const mounts = (...lines: string[]) => {
    const at = locateInMounts(parseMounts(lines.join("\n")), { version: 2, path: "/pod/api" });
    return typeof at === "object" ? at.folder : at;
  };
  const root = "20 1 8:1 / / rw - ext4 /dev/sda rw";
  const sys = "21 20 0:19 / /sys rw - sysfs sysfs rw";
  const cgroup = "22 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";

  test.each([
    ["the kernel's file system alone", [root, sys, cgroup], "/sys/fs/cgroup/pod/api"],
    ["in any order", [cgroup, root, sys], "/sys/fs/cgroup/pod/api"],
    [
      "beside others",
      [root, sys, cgroup, "23 22 0:40 / /sys/fs/cgroup/pod/other rw - tmpfs t rw"],
      "/sys/fs/cgroup/pod/api",
    ],
    [
      "mounted twice",
      [root, sys, cgroup, "23 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"],
      "/sys/fs/cgroup/pod/api",
    ],
    ["under a tmpfs", [root, sys, cgroup, "23 22 0:40 / /sys/fs/cgroup rw - tmpfs t rw"], "covered"],
    ["under a tmpfs on its way", [root, sys, cgroup, "23 21 0:40 / /sys/fs rw - tmpfs t rw"], "covered"],
    ["under a tmpfs in place of all", [root, sys, cgroup, "23 20 0:40 / / rw - tmpfs t rw"], "covered"],
    [
      "under a FUSE file system at the folder",
      [root, sys, cgroup, "23 22 0:40 / /sys/fs/cgroup/pod/api rw - fuse f rw"],
      "covered",
    ],
    [
      "under a folder of another cgroup",
      [root, sys, cgroup, "23 22 0:26 /other /sys/fs/cgroup/pod/api rw - cgroup2 cgroup2 rw"],
      "covered",
    ],
    [
      "as a name of a FUSE file system",
      [root, sys, "22 21 0:40 / /sys/fs/cgroup rw - fuse.cgroup2 cgroup2 rw"],
      undefined,
    ],
    [
      "in a source that looks like a mount",
      [root, sys, "22 21 0:40 / /sys/fs/cgroup rw - tmpfs -\\040cgroup2 rw"],
      undefined,
    ],
    [
      "in mounts that stand on each other",
      ["1 2 0:26 / / rw - cgroup2 c rw", "2 1 0:26 / / rw - cgroup2 c rw"],
      "/pod/api",
    ],
  ])("%s", (_, lines, folder) => {
    expect(mounts(...lines)).toBe(folder);
  });
});
