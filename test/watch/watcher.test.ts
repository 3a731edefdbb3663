// What the watcher makes of processes that come, go and change, on a machine made of files (support/machine.ts).

import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { GiB, identityRefreshSeconds, ledger as ledgerDefaults, MiB } from "../../catalog/defaults.ts";
import { groupMetrics, processMetrics } from "../../catalog/metrics.ts";
import { type Config, decodeConfig } from "../../exporter/config/config.ts";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import { Ledger } from "../../exporter/ledger/ledger.ts";
import { columnCount } from "../../exporter/memory/process-table.ts";
import {
  bootTime,
  type FakeMachine,
  fakeMachine,
  openFilesEndWithTheirProcess,
  ownPid,
  watch,
} from "../support/machine.ts";

const config = (document: unknown): Config => decodeConfig(document, []);

describe("a process", () => {
  test("is watched from the first pass that lists it, with its numbers", async () => {
    const machine = fakeMachine();
    const { pass, running, value } = watch(machine);
    await pass();
    expect(running()).toEqual({});

    const pid = machine.start({ resident: 40 * MiB, threads: 7, fds: 5, maxFds: 4096, startTicks: 100_250 });
    await pass();
    expect(running()).toEqual({ api: [pid] });
    expect(value(pid, processMetrics.residentMemory)).toBe(40 * MiB);
    expect(value(pid, processMetrics.anonymousMemory)).toBe(40 * MiB);
    expect(value(pid, processMetrics.threads)).toBe(7);
    expect(value(pid, processMetrics.openFds)).toBe(5);
    expect(value(pid, processMetrics.maxFds)).toBe(4096);
    expect(value(pid, processMetrics.startTime)).toBe(bootTime + 1002.5);
  });

  test("shows its new numbers at the next pass", async () => {
    const machine = fakeMachine();
    const { pass, value } = watch(machine);
    const pid = machine.start({ resident: 40 * MiB });
    await pass();
    machine.change(pid, { resident: 1000 * MiB, threads: 12, fds: 9 });
    await pass();
    expect(value(pid, processMetrics.residentMemory)).toBe(1000 * MiB);
    expect(value(pid, processMetrics.threads)).toBe(12);
    expect(value(pid, processMetrics.openFds)).toBe(9);
  });

  test("has no series once it has ended, and its end is counted", async () => {
    const machine = fakeMachine();
    const { pass, running, exposition, watcher } = watch(machine);
    const pid = machine.start();
    await pass();
    expect(watcher.reader.kept).toBe(1);

    machine.stop(pid);
    await pass();
    expect(running()).toEqual({});
    expect(watcher.reader.kept).toBe(0);
    const text = await exposition();
    expect(text).not.toContain(processMetrics.residentMemory.name);
    expect(text).toContain(`${groupMetrics.processes.name}{group="api"} 0\n`);
    expect(text).toContain(`${groupMetrics.livesEnded.name}{group="api"} 1\n`);
    expect(text).toContain(`${groupMetrics.lastEnd.name}{group="api",reason="exit",evidence="none"} 1\n`);
  });

  test("that has become a zombie has ended, once", async () => {
    const machine = fakeMachine();
    const { pass, running, watcher } = watch(machine);
    const pid = machine.start();
    await pass();
    machine.becomeZombie(pid);
    for (let i = 0; i < 3; i++) await pass();
    expect(running()).toEqual({});
    expect(watcher.ledger.account("api").livesEnded).toBe(1);
  });

  test("whose main thread has ended lives on while another thread does", async () => {
    const machine = fakeMachine();
    const { pass, running, watcher, value } = watch(machine);
    const pid = machine.start({ threads: 3, fds: 7, resident: 40 * MiB });
    await pass();
    machine.leaderEnds(pid, { resident: 60 * MiB });
    for (let i = 0; i < 3; i++) await pass();
    expect(running()).toEqual({ api: [pid] });
    expect(value(pid, processMetrics.residentMemory)).toBe(60 * MiB);
    expect(value(pid, processMetrics.openFds)).toBe(7);
    machine.becomeZombie(pid);
    await pass();
    expect(running()).toEqual({});
    expect(watcher.ledger.account("api").livesEnded).toBe(1);
  });

  test("is let go of when the watcher closes", async () => {
    const machine = fakeMachine();
    const { pass, watcher } = watch(machine);
    machine.start();
    machine.start();
    await pass();
    expect(watcher.reader.kept).toBe(2);
    watcher.close();
    expect(watcher.reader.kept).toBe(0);
  });
});

