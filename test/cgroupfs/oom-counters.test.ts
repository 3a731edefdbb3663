import { describe, expect, test } from "vitest";
import { OomCounters, unknownRise } from "../../exporter/cgroupfs/oom-counters.ts";
import { fakeMachine } from "../support/machine.ts";

const folder = { 1: "/sys/fs/cgroup/memory/api", 2: "/sys/fs/cgroup/api" } as const;

/** A cgroup whose counters were read once. */
function counted(version: 1 | 2) {
  const machine = fakeMachine({ cgroups: version });
  machine.cgroup("/api");
  const counters = new OomCounters(machine.files);
  counters.begin(version, folder[version]);
  const write = (name: string, text: string) => machine.write(`${folder[version].slice(1)}/${name}`, text);
  /** The container is started again. */
  const remake = (oomKills: number) => {
    machine.removeCgroup("/api");
    machine.write("sys/fs/cgroup/other", ""); // takes the inode that has become free
    machine.cgroup("/api", { oomKills });
  };
  return { machine, counters, write, remake, rise: () => counters.rise(version, folder[version]) };
}

describe("OomCounters", () => {
  test("of version 2: kills, and those of whole groups", () => {
    const { write, rise } = counted(2);
    write("memory.events", "low 0\nhigh 0\nmax 35\noom 2\noom_kill 5\noom_group_kill 1\n");
    expect(rise()).toEqual({ kills: 5, groupKills: 1, newKills: 5 });
    expect(rise()).toEqual({ kills: 0, groupKills: 0, newKills: 0 });
  });

  test("of version 1: kills", () => {
    const { write, rise } = counted(1);
    write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    expect(rise()).toEqual({ kills: 1, groupKills: undefined, newKills: 1 });
  });

  test.each([
    ["group kills, before Linux 5.17", "max 0\noom_kill 0\n", "groupKills"],
    ["kills, before Linux 4.13", "max 0\noom 3\n", "kills"],
    ["anything, in the root cgroup", "", "kills"],
  ] as const)("does not know what the kernel does not count: %s", (_, text, name) => {
    const { write, rise } = counted(2);
    write("memory.events", text);
    rise();
    expect(rise()[name]).toBeUndefined();
  });

  test.each([1, 2] as const)("knows nothing of a folder that is gone (version %i)", (version) => {
    const { machine, rise } = counted(version);
    machine.removeCgroup("/api");
    expect(rise()).toEqual(unknownRise);
  });

  test.each([1, 2] as const)("does not take the counter of a new folder for the old one's (version %i)", (version) => {
    const { machine, rise, remake } = counted(version);
    machine.cgroup("/api", { oomKills: 2 });
    rise();
    remake(3);
    expect(rise()).toEqual({ ...unknownRise, newKills: 3 });
    machine.cgroup("/api", { oomKills: 4 });
    expect(rise()).toMatchObject({ kills: 1, newKills: 1 });
  });

  test("counts a folder from 0 that was made anew before its new processes were met", () => {
    const { machine, counters, rise, remake } = counted(2);
    machine.cgroup("/api", { oomKills: 2 });
    rise();
    remake(1);
    expect(counters.beginAnew(folder[2])).toBe(true);
    expect(rise()).toMatchObject({ kills: 1, newKills: 1 });
    expect(counters.beginAnew(folder[2])).toBe(false);
  });

  test("does not know what was counted where the counter runs back", () => {
    const { machine, rise } = counted(2);
    machine.cgroup("/api", { oomKills: 2 });
    rise();
    machine.cgroup("/api", { oomKills: 1 });
    expect(rise()).toMatchObject({ kills: undefined, newKills: 1 });
  });

  test("keeps the counts of some thousands of folders without processes", () => {
    const { machine, counters } = counted(2);
    for (let i = 0; i < 5000; i++) machine.cgroup(`/job${i}`);
    for (let i = 0; i < 5000; i++) counters.begin(2, `/sys/fs/cgroup/job${i}`);
    counters.forget(new Set([folder[2]]));
    machine.cgroup("/api", { oomKills: 1 });
    machine.cgroup("/job0", { oomKills: 1 });
    machine.cgroup("/job4999", { oomKills: 1 });
    expect(counters.rise(2, folder[2]).kills).toBe(1);
    expect(counters.rise(2, "/sys/fs/cgroup/job0").kills).toBeUndefined();
    expect(counters.rise(2, "/sys/fs/cgroup/job4999").kills).toBe(1);
  });
});
