// From the kernel's counters to the reason of a restart: whole passes over a machine made of files.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { type FakeMachine, fakeMachine, watch } from "../support/machine.ts";

/** What the ledger says of the group `api`. */
function verdict({ watcher, restarts }: ReturnType<typeof watch>) {
  const { oomKills, lastEnd } = watcher.ledger.account("api");
  return { restarts: restarts("api"), oomKills, evidence: lastEnd?.evidence, limitRatio: lastEnd?.limitRatio };
}

describe("cgroup version 2", () => {
  test("a worker is OOM-killed: its cgroup's counter says so", async () => {
    const machine = fakeMachine();
    machine.cgroup("/pod");
    machine.cgroup("/pod/api", { limit: 100 * MiB });
    const watched = watch(machine);
    machine.start({ cgroup: "/pod/api", resident: 20 * MiB });
    const worker = machine.start({ cgroup: "/pod/api", resident: 75 * MiB });
    await watched.pass();
    machine.oomKill(worker);
    machine.start({ cgroup: "/pod/api" });
    await watched.pass();
    expect(watched.watcher.ledger.account("api").workerExits).toMatchObject({ oom: 1, recycled: 0 });
    expect(verdict(watched)).toEqual({
      restarts: {},
      oomKills: 1,
      evidence: "cgroup_oom_kill",
      limitRatio: 0.75, // its own memory; with its master it was at 95 %
    });
  });

  test("a main process is OOM-killed: its cgroup is made anew at 0, and only the counter above rose", async () => {
    const machine = fakeMachine();
    machine.cgroup("/pod");
    machine.cgroup("/pod/api", { limit: 100 * MiB });
    const watched = watch(machine);
    let main = machine.start({ cgroup: "/pod/api", resident: 96 * MiB });
    for (let kills = 1; kills <= 3; kills++) {
      await watched.pass();
      machine.oomKillMain(main);
      main = machine.start({ cgroup: "/pod/api", resident: 96 * MiB });
      await watched.pass();
      expect(verdict(watched)).toEqual({
        restarts: { oom: kills },
        oomKills: kills,
        evidence: "parent_oom_kill",
        limitRatio: 0.96,
      });
    }
  });

  test("the same when the container comes back only some passes later", async () => {
    const machine = fakeMachine();
    const api = `/pod/${"a".repeat(64)}`;
    machine.cgroup("/pod");
    machine.cgroup(api, { limit: 100 * MiB });
    const watched = watch(machine);
    const main = machine.start({ cgroup: api, resident: 96 * MiB });
    await watched.pass();
    machine.oomKillMain(main);
    machine.removeCgroup(api);
    for (let i = 0; i < 4; i++) await watched.pass();
    machine.cgroup(api, { limit: 100 * MiB });
    machine.start({ cgroup: api });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { oom: 1 }, oomKills: 1, evidence: "parent_oom_kill" });
  });

  test("another container of the pod is OOM-killed while this one, far from its limit, exits", async () => {
    const machine = fakeMachine();
    machine.cgroup("/pod");
    machine.cgroup("/pod/api", { limit: 100 * MiB });
    machine.cgroup("/pod/jobs", { limit: 100 * MiB });
    const watched = watch(machine);
    const api = machine.start({ cgroup: "/pod/api", resident: 20 * MiB });
    const jobs = machine.start({ argv: ["/usr/bin/jobs"], cgroup: "/pod/jobs", resident: 99 * MiB });
    await watched.pass();
    machine.stop(api);
    machine.oomKillMain(jobs);
    machine.start({ cgroup: "/pod/api" });
    machine.start({ argv: ["/usr/bin/jobs"], cgroup: "/pod/jobs" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { exit: 1 }, oomKills: 0, evidence: "none" });
    expect(watched.restarts("jobs")).toEqual({ oom: 1 });
    expect(watched.watcher.ledger.account("jobs").oomKills).toBe(1);
  });

  test("a worker whose memory takes the kernel a pass to take apart: the counter is seen before the end", async () => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 100 * MiB });
    const watched = watch(machine);
    machine.start({ cgroup: "/api" });
    const worker = machine.start({ cgroup: "/api", resident: 75 * MiB });
    await watched.pass();
    machine.countOomKill(worker);
    await watched.pass();
    machine.stop(worker);
    machine.start({ cgroup: "/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: {}, oomKills: 1, evidence: "cgroup_oom_kill" });
    expect(watched.watcher.ledger.account("api").workerExits.oom).toBe(1);
    // and the kill is used up
    const [main] = watched.running().api ?? [];
    machine.stop(main as number);
    machine.start({ cgroup: "/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ oomKills: 1, evidence: "none" });
  });

  // the counters of the cgroup before and after, neither of which rose in between
  test.each([
    ["as many as before", 2, 2],
    ["fewer than before", 2, 1],
  ])("kills in a cgroup that was made anew are news, though they are %s", async (_, before, after) => {
    // without the machine's counter, which would rise with each kill, every pass looks
    const machine = fakeMachine({ countsOomKills: false });
    machine.cgroup("/api", { oomKills: before });
    const watched = watch(machine);
    machine.start({ cgroup: "/api" });
    await watched.pass();
    machine.removeCgroup("/api");
    machine.cgroup("/aside"); // takes the inode that became free, if the file system gives it out again
    machine.cgroup("/api", { oomKills: after });
    for (let i = 0; i < 4; i++) await watched.pass(); // for so long their victims are waited for
    expect(verdict(watched).oomKills).toBe(after);
  });

  test("kills from before the exporter started are no news", async () => {
    const machine = fakeMachine();
    machine.cgroup("/pod", { oomKills: 7 });
    machine.cgroup("/pod/api", { limit: 100 * MiB, oomKills: 3 });
    const watched = watch(machine);
    const pid = machine.start({ cgroup: "/pod/api", resident: 95 * MiB });
    await watched.pass();
    machine.stop(pid);
    machine.start({ cgroup: "/pod/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { exit: 1 }, oomKills: 0 });
  });

  test("a worker that no pass ever saw is counted as a kill, not as a restart", async () => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 100 * MiB });
    const watched = watch(machine);
    machine.start({ cgroup: "/api" });
    await watched.pass();
    machine.oomKill(machine.start({ cgroup: "/api" }));
    for (let i = 0; i < 4; i++) await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: {}, oomKills: 1, evidence: undefined });
  });
});