describe("what is not watched", () => {
  test.each<[string, (machine: FakeMachine) => void]>([
    ["ourselves", () => undefined],
    ["a kernel thread", (machine) => machine.start({ comm: "kworker/0:1", argv: [""], kernelThread: true })],
    ["a zombie that was never seen alive", (machine) => machine.becomeZombie(machine.start())],
    ["a pod's pause process", (machine) => machine.start({ argv: ["/pause"] })],
    ["podman's pause process", (machine) => machine.start({ argv: ["/catatonit", "-P"] })],
  ])("%s", async (_, prepare) => {
    const machine = fakeMachine();
    const { pass, running, logged, watcher } = watch(machine);
    prepare(machine);
    for (let i = 0; i < 3; i++) await pass();
    expect(running()).toEqual({});
    expect([...watcher.ledger]).toEqual([]);
    expect(logged).toEqual([]);
  });

  test("a process that ends while it is looked at for the first time, and so has lost its command line", async () => {
    const machine = fakeMachine();
    const { pass, running, watcher } = watch(machine);
    machine.start({ comm: "MainThread", argv: [""], exe: "/usr/bin/node" });
    const read = watcher.reader.readStatus.bind(watcher.reader);
    vi.spyOn(watcher.reader, "readStatus").mockImplementationOnce(read).mockReturnValueOnce("no memory");
    await pass();
    expect(running()).toEqual({});
    expect([...watcher.ledger]).toEqual([]);
  });

  test("a process with our pid, when the watched procfs is that of another machine", async () => {
    const machine = fakeMachine();
    machine.stop(ownPid);
    machine.start({ pid: process.pid });
    const { pass, running } = watch(machine);
    await pass();
    expect(running()).toEqual({ api: [process.pid] });
  });

  test("a zombie's pid is watched again when another process was given it", async () => {
    const machine = fakeMachine();
    const { pass, running } = watch(machine);
    const pid = machine.start();
    machine.becomeZombie(pid);
    await pass();
    await pass();
    machine.stop(pid);
    await pass();
    machine.start({ pid });
    await pass();
    expect(running()).toEqual({ api: [pid] });
  });
});

