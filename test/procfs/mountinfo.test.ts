import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCgroupMounts } from "../../exporter/procfs/mountinfo.ts";
import { fixture } from "../support/fixtures.ts";

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