describe("cgroup version 1", () => {
  const withOneProcess = async (machine: FakeMachine, resident: number) => {
    machine.cgroup("/docker/api", { limit: 100 * MiB });
    const watched = watch(machine);
    const pid = machine.start({ cgroup: "/docker/api", resident });
    await watched.pass();
    return { watched, pid };
  };

  test("a worker is OOM-killed: its cgroup's counter says so", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    const { watched, pid } = await withOneProcess(machine, 95 * MiB);
    machine.oomKill(pid);
    machine.start({ cgroup: "/docker/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { oom: 1 }, oomKills: 1, evidence: "cgroup_oom_kill" });
  });

  test("a main process is OOM-killed near its limit: only the machine's counter rose, so it is suspected", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    const { watched, pid } = await withOneProcess(machine, 95 * MiB);
    machine.oomKillMain(pid);
    machine.start({ cgroup: "/docker/api" });
    await watched.pass();
    expect(verdict(watched)).toEqual({
      restarts: { suspected_oom: 1 },
      oomKills: 0, // no counter of its cgroups saw it
      evidence: "node_oom_kill",
      limitRatio: 0.95,
    });
  });

  test("the same when a pass meets it as the kernel has taken its memory, and it has not ended yet", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    const { watched, pid } = await withOneProcess(machine, 95 * MiB);
    machine.change(pid, { resident: 4 * MiB });
    machine.countOomKillElsewhere();
    await watched.pass();
    machine.stop(pid);
    machine.removeCgroup("/docker/api");
    machine.cgroup("/docker/api", { limit: 100 * MiB });
    machine.start({ cgroup: "/docker/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({
      restarts: { suspected_oom: 1 },
      evidence: "node_oom_kill",
      limitRatio: 0.95,
    });
  });

  test("it exits far from its limit while something else on the machine is OOM-killed", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    const { watched, pid } = await withOneProcess(machine, 30 * MiB);
    machine.start({ argv: ["/usr/bin/larger"], resident: 900 * MiB });
    await watched.pass();
    machine.stop(pid);
    machine.countOomKillElsewhere();
    machine.start({ cgroup: "/docker/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { exit: 1 }, evidence: "none" });
  });

  test.each([
    ["with little to spare", 100, { restarts: { suspected_oom: 1 }, evidence: "node_oom_kill" }],
    ["with much to spare", 900, { restarts: { exit: 1 }, evidence: "none" }],
  ])("the largest process, without a limit, ends as the machine kills one, %s", async (_, available, expected) => {
    const machine = fakeMachine({ memory: 1000 * MiB });
    machine.write("proc/meminfo", `MemTotal: ${1000 * 1024} kB\nMemAvailable: ${available * 1024} kB\n`);
    const watched = watch(machine);
    const pid = machine.start({ resident: 300 * MiB });
    await watched.pass();
    machine.stop(pid);
    machine.countOomKillElsewhere();
    machine.start({});
    await watched.pass();
    expect(verdict(watched)).toMatchObject(expected);
  });

  test("it exits near its limit, and no counter rose", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    const { watched, pid } = await withOneProcess(machine, 95 * MiB);
    machine.stop(pid);
    machine.start({ cgroup: "/docker/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { exit: 1 }, evidence: "none" });
  });

  test("it ends near its limit on a kernel that counts no kills", async () => {
    const machine = fakeMachine({ cgroups: 1, countsOomKills: false });
    const { watched, pid } = await withOneProcess(machine, 95 * MiB);
    machine.stop(pid);
    machine.removeCgroup("/docker/api");
    machine.cgroup("/docker/api", { limit: 100 * MiB });
    machine.start({ cgroup: "/docker/api" });
    await watched.pass();
    expect(verdict(watched)).toMatchObject({ restarts: { suspected_oom: 1 }, evidence: "near_limit" });
  });
});

describe("restarts on a timer", () => {
  /** Lives of these lengths, in seconds, each followed at once by the next. */
  async function liveFor(machine: FakeMachine, lifetimes: readonly number[]) {
    const watched = watch(machine);
    for (const lifetime of lifetimes) {
      const pid = machine.start();
      for (let seconds = 0; seconds < lifetime; seconds += 20) await watched.pass(Math.min(20, lifetime - seconds));
      machine.stop(pid);
    }
    machine.start();
    await watched.pass();
    return watched;
  }

  test("are scheduled from the third equal interval on", async () => {
    const watched = await liveFor(fakeMachine(), [300, 300, 300, 300, 300]);
    expect(watched.restarts("api")).toEqual({ exit: 2, scheduled: 3 });
    expect(watched.watcher.ledger.account("api").lastEnd).toMatchObject({
      reason: "scheduled",
      evidence: "steady_cadence",
    });
  });

  test("are not seen in crashes", async () => {
    const watched = await liveFor(fakeMachine(), [300, 120, 460, 200, 330]);
    expect(watched.restarts("api")).toEqual({ exit: 5 });
  });
});

describe("a life that ended", () => {
  /** Memory in MiB at each minute of the life. */
  const endAfter = async (minutes: number, memory: (minute: number) => number) => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const pid = machine.start({ resident: memory(0) * MiB });
    for (let seconds = 0; seconds < minutes * 60; seconds += 20) {
      machine.change(pid, { resident: Math.round(memory(seconds / 60) * MiB) });
      await watched.pass(20);
    }
    machine.stop(pid);
    await watched.pass();
    return watched.watcher.ledger.account("api");
  };

  test("after 40 minutes of steady growth still grew, and its pace is kept", async () => {
    const account = await endAfter(40, (minute) => 100 + minute);
    expect(account.livesEndedGrowing).toBe(1);
    expect(account.lastEnd?.growthPerSecond).toBeCloseTo(MiB / 60, -3);
    expect(account.lastEnd?.lifetime).toBe(40 * 60 + 5);
  });

  test.each<[string, number, (minute: number) => number]>([
    ["after 40 level minutes", 40, () => 100],
    ["after growth that reached a plateau", 40, (minute) => 100 + 40 * (1 - Math.exp(-minute / 8))],
    ["after 10 minutes of growth, which may be a warm-up", 10, (minute) => 100 + minute],
    ["after one step", 40, (minute) => (minute < 25 ? 100 : 140)],
  ])("%s did not", async (_, minutes, memory) => {
    expect(await endAfter(minutes, memory)).toMatchObject({ livesEnded: 1, livesEndedGrowing: 0 });
  });
});