describe("restarts", () => {
  // 600 s is longer than the longest back-off of container engines and the kubelet
  test.each([
    ["5 s after the end is a restart", 5, { exit: 1 }],
    ["600 s after the end is still a restart", 600, { exit: 1 }],
    ["601 s after the end is a new start", 601, {}],
  ])("a process that starts %s", async (_, seconds, expected) => {
    const machine = fakeMachine();
    const { pass, running, restarts } = watch(machine);
    const [first, second] = [machine.start(), machine.start()];
    await pass();
    machine.stop(first);
    await pass();
    const next = machine.start();
    await pass(seconds);
    expect(running()).toEqual({ api: [next, second] });
    expect(restarts("api")).toEqual(expected);
  });

  test("leave the time of the last one", async () => {
    const machine = fakeMachine();
    const { pass, watcher } = watch(machine);
    const first = machine.start();
    await pass();
    machine.stop(first);
    machine.clock.advance(3);
    machine.start(); // 8 s after the machine's clock began at 1000
    await pass();
    expect(watcher.ledger.account("api").lastRestart).toBe(bootTime + 1008);
  });

  test("are counted once each, however long the process lives", async () => {
    const machine = fakeMachine();
    const { pass, restarts } = watch(machine);
    for (let i = 0; i < 3; i++) {
      const pid = machine.start();
      await pass();
      await pass();
      machine.stop(pid);
    }
    machine.start();
    for (let i = 0; i < 5; i++) await pass();
    expect(restarts("api")).toEqual({ exit: 3 });
  });

  test.each([
    ["its open file answers ESRCH", 1000],
    ["no file was kept open, and only the start time differs", 0],
  ])("are seen when the pid was given out again within one pass: %s", async (_, maxKept) => {
    openFilesEndWithTheirProcess();
    const machine = fakeMachine();
    const { pass, running, restarts, value, watcher } = watch(machine, { maxKept });
    const pid = machine.start({ resident: 100 * MiB });
    await pass();
    machine.stop(pid);
    machine.clock.advance(1);
    machine.start({ pid, resident: 7 * MiB });
    await pass();
    expect(running()).toEqual({ api: [pid] });
    expect(restarts("api")).toEqual({ exit: 1 });
    expect(watcher.ledger.account("api").livesEnded).toBe(1);
    expect(value(pid, processMetrics.residentMemory)).toBe(7 * MiB);
    expect(value(pid, processMetrics.startTime)).toBe(bootTime + 1006);
  });

  test("have an unknown reason when passes were missed", async () => {
    const machine = fakeMachine();
    const { pass, restarts, watcher } = watch(machine);
    const pid = machine.start();
    await pass();
    machine.stop(pid);
    machine.start();
    await pass(21); // more than four intervals of 5 s: the machine slept, or we did
    expect(restarts("api")).toEqual({ unknown: 1 });
    expect(watcher.ledger.account("api").lastEnd).toMatchObject({ reason: "unknown", evidence: "not_watched" });
  });

  test("have a reason when one pass was late", async () => {
    const machine = fakeMachine();
    const { pass, restarts } = watch(machine);
    const pid = machine.start();
    await pass();
    machine.stop(pid);
    machine.start();
    await pass(20);
    expect(restarts("api")).toEqual({ exit: 1 });
  });
});

describe("slots", () => {
  test("go by start time, not by pid or by the order of the listing", async () => {
    const machine = fakeMachine();
    const { pass, running } = watch(machine);
    machine.start({ pid: 300, startTicks: 900 });
    machine.start({ pid: 200, startTicks: 901 });
    machine.start({ pid: 1000, startTicks: 900 });
    machine.start({ pid: 400, startTicks: 5 });
    await pass();
    expect(running()).toEqual({ api: [400, 300, 1000, 200] });
  });

  test("stay with their process when others end", async () => {
    const machine = fakeMachine();
    const { pass, running } = watch(machine);
    const [a, b, c] = [machine.start(), machine.start(), machine.start()];
    await pass();
    machine.stop(a);
    await pass();
    expect(running()).toEqual({ api: [undefined, b, c] });
    const d = machine.start();
    const e = machine.start();
    await pass();
    expect(running()).toEqual({ api: [d, b, c, e] });
  });
});

