import { describe, expect, test } from "vitest";
import { countingCgroup, parentOf } from "../../exporter/cgroupfs/counting-cgroup.ts";

const top = "/sys/fs/cgroup";

/** The path that counts a cgroup of version 2, on a machine with these files and folders. */
function counting(path: string, present: readonly string[], folder = path) {
  const all = new Set(present.map((name) => top + name));
  const at = { folder: top + folder, top };
  return countingCgroup((file) => all.has(file), { version: 2, path, at });
}

describe("countingCgroup", () => {
  test.each([
    ["itself where it has the controller", "/a/b", ["/a/b", "/a/b/memory.stat", "/a/memory.stat"], "/a/b"],
    ["its domain where it is threaded", "/a/b", ["/a/b", "/a/memory.stat", "/memory.stat"], "/a"],
    ["the nearest of several above", "/a/b/c/d", ["/a/b/c/d", "/a/memory.stat", "/memory.stat"], "/a"],
    ["the root where no unit is accounted", "/a/b", ["/a/b", "/memory.stat"], "/"],
    ["itself where the controller is off", "/a/b", ["/a/b", "/a", "/"], "/a/b"],
    ["itself where its folder is gone", "/a/b", ["/a", "/a/memory.stat"], "/a/b"],
    [
      "not one that only tells pressure, as every cgroup does",
      "/a/b",
      ["/a/b", "/a/b/memory.pressure", "/a/memory.stat"],
      "/a",
    ],
  ])("is %s", (_, path, present, expected) => {
    const found = counting(path, present);
    expect(found.path).toBe(expected);
    expect(found.at).toEqual({ folder: expected === "/" ? top : top + expected, top });
  });

  test("is named from our own place where a host's mount reaches above it", () => {
    const present = ["/pods/pod1/web", "/pods/memory.stat"];
    expect(counting("/../web", present, "/pods/pod1/web")).toMatchObject({
      path: "/../..",
      at: { folder: `${top}/pods` },
    });
    expect(counting("/", present, "/pods/pod1/web")).toMatchObject({ path: "/../..", at: { folder: `${top}/pods` } });
  });

  test("is itself in version 1, whose hierarchy of memory counts everywhere", () => {
    const at = { folder: "/sys/fs/cgroup/cpu,memory/vm/emulator", top: "/sys/fs/cgroup/cpu,memory" };
    // also at the moment at which its own files are not there yet
    const isPresent = (file: string) => !file.endsWith("/emulator/memory.stat");
    expect(countingCgroup(isPresent, { version: 1, path: "/vm/emulator", at }).path).toBe("/vm/emulator");
  });
});

test("nothing is above the top of a mount", () => {
  expect(parentOf({ version: 2, path: "/", at: { folder: top, top } })).toBeUndefined();
});
