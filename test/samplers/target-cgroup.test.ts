// Cgroups that only their own processes show: what they show counts for themselves, and within what the machine can have.

import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { type FakeMachine, fakeMachine, watch } from "../support/machine.ts";

const files = (machine: FakeMachine, pid: number, cgroup: string, texts: Record<string, string>) => {
  const mount = "22 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  machine.write(`proc/${pid}/mountinfo`, mount);
  for (const [name, text] of Object.entries(texts)) {
    machine.write(`proc/${pid}/root/sys/fs/cgroup${cgroup}/${name}`, `${text}\n`);
  }
};
const ordinary = { "memory.stat": "anon 1048576\nfile 0\nkernel 0\ninactive_file 0", "memory.current": "2097152" };

/** A process in a cgroup of its own, on a machine whose cgroups are not mounted here. */
function inCgroup(machine: FakeMachine, name: string, texts: Record<string, string> = {}): number {
  const cgroup = `/${name}`;
  const pid = machine.start({ argv: [`/srv/${name}`], exe: `/srv/${name}`, cgroup });
  files(machine, pid, cgroup, { ...ordinary, ...texts });
  return pid;
}

const cgroupsOf = (watcher: ReturnType<typeof watch>["watcher"]) =>
  Object.fromEntries([...watcher.cgroups].map((cgroup) => [cgroup.path, cgroup]));

describe("a cgroup that only its processes show", () => {
  test("has the limit, memory and threads that they show, from the first pass on", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    inCgroup(machine, "api", { "memory.max": String(64 * MiB), "pids.max": "77" });
    const { watcher, pass, exposition } = watch(machine);
    await pass();
    expect(cgroupsOf(watcher)["/api"]).toMatchObject({
      limit: { bytes: 64 * MiB, source: "cgroup" },
      memory: { usage: 2 * MiB, anonymous: MiB },
    });
    await pass();
    expect(await exposition()).toContain('leakwatch_process_max_threads{group="api",slot="0"} 77\n');
  });

  test("has the least limit of those above it", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const pid = inCgroup(machine, "pod/api", { "memory.max": "max" });
    machine.write(`proc/${pid}/root/sys/fs/cgroup/pod/memory.max`, `${32 * MiB}\n`);
    const { watcher, pass } = watch(machine);
    await pass();
    expect(cgroupsOf(watcher)["/pod/api"]?.limit).toEqual({ bytes: 32 * MiB, source: "ancestor" });
  });

  test("has the memory of the one above that counts it, told once, and the threads limit of its own", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const pids = ["vm/emulator", "vm/vcpu0"].map((name) => {
      const pid = machine.start({ argv: [`/srv/${name}`], exe: `/srv/${name}`, cgroup: `/${name}` });
      files(machine, pid, `/${name}`, {
        "cgroup.type": "threaded",
        "memory.pressure": "some total=1",
        "pids.max": "77",
      });
      files(machine, pid, "/vm", { ...ordinary, "memory.max": String(64 * MiB), "pids.max": "99" });
      return pid;
    });
    const { watcher, pass, value } = watch(machine);
    await pass();
    await pass();
    const { "/vm/emulator": emulator, "/vm/vcpu0": vcpu } = cgroupsOf(watcher);
    expect(emulator).toMatchObject({ limit: { bytes: 64 * MiB, source: "cgroup" }, memory: { usage: 2 * MiB } });
    expect(vcpu).toMatchObject({ limit: { bytes: 64 * MiB, source: "cgroup" }, memory: undefined });
    expect(pids.map((pid) => value(pid, processMetrics.maxThreads))).toEqual([77, 77]);
  });

  test("is shown by another of its processes when the first one shows something else", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const forger = machine.start({ cgroup: "/api" });
    machine.write(`proc/${forger}/mountinfo`, "22 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    fs.mkdirSync(machine.path(`proc/${forger}/root/sys/fs/cgroup/api/memory.stat`), { recursive: true });
    const honest = machine.start({ cgroup: "/api" });
    files(machine, honest, "/api", { ...ordinary, "memory.max": String(64 * MiB) });
    const { watcher, pass } = watch(machine);
    await pass();
    expect(cgroupsOf(watcher)["/api"]?.limit?.bytes).toBe(64 * MiB);
  });

  test("is not asked again for ten minutes when it shows something else, which is counted", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const pid = inCgroup(machine, "api", { "memory.max": "1\n".repeat(20_000) });
    const { watcher, pass, failures } = watch(machine);
    const asked = () => [...failures].find(({ file, reason }) => file === "cgroup" && reason === "untrusted")?.count;
    await pass();
    await pass(15);
    expect(asked()).toBe(1);
    expect(watcher.watched.get(pid)?.unreadable.get("cgroup")).toBe("untrusted");
    await pass(600);
    expect(asked()).toBe(2);
  });

  test.each([
    ["more memory than the machine has", { "memory.current": String(9 * GiB) }],
    ["a number that no counter has", { "memory.current": "18446744073709551615" }],
  ])("has no usage where it shows %s", async (_, texts) => {
    const machine = fakeMachine({ cgroups: "not mounted", memory: 8 * GiB });
    inCgroup(machine, "api", texts);
    const { watcher, pass } = watch(machine);
    await pass();
    expect(cgroupsOf(watcher)["/api"]?.memory).toMatchObject({ usage: undefined, anonymous: MiB });
  });

  test("of which the process has thousands of mounts, or sits very deep, is not read", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const deep = inCgroup(machine, `a${"/a".repeat(100)}`);
    const many = inCgroup(machine, "many");
    machine.write(`proc/${many}/mountinfo`, "22 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n".repeat(10_000));
    const { watcher, pass } = watch(machine);
    await pass();
    for (const pid of [deep, many]) expect(watcher.watched.get(pid)?.unreadable.get("cgroup")).toBe("untrusted");
  });
});