describe("exec", () => {
  test("renames a process: another group, and neither an end nor a restart", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts, value, watcher } = watch(machine);
    const pid = machine.start({ argv: ["/bin/entrypoint"] });
    await pass();
    expect(running()).toEqual({ entrypoint: [pid] });
    machine.exec(pid, ["/usr/bin/api"]);
    await pass();
    expect(running()).toEqual({ api: [pid] });
    expect(restarts("api")).toEqual({});
    // a name that was only worn for a moment leaves no series behind
    expect([...watcher.ledger].map(([name]) => name)).toEqual(["api"]);
    expect(value(pid, processMetrics.startTime)).toBe(bootTime + 1000);
  });

  test("of a restarted process: the start between fork and exec still counts for the group that it becomes", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts } = watch(machine);
    const first = machine.start();
    await pass();
    machine.stop(first);
    const second = machine.start({ argv: ["/bin/entrypoint"] });
    await pass();
    machine.exec(second, ["/usr/bin/api"]);
    await pass();
    expect(running()).toEqual({ api: [second] });
    expect(restarts("api")).toEqual({ exit: 1 });
  });

  test("under the same short name is noticed when its identity is read again", async () => {
    const machine = fakeMachine();
    const { pass, running } = watch(machine);
    const pid = machine.start({ argv: ["/usr/bin/node", "old.js"], exe: "/usr/bin/node" });
    await pass();
    await pass();
    machine.exec(pid, ["/usr/bin/node", "new.js"]);
    for (let seconds = 0; seconds < 2 * identityRefreshSeconds; seconds += 5) await pass();
    expect(running()).toEqual({ "new.js": [pid] });
  });

  test("leaves a slot whose next process restarts nothing", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts } = watch(machine);
    const first = machine.start();
    await pass();
    machine.stop(first);
    const second = machine.start();
    await pass();
    machine.exec(second, ["/usr/bin/jobs"]);
    await pass();
    const third = machine.start();
    await pass();
    expect(running()).toEqual({ api: [third], jobs: [second] });
    expect(restarts("api")).toEqual({ exit: 1 }); // that of the second
  });

  test.each(["list", "size"] as const)(
    "of something that is not watched ends the watch, and back begins it (%s)",
    async (fdCountMethod) => {
      const machine = fakeMachine();
      const { pass, running, watcher } = watch(machine, { fdCountMethod });
      const pid = machine.start();
      await pass();
      expect(watcher.reader.kept).toBe(fdCountMethod === "size" ? 2 : 1);
      machine.exec(pid, ["/pause"]);
      await pass();
      expect(running()).toEqual({});
      expect(watcher.reader.kept).toBe(0);
      machine.exec(pid, ["/usr/bin/api"]);
      for (let seconds = 0; seconds < 120; seconds += 5) await pass();
      expect(running()).toEqual({ api: [pid] });
      expect(watcher.ledger.account("api").livesEnded).toBe(0);
    },
  );
});

describe("a process that exits while a pass goes on", () => {
  test("and is new has never been", async () => {
    const machine = fakeMachine();
    const { pass, running, logged, watcher } = watch(machine);
    const pid = machine.start();
    machine.files.afterListing = () => machine.stop(pid);
    await pass();
    expect(running()).toEqual({});
    expect([...watcher.ledger]).toEqual([]);
    expect(logged).toEqual([]);
  });

  test("and was known has ended", async () => {
    openFilesEndWithTheirProcess();
    const machine = fakeMachine();
    const { pass, running, logged, watcher } = watch(machine);
    const pid = machine.start();
    await pass();
    machine.files.afterListing = () => machine.stop(pid);
    await pass();
    expect(running()).toEqual({});
    expect(watcher.ledger.account("api").livesEnded).toBe(1);
    expect(logged).toEqual([]);
  });
});

