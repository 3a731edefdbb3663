import fs from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { targetReads } from "../../catalog/defaults.ts";
import { cgroupVersionOf, parseCgroupMounts, parseMounts } from "../../exporter/procfs/mountinfo.ts";
import { fixture } from "../support/fixtures.ts";
import { cpuSeconds, mostCpuSeconds } from "../support/hostile-text.ts";

/** Any bytes, decoded as the exporter decodes them. */
const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString());

const sidecar = "/docker/53f00693bd626be9558382cf462a25e3b4a9d0a7778b7b9ee5f2b702c6f6765f";

describe("parseCgroupMounts on captured machines", () => {
  test.each([
    [
      "a hybrid host: the memory hierarchy, and version 2 without it",
      "debian12-host-v1/proc/self",
      [
        { version: 1, root: "/", mountPoint: "/sys/fs/cgroup/memory" },
        { version: 2, root: "/", mountPoint: "/sys/fs/cgroup/unified" },
      ],
    ],
    [
      "a docker container that also has the host's mounts",
      "docker-cgroup-v1/proc/self",
      [
        { version: 1, root: sidecar, mountPoint: "/sys/fs/cgroup/memory" },
        { version: 1, root: "/", mountPoint: "/host/sys/fs/cgroup/memory" },
        { version: 2, root: "/", mountPoint: "/host/sys/fs/cgroup/unified" },
      ],
    ],
    ["a version 2 host", "cgroup-v2-nested/proc/self", [{ version: 2, root: "/", mountPoint: "/sys/fs/cgroup" }]],
    [
      "a private namespace with the host's mount, which reaches above it",
      "cgroup-v2-private-namespace/proc/self",
      [
        { version: 2, root: "/../../../..", mountPoint: "/host/sys/fs/cgroup" },
        { version: 2, root: "/", mountPoint: "/sys/fs/cgroup" },
      ],
    ],
  ])("finds those of %s", (_, folder, mounts) => {
    expect(parseCgroupMounts(fixture(folder, "mountinfo"))).toEqual(mounts);
  });
});

