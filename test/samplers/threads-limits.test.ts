import { describe, expect, test } from "vitest";
import { processMetrics } from "../../catalog/metrics.ts";
import { type FakeMachine, fakeMachine, ownPid, watch } from "../support/machine.ts";

const { maxThreads } = processMetrics;

/** A user's process whose own limit is 63000, and what it may have after one pass. */
async function limitOn(machine: FakeMachine, facts: Parameters<FakeMachine["start"]>[0] = {}) {
  const { pass, value, failures } = watch(machine);
  const pid = machine.start(facts);
  await pass();
  return { pid, pass, limit: () => value(pid, maxThreads), failures: [...failures] };
}

describe("the limit of threads is", () => {
  test.each([
    ["the process' own, which is a user's", { uid: 1000 }, 63_000],
    ["none for root, of whom the kernel does not ask it", { uid: 0 }, undefined],
    ["none for who may override resource limits", { capabilities: 1n << 24n }, undefined],
    ["none where it is unlimited and there is no other", { maxProcesses: "unlimited" }, undefined],
  ])("%s", async (_, facts, expected) => {
    const { limit, failures } = await limitOn(fakeMachine(), facts);
    expect(limit()).toBe(expected);
    expect(failures).toEqual([]);
  });

  test.each([
    ["threads-max", 30_000, 32_768],
    ["pid_max", 32_768, 30_000],
  ])("the kernel's, by %s, also for root", async (_, threadsMax, pidMax) => {
    const machine = fakeMachine();
    machine.write("proc/sys/kernel/threads-max", `${threadsMax}\n`);
    machine.write("proc/sys/kernel/pid_max", `${pidMax}\n`);
    const { limit } = await limitOn(machine, { uid: 0 });
    expect(limit()).toBe(30_000);
  });

  test.each([
    ["its cgroup's", { "/pod/api": "100", "/pod": "max" }, 100],
    ["that of the cgroup above, when it is smaller", { "/pod/api": "100", "/pod": "80" }, 80],
    ["that of the cgroup above, when there is no other", { "/pod/api": "max", "/pod": "80" }, 80],
    ["the process' own where no cgroup has one", { "/pod/api": "max", "/pod": "max" }, 63_000],
    ["the process' own where the pids controller is off", {}, 63_000],
  ] as const)("%s (version 2)", async (_, limits, expected) => {
    const machine = fakeMachine({ cgroups: 2 });
    for (const name of ["/pod", "/pod/api"]) machine.cgroup(name);
    for (const [name, limit] of Object.entries(limits)) machine.write(`sys/fs/cgroup${name}/pids.max`, `${limit}\n`);
    const { limit } = await limitOn(machine, { cgroup: "/pod/api" });
    expect(limit()).toBe(expected);
  });
});

describe("on version 1, where pids have a hierarchy of their own", () => {
  /** The process sits in /memory-group of one and in /pids-group of the other. */
  async function limitOfHierarchy(machine: FakeMachine, mountinfoOf: number | "self") {
    const hierarchy = "33 31 0:30 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n";
    machine.cgroup("/memory-group");
    machine.write("sys/fs/cgroup/pids/pids-group/pids.max", "70\n");
    machine.write(`proc/${mountinfoOf === "self" ? ownPid : mountinfoOf}/mountinfo`, hierarchy);
    const { pass, value } = watch(machine);
    const pid = machine.start({ cgroup: "/memory-group" });
    machine.write(`proc/${pid}/cgroup`, "8:pids:/pids-group\n4:memory:/memory-group\n0::/\n");
    await pass();
    return value(pid, maxThreads);
  }

  test("it is that of the cgroup there", async () => {
    expect(await limitOfHierarchy(fakeMachine({ cgroups: 1 }), "self")).toBe(70);
  });

  test("it is found in the target's own mounts where ours do not show it", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    machine.write("proc/100/root/sys/fs/cgroup/pids/pids-group/pids.max", "70\n");
    expect(await limitOfHierarchy(machine, 100)).toBe(70);
  });

  test("it is left out where the target's mounts may not be seen", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    machine.files.deny(/\/100\/mountinfo$/);
    expect(await limitOfHierarchy(machine, 100)).toBe(63_000);
  });
});

test("a new limit shows after the next refresh, and not before", async () => {
  const machine = fakeMachine();
  machine.cgroup("/api");
  machine.write("sys/fs/cgroup/api/pids.max", "100\n");
  const { pass, limit } = await limitOn(machine, { cgroup: "/api" });
  await pass(); // the first refresh comes soon after the start
  machine.write("sys/fs/cgroup/api/pids.max", "200\n");
  await pass();
  expect(limit()).toBe(100);
  await pass(600);
  expect(limit()).toBe(200);
});

test("a limit that is no number is counted as unreadable once, and the others hold", async () => {
  const machine = fakeMachine();
  machine.cgroup("/api");
  machine.write("sys/fs/cgroup/api/pids.max", "lots\n");
  const { limit, failures } = await limitOn(machine, { cgroup: "/api" });
  expect(limit()).toBe(63_000);
  expect(failures).toEqual([{ file: "pids.max", reason: "format", count: 1 }]);
});
