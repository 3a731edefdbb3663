import { describe, expect, test } from "vitest";
import { Group, type Slot } from "../../exporter/model/group.ts";
import type { Life } from "../../exporter/model/life.ts";

/** A group knows no more of a life than that it is there. */
const life = (pid: number) => ({ pid }) as Life;

/** Starts a process in the lowest free slot. */
function start(group: Group, pid: number): number {
  const number = group.freeSlot("root");
  const slot = group.slots[number];
  if (slot) group.fill(slot, life(pid), "root");
  return number;
}

function end(group: Group, number: number): void {
  const slot = group.slots[number];
  if (slot) group.free(slot);
}

describe("Group", () => {
  test("gives slots from 0 on", () => {
    const group = new Group("api");
    expect([start(group, 10), start(group, 11), start(group, 12)]).toEqual([0, 1, 2]);
  });

  test("gives the freed slot to a restarted worker, so that no slot is added", () => {
    const group = new Group("api");
    for (const pid of [10, 11, 12]) start(group, pid);
    end(group, 1);
    expect(start(group, 13)).toBe(1);
    expect(group.slots).toHaveLength(3);
  });

  test("fills the lowest of several free slots first", () => {
    const group = new Group("api");
    for (const pid of [10, 11, 12, 13]) start(group, pid);
    end(group, 2);
    end(group, 0);
    expect([start(group, 14), start(group, 15), start(group, 16)]).toEqual([0, 2, 4]);
  });

  test("lists the processes that run, by slot", () => {
    const group = new Group("api");
    for (const pid of [10, 11, 12]) start(group, pid);
    end(group, 1);
    expect(group.lives().map(({ pid }) => pid)).toEqual([10, 12]);
    start(group, 13);
    expect(group.lives().map(({ pid }) => pid)).toEqual([10, 13, 12]);
  });

  test("runs as long as one of its processes does", () => {
    const group = new Group("api");
    expect(group.running).toBe(false);
    start(group, 10);
    start(group, 11);
    end(group, 0);
    expect(group.running).toBe(true);
    end(group, 1);
    expect(group.running).toBe(false);
  });

  test("remembers what is known of a slot for its next process", () => {
    const group = new Group("api");
    start(group, 10);
    const slot = group.slots[0];
    if (slot) slot.starts = [5];
    end(group, 0);
    start(group, 11);
    expect(group.slots[0]?.starts).toEqual([5]);
  });

  test("keeps the slots of masters and workers apart, so that each follows its own kind", () => {
    const group = new Group("gunicorn");
    const put = (pid: number, role: "root" | "worker") => {
      const number = group.freeSlot(role);
      group.fill(group.slots[number] as Slot, life(pid), role);
      return number;
    };
    expect([put(10, "root"), put(11, "worker"), put(12, "worker")]).toEqual([0, 1, 2]);
    for (const number of [0, 1, 2]) end(group, number);
    expect([put(20, "worker"), put(21, "root"), put(22, "worker")]).toEqual([1, 0, 2]);
  });

  test("gives the slot that is asked for, if it is free", () => {
    const group = new Group("api");
    for (const pid of [10, 11, 12]) start(group, pid);
    const last = group.slots[2] as Slot;
    expect(group.freeSlot("root", last)).toBe(3);
    for (const number of [0, 2]) end(group, number);
    expect(group.freeSlot("root", last)).toBe(2);
  });
});
