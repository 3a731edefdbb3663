import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCgroup, parseMemoryCgroup } from "../../exporter/procfs/cgroup.ts";
import { fixture } from "../support/fixtures.ts";

/** Any bytes, decoded as the exporter decodes them. */
const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString());

const burstable =
  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9c3f5e_7a41_4b62_9a53_3f1c2f6b8d10.slice";
const web = "cri-containerd-8c1e5d2f9b7a4630e1c8d5f2b9a7604318e5c1d2f9b7a4630e1c8d5f2b9a7604.scope";
const api = "/docker/394599a6e06f5cf22cf47392d881e39fcdbcd812d92692a68f822729d1967b79";

describe("parseMemoryCgroup on captured machines", () => {
  test.each([
    ["a hybrid host, where version 1 has the memory controller", "debian12-host-v1/proc/7769", 1, "/services/apps"],
    ["a zombie on it", "debian12-host-v1/proc/7780", 1, "/"],
    ["docker on version 1", "docker-cgroup-v1/proc/8", 1, api],
    ["a Kubernetes node on version 2", "cgroup-v2-nested/proc/116", 2, `${burstable}/${web}`],
    ["a kernel thread on it", "cgroup-v2-nested/proc/2", 2, "/"],
    ["our own, in a private namespace", "cgroup-v2-private-namespace/proc/6", 2, "/"],
    ["a sibling, from a private namespace", "cgroup-v2-private-namespace/proc/2", 2, `/../${web}`],
  ] as const)("reads that of %s", (_, folder, version, path) => {
    expect(parseMemoryCgroup(fixture(folder, "cgroup"))).toEqual({ version, path });
  });
});

describe("parseMemoryCgroup", () => {
  test.each([
    ["a kernel without cgroups", "", undefined],
    ["version 1 hierarchies without memory", "3:cpu,cpuacct:/a\n1:name=systemd:/b\n", undefined],
    ["memory mounted together with others", "5:cpuset,memory:/a\n0::/b\n", { version: 1, path: "/a" }],
    ["a controller whose name only contains memory", "5:memory2,xmemory:/a\n0::/b\n", { version: 2, path: "/b" }],
    ["a named hierarchy called memory", "5:name=memory:/a\n0::/b\n", { version: 2, path: "/b" }],
    ["a path with colons and blanks", "0::/a:b/c d\n", { version: 2, path: "/a:b/c d" }],
    ["a line that is cut short", "4:memo", undefined],
    ["a path that is not absolute", "0::a\n", undefined],
  ])("understands %s", (_, text, expected) => {
    expect(parseMemoryCgroup(text)).toEqual(expected);
  });

  // The kernel refuses newlines in a cgroup's name, and accepts everything else.
  test.each(["\r", "\u2028", "\u2029", "\v"])("keeps %j inside a cgroup's name", (odd) => {
    const path = `/users/${odd}0::/fake`;
    expect(parseMemoryCgroup(`0::${path}\n`)).toEqual({ version: 2, path });
  });

  test("never throws, and finds only absolute paths", () => {
    const text = fc.oneof(
      anyText,
      fc
        .array(fc.constantFrom("0", "4", ":", "memory", "/a", "\n", "\r", "name=", ","), { maxLength: 20 })
        .map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (file) => {
        expect(parseMemoryCgroup(file)?.path ?? "/").toMatch(/^\//);
      }),
    );
  });
});

describe("parseCgroup of pids", () => {
  test.each([
    ["a hybrid host, where it is another one than that of the memory", "debian12-host-v1/proc/7769", 1, "/"],
    ["docker on version 1", "docker-cgroup-v1/proc/8", 1, api],
    ["a Kubernetes node on version 2", "cgroup-v2-nested/proc/116", 2, `${burstable}/${web}`],
  ] as const)("reads that of %s", (_, folder, version, path) => {
    expect(parseCgroup(fixture(folder, "cgroup"), "pids")).toEqual({ version, path });
  });
});