describe("parseCgroupMounts", () => {
  test.each([
    ["no optional field", "36 25 0:31 / /cg rw - cgroup2 cgroup2 rw", "/", "/cg"],
    [
      "several optional fields",
      "36 25 0:31 / /cg rw shared:9 master:4 unbindable - cgroup2 none rw,nsdelegate",
      "/",
      "/cg",
    ],
    ["blanks and backslashes in its paths", "36 25 0:31 /a\\040b /c\\134d\\011e rw - cgroup2 x rw", "/a b", "/c\\d\te"],
    ["memory and another controller", "36 25 0:31 / /cg rw - cgroup cgroup rw,cpu,memory", "/", "/cg"],
  ])("understands a mount with %s", (_, line, root, mountPoint) => {
    expect(parseCgroupMounts(`${line}\n`)).toMatchObject([{ root, mountPoint }]);
  });

  test.each([
    ["other file systems", "36 25 0:31 / /proc rw - proc proc rw"],
    ["version 1 hierarchies without memory", "36 25 0:31 / /cg/cpu rw - cgroup cgroup rw,cpu"],
    ["a hierarchy that is only named memory", "36 25 0:31 / /cg/x rw - cgroup cgroup rw,name=memory"],
    ["a memory mount of another type", "36 25 0:31 / /m rw - tmpfs memory rw,memory"],
    ["a line without its dash", "36 25 0:31 / /cg rw cgroup2 cgroup2 rw"],
    ["a line that is cut short", "36 25 0:31 - cgroup2"],
    ["an empty file", ""],
  ])("leaves out %s", (_, text) => {
    expect(parseCgroupMounts(text)).toEqual([]);
  });

  test("never throws", () => {
    const pieces = fc.constantFrom(
      "36 25 0:31",
      " / /cg rw",
      " - ",
      "cgroup2",
      "cgroup x rw,memory",
      "\n",
      "\\040",
      "\\777",
      " ",
    );
    const text = fc.oneof(
      anyText,
      fc.array(pieces, { maxLength: 20 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (file) => {
        for (const mount of parseCgroupMounts(file)) expect(Object.values(mount)).not.toContain(undefined);
      }),
    );
  });
});

test("parseCgroupMounts of pids finds its version 1 hierarchy beside version 2", () => {
  expect(parseCgroupMounts(fixture("debian12-host-v1/proc/self/mountinfo"), "pids")).toEqual([
    { version: 1, root: "/", mountPoint: "/sys/fs/cgroup/pids" },
    { version: 2, root: "/", mountPoint: "/sys/fs/cgroup/unified" },
  ]);
});

describe("parseMounts", () => {
  test("reads every mount of a captured machine, in the kernel's order", () => {
    const mounts = parseMounts(fixture("debian12-host-v1/proc/self/mountinfo"));
    expect(mounts.slice(0, 5)).toEqual([
      {
        id: 43,
        parent: 42,
        device: 254 * 256,
        root: "/",
        mountPoint: "/",
        type: "ext4",
        superOptions: "rw,discard,resuid=65534,resgid=65534",
      },
      { id: 45, parent: 43, device: 21, root: "/", mountPoint: "/proc", type: "proc", superOptions: "rw" },
      { id: 46, parent: 43, device: 22, root: "/", mountPoint: "/sys", type: "sysfs", superOptions: "rw" },
      {
        id: 47,
        parent: 46,
        device: 28,
        root: "/",
        mountPoint: "/sys/fs/cgroup",
        type: "tmpfs",
        superOptions: "rw,mode=755",
      },
      {
        id: 48,
        parent: 47,
        device: 29,
        root: "/",
        mountPoint: "/sys/fs/cgroup/cpu",
        type: "cgroup",
        superOptions: "rw,cpu",
      },
    ]);
    const lines = fixture("debian12-host-v1/proc/self/mountinfo").trimEnd().split("\n");
    expect(mounts).toHaveLength(lines.length);
  });

  test.each(["debian12-host-v1", "docker-cgroup-v1", "cgroup-v2-nested", "podman-v1"])(
    "of %s: ids differ, and all but the first stand on another that is listed",
    (machine) => {
      const mounts = parseMounts(fixture(machine, "proc/self/mountinfo"));
      const ids = mounts.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const roots = mounts.filter(({ id, parent }) => id === parent || !ids.includes(parent));
      expect(roots).toHaveLength(1);
      expect(roots[0]?.mountPoint).toBe("/");
    },
  );

  // major and minor number as the kernel puts them into st_dev, of which the minor's lower byte comes first
  test.each([
    ["0:31", 31],
    ["0:255", 255],
    ["0:256", 0x100_000],
    ["0:300", 0x10_002c],
    ["0:4095", 0xf0_00ff],
    ["0:1048575", 0xfff0_00ff],
    ["8:1", 0x801],
    ["8:17", 0x811],
    ["8:300", 0x10_082c],
    ["253:0", 0xfd00],
    ["259:3", 0x1_0303],
    ["4095:1048575", 0xffff_ffff],
  ])("knows device %s as st_dev has it", (device, number) => {
    expect(parseMounts(`36 25 ${device} / /x rw - ext4 /dev/x rw\n`)[0]?.device).toBe(number);
  });

  test("knows the devices of this machine's own files, where nothing is mounted above them", () => {
    const mounts = parseMounts(fs.readFileSync("/proc/self/mountinfo", "utf8"));
    for (const mountPoint of ["/proc", "/sys"]) {
      const top = mounts.findLast((mount) => mount.mountPoint === mountPoint);
      if (top !== undefined) expect([mountPoint, top.device]).toEqual([mountPoint, fs.statSync(mountPoint).dev]);
    }
  });

  test.each([
    ["without its colon", "36"],
    ["without numbers", "x:y"],
    ["empty", ""],
  ])("fits no file's device where it is %s", (_, device) => {
    const [mount] = parseMounts(`36 25 ${device} / /x rw - ext4 /dev/x rw\n`);
    for (const { dev } of [fs.statSync("/"), fs.statSync("/proc")]) expect(mount?.device).not.toBe(dev);
  });

  test.each([
    ["no optional field", "36 25 0:31 /r /m rw - tmpfs t rw"],
    ["one", "36 25 0:31 /r /m rw shared:1 - tmpfs t rw"],
    ["three", "36 25 0:31 /r /m rw shared:1 master:2 propagate_from:3 - tmpfs t rw"],
  ])("finds what stands behind %s", (_, line) => {
    expect(parseMounts(line)).toEqual([
      { id: 36, parent: 25, device: 31, root: "/r", mountPoint: "/m", type: "tmpfs", superOptions: "rw" },
    ]);
  });

  test.each([
    ["blanks, tabs and newlines", "/a\\040b /c\\011d\\012e", "/a b", "/c\td\ne"],
    ["a backslash before digits", "/a\\134040 /b", "/a\\040", "/b"],
    ["a dash between blanks", "/a\\040-\\040b /c", "/a - b", "/c"],
    ["other scripts, which are not escaped", "/größe /東京", "/größe", "/東京"],
    ["the end of a removed folder", "/a//deleted /b", "/a//deleted", "/b"],
    ["parents of the reader's namespace", "/../.. /b", "/../..", "/b"],
  ])("reads paths with %s", (_, paths, root, mountPoint) => {
    expect(parseMounts(`36 25 0:31 ${paths} rw - tmpfs t rw\n`)).toMatchObject([{ root, mountPoint }]);
  });

  test.each([
    ["an empty file", "", 0],
    ["empty lines", "\n\n", 0],
    ["a line without its dash", "36 25 0:31 / /m rw tmpfs t rw\n", 0],
    ["a line that is cut before the mount point", "36 25 0:31 / - tmpfs t rw\n", 0],
    ["a last line that is cut within its options", "36 25 0:31 / /m rw - tmp", 1],
    ["one good line among others", "x\n36 25 0:31 / /m rw - tmpfs t rw\n - \n", 1],
  ])("skips what has another shape: %s", (_, text, count) => {
    expect(parseMounts(text)).toHaveLength(count);
  });

  test("takes time in proportion to the text, of which a user can make a megabyte", () => {
    for (const unit of [" ", " - ", "\\040", "\\", ":", "36 25 0:31 / /m rw - tmpfs t rw\n", "\n", "a"]) {
      const text = unit.repeat(targetReads.mountsBytes / unit.length);
      expect(cpuSeconds(() => parseMounts(text))).toBeLessThan(mostCpuSeconds);
      expect(cpuSeconds(() => parseMounts(`36 25 0:31 / ${text} - t t rw`))).toBeLessThan(mostCpuSeconds);
    }
  });
});

describe("cgroupVersionOf", () => {
  test.each([
    ["version 2", "cgroup2", "rw", "memory", 2],
    ["version 1 with the controller", "cgroup", "rw,memory", "memory", 1],
    ["version 1 with several", "cgroup", "rw,cpu,cpuacct,memory", "memory", 1],
    ["version 1 of another controller", "cgroup", "rw,pids", "memory", undefined],
    ["version 1 of another controller, which is asked for", "cgroup", "rw,pids", "pids", 1],
    ["a hierarchy that is only named so", "cgroup", "rw,name=memory", "memory", undefined],
    ["a type that only begins so", "cgroup2x", "rw,memory", "memory", undefined],
    ["a file system of a user that claims it", "fuse.cgroup2", "rw,memory", "memory", undefined],
    ["another file system", "tmpfs", "rw,memory", "memory", undefined],
  ] as const)("of %s", (_, type, superOptions, controller, version) => {
    const [mount] = parseMounts(`36 25 0:31 / /m rw - ${type} x ${superOptions}\n`);
    expect(mount && cgroupVersionOf(mount, controller)).toBe(version);
  });
});