describe("a heap that ends its process, without a word from anybody", () => {
  const node = (limit: number) => ({ argv: ["/usr/bin/node", `--max-old-space-size=${limit}`, "/srv/api.js"] });

  /** It goes from one level to another in MiB, within seconds, and another takes its place; so many times. */
  async function lived(facts: { argv: string[] }, [from, to]: readonly [number, number], times = 1) {
    const machine = fakeMachine();
    machine.cgroup("/docker/abc", { limit: 2048 * MiB });
    const watched = watch(machine);
    let pid = machine.start({ ...facts, cgroup: "/docker/abc", resident: from * MiB });
    for (let life = 0; life < times; life++) {
      await watched.pass(5);
      for (let share = 0.05; share < 1.01; share += 0.05) {
        machine.change(pid, { resident: (from + share * (to - from)) * MiB });
        await watched.pass(5);
      }
      machine.stop(pid);
      pid = machine.start({ ...facts, cgroup: "/docker/abc", resident: from * MiB });
      await watched.pass(5);
    }
    await watched.pass(60); // services are judged by the minute
    const [group] = watched.watcher.groups.values();
    const account = watched.watcher.ledger.account(group?.name as string);
    return { evidence: account.lastEnd?.evidence, reason: account.lastEnd?.reason, word: group?.finding?.word };
  }

  test("is its reason where it grew to what V8 holds when it gives up", async () => {
    expect(await lived(node(100), [40, 112])).toMatchObject({ evidence: "heap_limit", reason: "suspected_oom" });
  });

  test("makes a masked leak at the second", async () => {
    expect(await lived(node(100), [40, 112], 2)).toMatchObject({ word: "masked_leak" });
  });

  test.each<[string, { argv: string[] }, readonly [number, number]]>([
    ["far below the heap's limit", node(1000), [40, 112]],
    ["that was always so full", node(100), [112, 112]],
    ["of a JVM, which fills its heap with garbage", { argv: ["/usr/bin/java", "-Xmx100m", "Api"] }, [40, 130]],
    ["of a program without a heap of its own", { argv: ["/usr/bin/api"] }, [40, 112]],
  ])("is none of an end %s", async (_, facts, levels) => {
    expect(await lived(facts, levels)).toMatchObject({ evidence: "none", reason: "exit" });
  });
});