describe("what may not be read", () => {
  test("status of a new process: not watched, counted by reason, told once", async () => {
    const machine = fakeMachine();
    const { pass, running, failures, logged } = watch(machine);
    const pid = machine.start();
    machine.files.deny(/\/status$/);
    await pass();
    await pass();
    expect(running()).toEqual({});
    expect([...failures]).toEqual([{ file: "status", reason: "permission", count: 2 }]);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain(`of="process ${pid} (api)"`);
  });

  test("stat, as with hidepid=1: not watched, counted by reason, told once", async () => {
    const machine = fakeMachine();
    const { pass, running, failures, logged } = watch(machine);
    machine.start();
    machine.start();
    machine.files.deny(/\/10[01]\/stat$/, "EPERM");
    await pass();
    await pass();
    expect(running()).toEqual({});
    expect([...failures]).toEqual([{ file: "stat", reason: "permission", count: 4 }]);
    expect(logged).toHaveLength(1);
  });

  test("status of a watched process: no numbers as long as it lasts, then all of them again", async () => {
    const machine = fakeMachine();
    const { pass, running, failures, value, watcher } = watch(machine, { maxKept: 0 });
    const pid = machine.start();
    await pass();
    await pass(); // its name and limits are read for the second time; the third is a minute away
    machine.files.deny(/\/status$/, "EMFILE");
    await pass();
    expect(running()).toEqual({ api: [pid] });
    expect(value(pid, processMetrics.residentMemory)).toBeUndefined();
    expect(value(pid, processMetrics.openFds)).toBeUndefined();
    expect([...(watcher.watched.get(pid)?.unreadable ?? [])]).toEqual([["status", "descriptors"]]);
    expect([...failures]).toEqual([{ file: "status", reason: "descriptors", count: 1 }]);

    machine.files.allowAll();
    await pass();
    expect(value(pid, processMetrics.residentMemory)).toBe(10 * MiB);
    expect(value(pid, processMetrics.openFds)).toBe(3);
    expect(value(pid, processMetrics.maxFds)).toBe(1024);
    expect(value(pid, processMetrics.startTime)).toBe(bootTime + 1000);
    expect([...(watcher.watched.get(pid)?.unreadable ?? [])]).toEqual([]);
  });

  test("descriptors of another user's process: their number has no series, everything else does", async () => {
    const machine = fakeMachine();
    const { pass, exposition, failures, logged, value, watcher } = watch(machine);
    const pid = machine.start();
    machine.files.deny(/\/fd$/);
    await pass();
    await pass();
    expect(value(pid, processMetrics.openFds)).toBeUndefined();
    expect(await exposition()).not.toContain(processMetrics.openFds.name);
    expect(value(pid, processMetrics.residentMemory)).toBe(10 * MiB);
    expect([...(watcher.watched.get(pid)?.unreadable ?? [])]).toEqual([["fd", "permission"]]);
    expect([...failures]).toEqual([{ file: "fd", reason: "permission", count: 2 }]);
    expect(logged).toHaveLength(1);
  });

  test("the link to the program: named after its arguments, and nobody is told of such an everyday thing", async () => {
    const machine = fakeMachine();
    const { pass, running, failures } = watch(machine);
    const pid = machine.start({ argv: ["/opt/shop/cart", "--port=80"] });
    machine.files.deny(/\/exe$/);
    await pass();
    expect(running()).toEqual({ cart: [pid] });
    expect([...failures]).toEqual([]);
  });

  test("an unreadable process is one cause, and others like it are told too", async () => {
    const machine = fakeMachine();
    const { pass, logged } = watch(machine);
    machine.start({ argv: ["/usr/bin/api"] });
    machine.start({ argv: ["/usr/bin/api"] });
    machine.start({ argv: ["/usr/bin/jobs"] });
    machine.files.deny(/\/fd$/);
    for (let i = 0; i < 3; i++) await pass();
    expect(logged.map((line) => / of=(\w+) /.exec(line)?.[1])).toEqual(["api", "jobs"]);
  });
});

describe("descriptors that may be held", () => {
  test("are used by the first processes, and the others are opened anew for each reading", async () => {
    const machine = fakeMachine();
    const { pass, value, watcher } = watch(machine, { maxKept: 1 });
    const pids = [machine.start(), machine.start(), machine.start()];
    await pass();
    expect(watcher.reader.kept).toBe(1);
    for (const pid of pids) machine.change(pid, { resident: pid * MiB });
    await pass();
    expect(watcher.reader.kept).toBe(1);
    expect(pids.map((pid) => value(pid, processMetrics.residentMemory))).toEqual([100 * MiB, 101 * MiB, 102 * MiB]);
  });

  test("are taken over when one becomes free", async () => {
    const machine = fakeMachine();
    const { pass, watcher } = watch(machine, { maxKept: 1 });
    const [first, second] = [machine.start(), machine.start()];
    await pass();
    machine.stop(first);
    await pass();
    await pass();
    expect(watcher.reader.kept).toBe(1);
    expect(watcher.watched.get(second)?.handle.statusFd).toBeGreaterThan(0);
  });
});