describe("OOM kills that a process shows of its own cgroup", () => {
  const kills = (count: number) => `oom 0\noom_kill ${count}`;

  test("count up to those of the machine, and for itself", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const forger = inCgroup(machine, "forger", { "memory.events": kills(0) });
    const honest = inCgroup(machine, "honest", { "memory.events": kills(0) });
    const { watcher, pass } = watch(machine);
    await pass();
    files(machine, forger, "/forger", { "memory.events": kills(300_000_000) });
    machine.countOomKillElsewhere();
    machine.stop(honest);
    await pass();
    expect(watcher.ledger.account("honest")).toMatchObject({ oomKills: 0, lastEnd: { reason: "exit" } });
    expect(watcher.ledger.account("forger").oomKills).toBe(0);
    machine.stop(forger);
    await pass();
    expect(watcher.ledger.account("forger").oomKills).toBeLessThanOrEqual(1);
  });

  test("count for nobody while the machine has counted none", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const pid = inCgroup(machine, "api", { "memory.events": kills(0) });
    const { watcher, pass } = watch(machine);
    await pass();
    files(machine, pid, "/api", { "memory.events": kills(300_000_000) });
    await pass();
    machine.stop(pid);
    await pass();
    expect(watcher.ledger.account("api")).toMatchObject({ oomKills: 0, lastEnd: { reason: "exit" } });
  });

  test("of a worker are booked when its master shows them", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const master = inCgroup(machine, "api", { "memory.events": kills(0) });
    const worker = machine.start({ argv: ["/srv/worker"], cgroup: "/api" });
    const { watcher, pass } = watch(machine);
    await pass();
    files(machine, master, "/api", { "memory.events": kills(1) });
    machine.countOomKillElsewhere();
    machine.stop(worker);
    await pass();
    expect(watcher.ledger.account("worker")).toMatchObject({
      oomKills: 1,
      lastEnd: { reason: "oom", evidence: "cgroup_oom_kill" },
    });
  });
});
