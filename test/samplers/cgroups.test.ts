// What is read of each cgroup, and how often: limits are as they are at each full pass, and files stay open. Which cgroup counts a
// process, and what is known of OOM kills when one has ended.

import { describe, expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import type { MemoryCgroup } from "../../exporter/procfs/cgroup.ts";
import type { Cgroups, WatchedCgroup } from "../../exporter/samplers/cgroups.ts";
import { type FakeMachine, fakeMachine, openFilesEndWithTheirProcess, watch } from "../support/machine.ts";

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

describe("a cgroup without the memory controller", () => {
  const vm = "/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope/libvirt";

  /** A cgroup below one that counts: it has files, but none of memory. */
  const below = (
    machine: FakeMachine,
    name: string,
    files: Record<string, string> = { "cgroup.type": "threaded\n" },
  ) => {
    for (const [file, text] of Object.entries(files)) machine.write(`sys/fs/cgroup${name}/${file}`, text);
    return name;
  };

  /** A virtual machine as libvirt runs it. */
  async function virtualMachine() {
    const machine = fakeMachine();
    machine.cgroup(vm, { limit: 5 * GiB, usage: 4 * GiB });
    const emulator = below(machine, `${vm}/emulator`, {
      "cgroup.type": "threaded\n",
      "memory.pressure": "some total=1\n",
    });
    const pid = machine.start({ argv: ["/usr/bin/qemu-system-x86_64"], cgroup: emulator });
    const watched = watch(machine);
    await watched.pass();
    return { machine, emulator, pid, ...watched };
  }

  test("has the memory, limit and events of the nearest above that counts, under its name", async () => {
    const { exposition } = await virtualMachine();
    const text = await exposition();
    const label = `cgroup="${vm.replaceAll("\\", "\\\\")}"`;
    expect(text).toContain(`leakwatch_cgroup_memory_usage_bytes{${label}} ${4 * GiB}\n`);
    expect(text).toContain(`leakwatch_cgroup_memory_working_set_bytes{${label}} ${4 * GiB}\n`);
    expect(text).toContain(`leakwatch_cgroup_memory_limit_bytes{${label}} ${5 * GiB}\n`);
    expect(text).toContain(`leakwatch_cgroup_memory_events_total{${label},event="oom_kill"} 0\n`);
    expect(text).toContain(`leakwatch_process_memory_limit_bytes{group="qemu-system-x86_64",slot="0"} ${5 * GiB}\n`);
    expect(text).toMatch(
      /leakwatch_process_memory_limit_info\{group="qemu-system-x86_64",slot="0",source="cgroup"\} 1/,
    );
    expect(text.split("\n").find((line) => line.startsWith("leakwatch_process_info"))).toContain(label);
    expect(text.split("\n").filter((line) => line.includes("emulator"))).toEqual([]);
  });

  test("has an OOM kill of its process counted there", async () => {
    const { machine, pid, pass, watcher } = await virtualMachine();
    machine.countOomKillElsewhere();
    machine.cgroup(vm, { oomKills: 1 });
    machine.stop(pid);
    await pass();
    expect(watcher.ledger.account("qemu-system-x86_64")).toMatchObject({
      oomKills: 1,
      lastEnd: { reason: "oom", evidence: "cgroup_oom_kill" },
    });
  });

  test("stays the same cgroup when its process is named again, and one OOM kill meanwhile is still one", async () => {
    const { machine, pid, pass, watcher } = await virtualMachine();
    const before = watcher.watched.get(pid)?.cgroup;
    const victim = machine.start({ argv: ["/usr/bin/helper"], cgroup: `${vm}/emulator` });
    await pass();
    await pass(600); // every identity is read again
    expect(watcher.watched.get(pid)?.cgroup).toBe(before);
    machine.countOomKillElsewhere();
    machine.cgroup(vm, { oomKills: 1 });
    machine.stop(victim);
    await pass(600);
    expect(watcher.ledger.account("helper")).toMatchObject({ oomKills: 1, lastEnd: { reason: "oom" } });
  });

  test("is told once, however many such cgroups one counts", async () => {
    const machine = fakeMachine();
    machine.cgroup("/user.slice/app.slice", { usage: 90 * MiB });
    for (const unit of ["a.service", "b.service", "b.service/worker"]) {
      machine.start({ cgroup: below(machine, `/user.slice/app.slice/${unit}`, { "cgroup.procs": "" }) });
    }
    const { watcher, pass } = watch(machine);
    await pass();
    expect([...watcher.cgroups].map(({ path, memory }) => [path, memory?.usage])).toEqual([
      ["/user.slice/app.slice", 90 * MiB],
    ]);
  });

  test("has the threads limit of its own, and of those above", async () => {
    const machine = fakeMachine();
    machine.cgroup(vm, { usage: MiB });
    machine.write(`sys/fs/cgroup${vm}/pids.max`, "500\n");
    const [narrow, wide] = ["77\n", "max\n"].map((most, i) =>
      machine.start({ cgroup: below(machine, `${vm}/part${i}`, { "pids.max": most }) }),
    );
    const { pass, value } = watch(machine);
    await pass();
    expect(value(narrow as number, processMetrics.maxThreads)).toBe(77);
    expect(value(wide as number, processMetrics.maxThreads)).toBe(500);
  });

  test("is counted by itself from the moment on that it is given the controller", async () => {
    const machine = fakeMachine();
    machine.cgroup("/app.slice", { usage: 90 * MiB });
    const pid = machine.start({ cgroup: below(machine, "/app.slice/bot.service") });
    const { watcher, pass } = watch(machine);
    await pass();
    expect(watcher.watched.get(pid)?.cgroup?.path).toBe("/app.slice");
    machine.cgroup("/app.slice/bot.service", { usage: 20 * MiB, limit: 30 * MiB });
    await pass(600);
    await pass(600);
    expect(watcher.watched.get(pid)?.cgroup).toMatchObject({
      path: "/app.slice/bot.service",
      limit: { bytes: 30 * MiB },
    });
    expect([...watcher.cgroups].map(({ path }) => path)).not.toContain("/app.slice");
  });
});

test("in version 1 a hierarchy with several controllers counts each cgroup by itself", async () => {
  const machine = fakeMachine({ cgroups: 1 });
  machine.write(`proc/50/mountinfo`, "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpu,cpuacct,memory\n");
  machine.cgroup("/vm", { usage: 40 * MiB });
  machine.cgroup("/vm/emulator", { usage: 30 * MiB, limit: 35 * MiB });
  const pid = machine.start({ cgroup: "/vm/emulator" });
  machine.write(`proc/${pid}/cgroup`, "4:cpu,cpuacct,memory:/vm/emulator\n1:name=systemd:/vm\n0::/elsewhere\n");
  const { watcher, pass } = watch(machine);
  await pass();
  expect(watcher.watched.get(pid)?.cgroup).toMatchObject({
    path: "/vm/emulator",
    memory: { usage: 30 * MiB },
    limit: { bytes: 35 * MiB, source: "cgroup" },
  });
});

describe("what is known of OOM kills when a process has ended", () => {
  /** Undefined where the counter is gone, another, or cannot be read. */
  const factsOf = (cgroups: Cgroups, cgroup: WatchedCgroup) => {
    const counts = cgroups.countersOf(cgroup);
    return {
      ownKills: counts.own ? cgroup.newOomKills : undefined,
      aboveKills: counts.above ? (cgroups.unaccountedKills().get(cgroup.parent ?? "") ?? 0) : undefined,
    };
  };

  /** The cgroups of web and worker, after a look at which nothing had happened. */
  async function looked(version: 1 | 2 = 2) {
    const watched = await twoContainers(version);
    const { watcher, machine } = watched;
    await watched.pass();
    const { cgroups } = watcher;
    const look = (onMachine = 1) => cgroups.lookForOomKills({ onMachine, now: machine.clock.monotonic() });
    await look();
    const of = (path: string) => [...cgroups].find((cgroup) => cgroup.path === path) as WatchedCgroup;
    const events = (path: string, text: string) => machine.write(`sys/fs/cgroup${path}/memory.events`, text);
    return { ...watched, cgroups, look, of, events };
  }

  test("that its cgroup stands and counted nothing, and that the one above counted nothing", async () => {
    const { cgroups, look, of } = await looked();
    await look();
    expect(factsOf(cgroups, of(web))).toEqual({ ownKills: 0, aboveKills: 0 });
  });

  test("what its own cgroup counted, which the one above counted too", async () => {
    const { cgroups, look, of, events } = await looked();
    for (const path of [web, pod]) events(path, "max 12\noom 1\noom_kill 3\noom_group_kill 1\n");
    await look();
    expect(factsOf(cgroups, of(web))).toEqual({ ownKills: 3, aboveKills: 0 });
    expect(cgroups.groupKillOf(of(web))).toBe(`/sys/fs/cgroup${web}`);
    expect(factsOf(cgroups, of(worker))).toEqual({ ownKills: 0, aboveKills: 0 });
  });

  test("nothing of its own cgroup when that is gone, and what the one above counted beyond the known", async () => {
    const { machine, cgroups, look, of } = await looked();
    const gone = of(web);
    machine.removeCgroup(web);
    machine.cgroup(worker, { oomKills: 1 });
    machine.cgroup(pod, { oomKills: 3 });
    await look(3);
    expect(factsOf(cgroups, gone)).toEqual({ ownKills: undefined, aboveKills: 2 });
    expect(factsOf(cgroups, of(worker))).toMatchObject({ ownKills: 1, aboveKills: 2 });
  });

  test("nothing of its own cgroup when it was made anew under the same path", async () => {
    const { machine, cgroups, look, of } = await looked();
    machine.removeCgroup(web);
    machine.write("sys/fs/cgroup/other", "");
    machine.cgroup(web);
    machine.cgroup(pod, { oomKills: 1 });
    await look();
    expect(factsOf(cgroups, of(web))).toEqual({ ownKills: undefined, aboveKills: 1 });
    await look();
    expect(factsOf(cgroups, of(web))).toEqual({ ownKills: undefined, aboveKills: 0 }); // to who sat in the old one
  });

  test.each([
    ["is gone", (machine: FakeMachine) => machine.removeCgroup(pod)],
    ["cannot be read", (machine: FakeMachine) => machine.files.deny(new RegExp(`${pod}/memory.events$`))],
    ["has no such counter", (machine: FakeMachine) => machine.write(`sys/fs/cgroup${pod}/memory.events`, "low 0\n")],
  ])("nothing of the one above where it %s, which is not the same as 0", async (_, change) => {
    const { machine, cgroups, look, of } = await looked();
    change(machine);
    await look();
    expect(factsOf(cgroups, of(web)).aboveKills).toBeUndefined();
  });

  test("nothing of the one above where that is the root, which counts nothing", async () => {
    const machine = fakeMachine();
    machine.write("sys/fs/cgroup/memory.stat", "anon 0\n");
    machine.cgroup("/api");
    machine.start({ cgroup: "/api" });
    const { watcher, pass } = watch(machine);
    await pass();
    await watcher.cgroups.lookForOomKills({ onMachine: 1, now: machine.clock.monotonic() });
    const [api] = watcher.cgroups;
    expect(factsOf(watcher.cgroups, api as WatchedCgroup)).toMatchObject({ ownKills: 0, aboveKills: undefined });
  });

  test("nothing of the one above where cgroups count only what happens in themselves", async () => {
    const machine = fakeMachine();
    machine.write(
      "proc/50/mountinfo",
      "24 22 0:21 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory_localevents\n",
    );
    machine.cgroup(pod);
    machine.cgroup(web);
    machine.start({ cgroup: web });
    const { watcher, pass } = watch(machine);
    await pass();
    await watcher.cgroups.lookForOomKills({ onMachine: 1, now: machine.clock.monotonic() });
    const [cgroup] = watcher.cgroups;
    expect(factsOf(watcher.cgroups, cgroup as WatchedCgroup)).toMatchObject({ ownKills: 0, aboveKills: undefined });
  });

  test("of kills deeper below the one above: they are those of the cgroups that we know there", async () => {
    const { machine, cgroups, look, of, pass } = await looked();
    machine.cgroup(`${pod}/deep`);
    machine.cgroup(`${pod}/deep/er`);
    machine.start({ cgroup: `${pod}/deep/er` });
    await pass();
    await look();
    for (const path of [pod, `${pod}/deep`, `${pod}/deep/er`]) machine.cgroup(path, { oomKills: 1 });
    await look();
    expect(factsOf(cgroups, of(web)).aboveKills).toBe(0);
  });

  test("what version 1 tells of it: kills in itself alone", async () => {
    const { machine, cgroups, look, of } = await looked(1);
    machine.cgroup(web, { oomKills: 1 });
    await look();
    expect(factsOf(cgroups, of(web))).toEqual({ ownKills: 1, aboveKills: undefined });
  });

  test("that nobody was killed while the machine's counter stood still, also where files are gone", async () => {
    const { machine, cgroups, of } = await looked();
    const gone = of(worker);
    machine.removeCgroup(worker);
    cgroups.noOomKills();
    expect([of(web), gone].map(({ newOomKills }) => newOomKills)).toEqual([0, 0]);
    expect([...cgroups.unaccountedKills()]).toEqual([]);
  });

  test("a kill that was counted before anybody looked, and one before its cgroup was watched, is not counted again", async () => {
    const { machine, cgroups, look, of } = await looked();
    machine.cgroup(`${pod}/late`, { oomKills: 4 });
    const cgroup: MemoryCgroup = { version: 2, path: `${pod}/late` };
    cgroups.hold(cgroup, 4711);
    machine.cgroup(pod, { oomKills: 1 });
    cgroups.hold({ version: 2, path: `${pod}/later` }, 4712); // does not take away what the one above has counted
    await look();
    expect(factsOf(cgroups, of(`${pod}/late`))).toMatchObject({ ownKills: 0, aboveKills: 1 });
  });

  test("what a process shows of its own cgroup, up to the kills of the machine", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    const pid = machine.start({ cgroup: "/api" });
    const show = (name: string, text: string) => machine.write(`proc/${pid}/root/sys/fs/cgroup/api/${name}`, text);
    machine.write(`proc/${pid}/mountinfo`, "22 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    show("memory.stat", "anon 1\n");
    show("memory.events", "max 0\noom_kill 0\noom_group_kill 0\n");
    const { watcher, pass } = watch(machine);
    await pass();
    show("memory.events", "max 4\noom_kill 300\noom_group_kill 300\n");
    await watcher.cgroups.lookForOomKills({ onMachine: 1, now: machine.clock.monotonic() });
    const [api] = watcher.cgroups;
    expect((api as WatchedCgroup).newOomKills).toBe(1);
    expect(watcher.cgroups.groupKillOf(api as WatchedCgroup)).toBe("seen by its processes /api");
  });
});