describe("kernels and mounts that lack something", () => {
  test("RssAnon, before Linux 4.5: no series rather than 0", async () => {
    const machine = fakeMachine({ rssParts: false });
    const { pass, exposition, value } = watch(machine);
    const pid = machine.start({ resident: 10 * MiB });
    await pass();
    expect(value(pid, processMetrics.residentMemory)).toBe(10 * MiB);
    const text = await exposition();
    for (const { name } of [processMetrics.anonymousMemory, processMetrics.fileMemory, processMetrics.sharedMemory]) {
      expect(text).not.toContain(name);
    }
  });

  test("no cgroup mount: a limit that may be there is not known, and there are no cgroup series", async () => {
    const machine = fakeMachine({ cgroups: "not mounted", memory: 2 * GiB });
    const { pass, exposition, value, logged } = watch(machine);
    const contained = machine.start({ cgroup: "/docker/abc" });
    const plain = machine.start({ cgroup: "/" });
    await pass();
    expect(value(contained, processMetrics.memoryLimit)).toBeUndefined();
    expect(value(plain, processMetrics.memoryLimit)).toBe(2 * GiB);
    expect(await exposition()).toContain('source="unknown"');
    expect(await exposition()).not.toContain("leakwatch_cgroup_memory");
    expect(logged).toEqual([]);
  });

  test("meminfo and vmstat that may not be read: no limit, no node series, told once each", async () => {
    const machine = fakeMachine();
    const { pass, exposition, value, logged } = watch(machine);
    const pid = machine.start();
    machine.files.deny(/\/(meminfo|vmstat)$/);
    await pass();
    await pass();
    expect(value(pid, processMetrics.memoryLimit)).toBeUndefined();
    expect(await exposition()).not.toContain("leakwatch_node_");
    expect(logged).toHaveLength(2);
  });
});

describe("limits", () => {
  const limitOf = async (
    { exposition, value }: Pick<ReturnType<typeof watch>, "exposition" | "value">,
    pid: number,
  ): Promise<[number | undefined, string | undefined]> => [
    value(pid, processMetrics.memoryLimit),
    /memory_limit_info\{.*source="(\w+)"\}/.exec(await exposition())?.[1],
  ];

  test("follow the cgroup's, and are the machine's memory when it is lifted", async () => {
    const machine = fakeMachine({ memory: 8 * GiB });
    const watched = watch(machine);
    machine.cgroup("/api", { limit: 64 * MiB });
    const pid = machine.start({ cgroup: "/api" });
    await watched.pass();
    expect(await limitOf(watched, pid)).toEqual([64 * MiB, "cgroup"]);
    machine.cgroup("/api", { limit: 128 * MiB });
    await watched.pass();
    expect(await limitOf(watched, pid)).toEqual([128 * MiB, "cgroup"]);
    machine.cgroup("/api", { limit: undefined });
    await watched.pass();
    expect(await limitOf(watched, pid)).toEqual([8 * GiB, "node"]);
  });

  test("are the least of the cgroup and all above it, but never more than the machine has", async () => {
    const machine = fakeMachine({ memory: 1 * GiB });
    const watched = watch(machine);
    machine.cgroup("/pod", { limit: 32 * MiB });
    machine.cgroup("/pod/api", { limit: 64 * MiB });
    const pid = machine.start({ cgroup: "/pod/api" });
    await watched.pass();
    expect(await limitOf(watched, pid)).toEqual([32 * MiB, "ancestor"]);
    machine.cgroup("/pod", { limit: 4 * GiB });
    machine.cgroup("/pod/api", { limit: 2 * GiB });
    await watched.pass();
    expect(await limitOf(watched, pid)).toEqual([1 * GiB, "node"]);
  });

  test("that are configured go before all others", async () => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 64 * MiB });
    const pid = machine.start({ cgroup: "/api" });
    const watched = watch(machine, {
      config: config({ groups: [{ name: "api", match: { name: "api" }, memory_limit: "50MiB" }] }),
    });
    await watched.pass();
    expect(await limitOf(watched, pid)).toEqual([50 * MiB, "config"]);
  });

  test("follow a process that is moved to another cgroup", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    machine.cgroup("/a", { limit: 64 * MiB });
    machine.cgroup("/b", { limit: 96 * MiB });
    const pid = machine.start({ cgroup: "/a" });
    await watched.pass();
    machine.change(pid, { cgroup: "/b" });
    await watched.pass(); // a process that was just found is looked at once more
    expect(await limitOf(watched, pid)).toEqual([96 * MiB, "cgroup"]);
    expect([...watched.watcher.cgroups].map(({ path }) => path)).toEqual(["/b"]);
  });
});

