// What is read of each cgroup, and how often: limits are as they are at each full pass, and files stay open.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { fakeMachine, openFilesEndWithTheirProcess, watch } from "../support/machine.ts";

const pod = "/kubepods/pod1";
const [web, worker] = [`${pod}/web`, `${pod}/worker`] as const;

/** A pod with a limit, and two containers without one. */
async function twoContainers(version: 1 | 2 = 2) {
  const machine = fakeMachine({ cgroups: version });
  machine.cgroup(pod, { limit: 512 * MiB });
  const pids = [web, worker].map((cgroup) => {
    machine.cgroup(cgroup, { usage: 10 * MiB });
    return machine.start({ cgroup, resident: 8 * MiB });
  });
  const { watcher } = watch(machine, { maxKept: 100 });
  const pass = async () => {
    machine.clock.advance(15);
    await watcher.pass({ full: true });
    return Object.fromEntries([...watcher.cgroups].map((cgroup) => [cgroup.path, cgroup]));
  };
  return { machine, watcher, pids, pass };
}

describe.each([1, 2] as const)("version %i", (version) => {
  test("a limit that changes above shows at the next full pass", async () => {
    const { machine, pass } = await twoContainers(version);
    expect((await pass())[worker]?.limit).toEqual({ bytes: 512 * MiB, source: "ancestor" });
    machine.cgroup(pod, { limit: 256 * MiB });
    expect((await pass())[worker]?.limit).toEqual({ bytes: 256 * MiB, source: "ancestor" });
  });

  test("a container's own limit that comes and goes shows too", async () => {
    const { machine, pass } = await twoContainers(version);
    machine.cgroup(web, { limit: 64 * MiB });
    expect((await pass())[web]?.limit).toEqual({ bytes: 64 * MiB, source: "cgroup" });
    machine.cgroup(web, { limit: undefined });
    expect((await pass())[web]?.limit).toEqual({ bytes: 512 * MiB, source: "ancestor" });
  });

  test("usage is that of the pass, though the file was opened long ago", async () => {
    const { machine, pass } = await twoContainers(version);
    expect((await pass())[web]?.memory?.usage).toBe(10 * MiB);
    machine.cgroup(web, { usage: 11 * MiB });
    expect((await pass())[web]?.memory?.usage).toBe(11 * MiB);
  });

  test("a cgroup that was made anew under the same path is read as it is now", async () => {
    openFilesEndWithTheirProcess();
    const { machine, pass } = await twoContainers(version);
    await pass();
    machine.removeCgroup(web);
    machine.cgroup(web, { usage: 3 * MiB, limit: 32 * MiB });
    expect((await pass())[web]).toMatchObject({
      memory: { usage: 3 * MiB },
      limit: { bytes: 32 * MiB, source: "cgroup" },
    });
  });

  test("of a cgroup that is gone there is no memory, and the limit that it had", async () => {
    openFilesEndWithTheirProcess();
    const { machine, pass } = await twoContainers(version);
    machine.cgroup(web, { limit: 64 * MiB });
    await pass();
    machine.removeCgroup(web);
    expect((await pass())[web]).toMatchObject({ memory: undefined, limit: { bytes: 64 * MiB, source: "cgroup" } });
  });
});

test("a limit above many is read once in each full pass", async () => {
  const { machine, pass } = await twoContainers();
  await pass();
  const read: string[] = [];
  const text = machine.files.text.bind(machine.files);
  machine.files.text = (file) => {
    read.push(file);
    return text(file);
  };
  await pass();
  expect(read.filter((file) => file === `/sys/fs/cgroup${pod}/memory.max`)).toHaveLength(1);
});

test("descriptors are let go of with the last process of a cgroup, and all of them at the end", async () => {
  const { machine, watcher, pids, pass } = await twoContainers();
  await pass();
  const both = watcher.reader.kept;
  machine.stop(pids[0] as number);
  await pass();
  // status, and memory.stat, current, max and events
  expect(both - watcher.reader.kept).toBe(5);
  watcher.close();
  expect(watcher.reader.kept).toBe(0);
});
