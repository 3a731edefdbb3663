import { describe, expect, test } from "vitest";
import { bounds, GiB, MiB } from "../../catalog/defaults.ts";
import { type BoundName, Bounds, boundNames, ownerOf, processesWithin } from "../../exporter/discovery/bounds.ts";

/** Bounds of a hundred processes, of which these owners have taken some. */
function taken(counts: Record<string, number>): Bounds {
  const found = new Bounds(100);
  for (const [owner, count] of Object.entries(counts)) for (let i = 0; i < count; i++) found.take(owner);
  return found;
}

describe("a process is kept out by", () => {
  test.each<[string, Record<string, number>, { groups: number; inGroup: number | undefined }, BoundName | undefined]>([
    ["nothing, at first", {}, { groups: 0, inGroup: undefined }, undefined],
    ["nothing, with one place left", { a: 49, b: 50 }, { groups: 1, inGroup: 49 }, undefined],
    ["the number of processes", { a: 50, b: 50 }, { groups: 1, inGroup: 1 }, "processes"],
    ["nothing, with one group left", {}, { groups: 49, inGroup: undefined }, undefined],
    ["the number of groups, if it brings one more", {}, { groups: 50, inGroup: undefined }, "groups"],
    ["nothing, if its group is there", {}, { groups: 50, inGroup: 1 }, undefined],
    ["nothing, if its group is there without a process", {}, { groups: 50, inGroup: 0 }, undefined],
    ["nothing, with one place left in its group", {}, { groups: 1, inGroup: 49 }, undefined],
    ["the number in its group", {}, { groups: 1, inGroup: 50 }, "processes_per_group"],
    ["nothing, with one place left for its owner", { me: 49 }, { groups: 1, inGroup: 1 }, undefined],
    ["the number of its owner", { me: 50 }, { groups: 1, inGroup: 1 }, "processes_per_owner"],
    ["nothing, if only another owner has many", { a: 50 }, { groups: 1, inGroup: 1 }, undefined],
    ["the first of all that hold", { me: 50, b: 50 }, { groups: 50, inGroup: undefined }, "processes"],
  ])("%s", (_, counts, inGroups, bound) => {
    expect(taken(counts).against("me", inGroups)).toBe(bound);
  });
});

describe("Bounds", () => {
  test("allow of all but processes half, and at least one", () => {
    expect(boundNames.map((name) => new Bounds(100).limitOf(name))).toEqual([100, 50, 50, 50]);
    expect(boundNames.map((name) => new Bounds(7).limitOf(name))).toEqual([7, 3, 3, 3]);
    expect(boundNames.map((name) => new Bounds(1).limitOf(name))).toEqual([1, 1, 1, 1]);
  });

  test("give a place back to whoever comes next", () => {
    const full = taken({ a: 50, b: 50 });
    full.giveBack("b");
    expect(full.against("c", { groups: 1, inGroup: 1 })).toBeUndefined();
    full.take("c");
    expect(full.against("c", { groups: 1, inGroup: 1 })).toBe("processes");
  });

  test("give a place back to its owner alone", () => {
    const full = taken({ me: 50 });
    full.giveBack("me");
    expect(full.against("me", { groups: 1, inGroup: 1 })).toBeUndefined();
    full.take("me");
    full.take("other");
    full.giveBack("other");
    expect(full.against("me", { groups: 1, inGroup: 1 })).toBe("processes_per_owner");
  });

  test("forget an owner whose last process has gone", () => {
    const used = taken({ me: 1 });
    used.giveBack("me");
    for (let i = 0; i < 49; i++) used.take("me");
    expect(used.against("me", { groups: 1, inGroup: 1 })).toBeUndefined();
  });

  test("are what they were after all have come and gone", () => {
    const used = new Bounds(4);
    for (let round = 0; round < 1000; round++) {
      for (const owner of [`a${round}`, `b${round}`]) {
        for (let i = 0; i < 2; i++) {
          expect(used.against(owner, { groups: 1, inGroup: 1 })).toBeUndefined();
          used.take(owner);
        }
      }
      expect(used.areFull).toBe(true);
      for (const owner of [`a${round}`, `b${round}`]) for (let i = 0; i < 2; i++) used.giveBack(owner);
    }
    expect(used.areFull).toBe(false);
  });

  test("can be narrowed below what is taken, and then take none", () => {
    const narrowed = taken({ a: 30, b: 30 });
    narrowed.processes = 10;
    expect(narrowed.against("c", { groups: 1, inGroup: 1 })).toBe("processes");
    expect(narrowed.limitOf("groups")).toBe(5);
  });

  test("without a number allow what the catalogue says", () => {
    expect(new Bounds().limitOf("processes")).toBe(bounds.processes);
  });
});

describe("processesWithin", () => {
  const fitting = (bytes: number) => Math.floor((bytes - bounds.reservedBytes) / bounds.bytesPerProcess);

  test.each([
    ["no limit", undefined, bounds.processes],
    ["a limit of 0, which is none", 0, bounds.processes],
    ["a limit that is no number", Number.NaN, bounds.processes],
    ["less than the exporter itself takes", 32 * MiB, bounds.leastProcesses],
    ["64 MiB, which the exporter itself takes", 64 * MiB, bounds.leastProcesses],
    ["96 MiB", 96 * MiB, fitting(96 * MiB)],
    ["192 MiB", 192 * MiB, fitting(192 * MiB)],
    ["2 GiB", 2 * GiB, bounds.processes],
    ["a huge limit, as cgroups write none", 2 ** 63, bounds.processes],
    ["an endless one", Number.POSITIVE_INFINITY, bounds.processes],
  ])("%s", (_, limit, processes) => {
    expect(processesWithin(limit)).toBe(processes);
  });

  test("is enough for a node with the shipped limits, and never shrinks with more memory", () => {
    expect(processesWithin(96 * MiB)).toBeGreaterThan(1000);
    expect(processesWithin(192 * MiB)).toBeGreaterThan(5000);
    const sizes = Array.from({ length: 200 }, (_, i) => processesWithin(i * 4 * MiB + 1));
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes.every(Number.isInteger)).toBe(true);
  });
});

describe("the owner of a process", () => {
  test.each([
    ["its container", { containerId: "abc", uid: 1000 }, "abc"],
    ["its container, whoever runs in it", { containerId: "abc", uid: 0 }, "abc"],
    ["its user, without a container", { containerId: undefined, uid: 1000 }, "user 1000"],
    ["root, who is a user as well", { containerId: undefined, uid: 0 }, "user 0"],
    ["not known", { containerId: undefined, uid: undefined }, "user unknown"],
  ])("is %s", (_, identity, owner) => {
    expect(ownerOf(identity)).toBe(owner);
  });
});