describe("a new configuration", () => {
  test("renames groups without an end or a restart", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts, watcher } = watch(machine);
    const pid = machine.start();
    await pass();
    watcher.configure(config({ groups: [{ name: "shop", match: { exe: "/usr/bin/.*" } }] }));
    await pass();
    expect(running()).toEqual({ shop: [pid] });
    expect(restarts("shop")).toEqual({});
    expect([...watcher.ledger].map(([name]) => name)).toEqual(["shop"]);
  });

  test("stops to watch what it ignores, and begins again when it no longer does", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts, watcher } = watch(machine);
    const [api, jobs] = [machine.start(), machine.start({ argv: ["/usr/bin/jobs"] })];
    await pass();
    watcher.configure(config({ ignore: [{ name: "jobs" }] }));
    await pass();
    await pass(15); // from now on it is looked at once a minute
    expect(running()).toEqual({ api: [api] });
    watcher.configure(config({}));
    await pass();
    expect(running()).toEqual({ api: [api], jobs: [jobs] });
    expect(restarts("jobs")).toEqual({});
  });

  test("keeps what was counted under the old name", async () => {
    const machine = fakeMachine();
    const { pass, restarts, watcher } = watch(machine);
    const first = machine.start();
    await pass();
    machine.stop(first);
    machine.start();
    await pass();
    watcher.configure(config({ groups: [{ name: "shop", match: { name: "api" } }] }));
    await pass();
    expect(restarts("api")).toEqual({ exit: 1 });
    expect(restarts("shop")).toEqual({});
  });

  test("can leave only what it names", async () => {
    const machine = fakeMachine();
    const { pass, running } = watch(machine, {
      config: config({ unmatched: "ignore", groups: [{ name: "workers", match: { uid: 33 } }] }),
    });
    machine.start();
    const worker = machine.start({ uid: 33 });
    await pass();
    expect(running()).toEqual({ workers: [worker] });
  });
});

describe("groups without a process", () => {
  const endedGroups = async (machine: FakeMachine, pass: () => Promise<void>, names: readonly string[]) => {
    for (const name of names) {
      const pid = machine.start({ argv: [`/usr/bin/${name}`] });
      await pass();
      machine.stop(pid);
      await pass();
    }
  };

  test("keep their counters for a day and are then forgotten", async () => {
    const machine = fakeMachine();
    const { pass, watcher } = watch(machine);
    await endedGroups(machine, pass, ["backup"]);
    await pass(24 * 3600);
    expect([...watcher.ledger].map(([name]) => name)).toEqual(["backup"]);
    await pass(1);
    expect([...watcher.ledger]).toEqual([]);
    expect(watcher.groups.size).toBe(0);
  });

  test("are forgotten before that, the oldest first, when there are too many", async () => {
    const machine = fakeMachine();
    const ledger = new Ledger({ ...ledgerDefaults, keepGoneGroups: 2 });
    const { pass, watcher } = watch(machine, { ledger });
    const running = machine.start();
    await endedGroups(machine, pass, ["first", "second", "third"]);
    expect([...watcher.ledger].map(([name]) => name).toSorted()).toEqual(["api", "second", "third"]);
    expect(watcher.watched.has(running)).toBe(true);
  });

  test("are kept when a process came back in time", async () => {
    const machine = fakeMachine();
    const { pass, watcher } = watch(machine);
    await endedGroups(machine, pass, ["backup"]);
    await pass(23 * 3600);
    machine.start({ argv: ["/usr/bin/backup"] });
    await pass();
    await pass(25 * 3600);
    expect(watcher.ledger.account("backup").livesEnded).toBe(1);
  });
});

describe("the time of day", () => {
  test("can jump: nothing ends, nothing starts, and ages are not negative", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts, value, watcher } = watch(machine);
    const pid = machine.start();
    await pass();
    machine.jump(-3600);
    await pass();
    await pass();
    expect(running()).toEqual({ api: [pid] });
    expect(value(pid, processMetrics.startTime)).toBe(bootTime + 1000); // as it was when it started
    machine.stop(pid);
    machine.start();
    await pass();
    expect(restarts("api")).toEqual({ exit: 1 });
    // it was watched from 1005 to 1020 s after boot
    expect(watcher.ledger.account("api").lastEnd?.lifetime).toBeGreaterThanOrEqual(15);
  });
});

describe("crowds", { timeout: 60_000 }, () => {
  /** Ten thousand processes that all have the files of one. */
  class Crowd extends KernelFiles {
    override pids = async () => Array.from({ length: 10_000 }, (_, i) => 1000 + i);

    override proc(...parts: (string | number)[]): string {
      const [pid, file] = parts;
      return typeof pid === "number" && file !== "stat" ? super.proc(100, ...parts.slice(1)) : super.proc(...parts);
    }

    override text(file: string): string {
      const pid = /^\/proc\/(\d+)\/stat$/.exec(file)?.[1];
      return pid === undefined ? super.text(file) : super.text("/proc/100/stat").replace(/^100 /, `${pid} `);
    }
  }

  test("of 10,000 processes are watched without stopping other work", async () => {
    const machine = fakeMachine();
    machine.start({ pid: 100, resident: 3 * MiB });
    const files = new Crowd({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup", root: machine.root });
    const { pass, exposition, watcher } = watch(machine, { files, maxKept: 500 });
    let turns = 0;
    let done = false;
    const passing = pass().then(() => {
      done = true;
    });
    for (; !done; turns++) await nextTurn();
    await passing;
    await pass();
    expect(turns).toBeGreaterThan(10);
    expect(watcher.watched.size).toBe(10_000);
    expect(watcher.reader.kept).toBe(500);
    const series = (await exposition()).match(/^leakwatch_process_resident_memory_bytes\{.*\} 3145728$/gm) ?? [];
    expect(new Set(series).size).toBe(10_000);
  });

  test("of short-lived processes leave nothing behind but their slots", async () => {
    const machine = fakeMachine();
    const { pass, running, restarts, exposition, watcher } = watch(machine);
    for (let wave = 0; wave < 3; wave++) {
      const pids = Array.from({ length: 200 }, () => machine.start({ argv: ["/usr/bin/job"] }));
      await pass();
      expect(watcher.watched.size).toBe(200);
      for (const pid of pids) machine.stop(pid);
      await pass();
    }
    expect(running()).toEqual({});
    expect(watcher.groups.get("job")?.slots).toHaveLength(200);
    expect(restarts("job")).toEqual({ exit: 400 });
    expect(watcher.ledger.account("job").livesEnded).toBe(600);
    expect(watcher.reader.kept).toBe(0);
    expect(watcher.table.values.length).toBeLessThan(2 * 200 * columnCount); // rows of those who ran at once, in steps of two
    expect((await exposition()).split("\n").length).toBeLessThan(50);
  });
});
