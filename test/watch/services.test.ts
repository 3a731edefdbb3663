// What is a restart of a service, what is the renewal of a worker, and what is neither: fork servers, supervisors and jobs on a machine made of files.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { type FakeMachine, fakeMachine, type ProcessFacts, watch } from "../support/machine.ts";

type Watched = ReturnType<typeof watch>;

/** A master and its workers, as fork servers run them. */
function startServer(machine: FakeMachine, name: string, workers: number, facts: Partial<ProcessFacts> = {}) {
  const exe = `/usr/sbin/${name}`;
  const master = machine.start({ argv: [`${name}: master process`], exe, comm: name, ...facts });
  const fork = () => machine.start({ argv: [`${name}: worker process`], exe, comm: name, ...facts, ppid: master });
  return { master, workers: Array.from({ length: workers }, fork), fork };
}

const told = ({ watcher, restarts }: Watched, group: string) => {
  const { workerExits, livesEnded, oomKills } = watcher.ledger.account(group);
  const exits = Object.fromEntries(Object.entries(workerExits).filter(([, count]) => count > 0));
  return { restarts: restarts(group), exits, livesEnded, oomKills };
};

const nothing = { restarts: {}, exits: {}, livesEnded: 0, oomKills: 0 };

async function passes({ pass }: Watched, count: number, seconds = 5) {
  for (let i = 0; i < count; i++) await pass(seconds);
}

describe("a fork server", () => {
  test("that is restarted with all its workers is restarted once", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const cgroup = "/system.slice/nginx.service";
    const first = startServer(machine, "nginx", 8, { cgroup });
    await watched.pass();
    for (const pid of [first.master, ...first.workers]) machine.stop(pid);
    const second = startServer(machine, "nginx", 8, { cgroup });
    await passes(watched, 4);
    expect(told(watched, "nginx")).toEqual({ ...nothing, restarts: { exit: 1 }, livesEnded: 1 });
    expect(watched.running()).toEqual({ nginx: [second.master, ...second.workers] });
  });

  test("whose master waits for its workers to end is restarted once all the same", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const first = startServer(machine, "gunicorn", 4);
    await watched.pass();
    for (const pid of first.workers) machine.stop(pid);
    await watched.pass();
    machine.stop(first.master);
    startServer(machine, "gunicorn", 4);
    await passes(watched, 4);
    expect(told(watched, "gunicorn")).toEqual({ ...nothing, restarts: { exit: 1 }, livesEnded: 1 });
  });

  test("whose workers outlive their master for a while is restarted once", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const first = startServer(machine, "gunicorn", 4);
    await watched.pass();
    machine.stop(first.master);
    for (const pid of first.workers) machine.change(pid, { ppid: 1 });
    startServer(machine, "gunicorn", 4);
    await passes(watched, 4); // longer than they are taken for orphans
    for (const pid of first.workers) machine.stop(pid);
    await passes(watched, 4);
    expect(told(watched, "gunicorn").restarts).toEqual({ exit: 1 });
  });

  test("that recycles its workers is not restarted", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const { workers, fork } = startServer(machine, "gunicorn", 2);
    await watched.pass();
    for (let i = 0; i < 6; i++) {
      machine.stop(workers.shift() as number);
      workers.push(fork());
      await passes(watched, 7);
    }
    expect(told(watched, "gunicorn")).toEqual({ ...nothing, exits: { recycled: 6 }, livesEnded: 6 });
    expect(watched.watcher.ledger.account("gunicorn").lastEnd).toMatchObject({ reason: "recycled", evidence: "none" });
  });

  test("that reloads renews all its workers, which count as one end", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const { workers, fork } = startServer(machine, "nginx", 8);
    await watched.pass();
    for (const pid of workers) machine.stop(pid);
    for (const _ of workers) fork();
    await passes(watched, 4);
    expect(told(watched, "nginx")).toEqual({ ...nothing, exits: { recycled: 8 }, livesEnded: 1 });
  });

  test("that execs a new master, which takes over from the old one, is not restarted", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const old = startServer(machine, "nginx", 2);
    await watched.pass();
    // USR2: the new master is a child of the old one; QUIT: the old one goes
    const master = machine.start({ argv: ["nginx: master process"], exe: "/usr/sbin/nginx", ppid: old.master });
    machine.start({ argv: ["nginx: worker process"], exe: "/usr/sbin/nginx", ppid: master });
    await watched.pass();
    for (const pid of [old.master, ...old.workers]) machine.stop(pid);
    machine.change(master, { ppid: 1 });
    await passes(watched, 6);
    expect(told(watched, "nginx").restarts).toEqual({});
    // and the next end of the new one is an end of the service
    machine.stop(master);
    await watched.pass();
    startServer(machine, "nginx", 2);
    await watched.pass();
    expect(told(watched, "nginx").restarts).toEqual({ exit: 1 });
  });

  describe("that executes itself again and becomes a daemon once more, as PHP-FPM does", () => {
    const listener = { fds: 9, sockets: ["socket:[71]"] };
    const reexec = async (machine: FakeMachine, facts: Partial<ProcessFacts>, then: Partial<ProcessFacts> = facts) => {
      const watched = watch(machine);
      const old = startServer(machine, "php-fpm8.2", 3, facts);
      await passes(watched, 2);
      for (const pid of [old.master, ...old.workers]) machine.stop(pid);
      startServer(machine, "php-fpm8.2", 3, then);
      await passes(watched, 4);
      return told(watched, "php-fpm").restarts;
    };

    test("keeps its sockets, and is not restarted", async () => {
      expect(await reexec(fakeMachine(), listener)).toEqual({});
    });

    test("is restarted when it has opened others", async () => {
      expect(await reexec(fakeMachine(), listener, { ...listener, sockets: ["socket:[72]"] })).toEqual({ exit: 1 });
    });

    test("is restarted when who starts it has them too, and gives them to each", async () => {
      const machine = fakeMachine();
      const ppid = machine.start({ argv: ["/usr/bin/circusd"], ...listener });
      expect(await reexec(machine, { ...listener, ppid })).toEqual({ exit: 1 });
    });

    test("is restarted when they may be those of a systemd socket unit", async () => {
      expect(await reexec(fakeMachine(), { fds: 4, sockets: ["socket:[71]"] })).toEqual({ exit: 1 });
    });

    test("is restarted as far as can be seen by somebody who may not see sockets", async () => {
      const machine = fakeMachine();
      machine.files.deny(/\/fd(\/|$)/);
      expect(await reexec(machine, listener)).toEqual({ exit: 1 });
    });
  });

  test("of which every process is a child of init is one service in its unit", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const start = () =>
      Array.from({ length: 5 }, () => machine.start({ argv: ["/usr/bin/shop"], cgroup: "/system.slice/shop.service" }));
    const first = start();
    await watched.pass();
    for (const pid of first) machine.stop(pid);
    start();
    await passes(watched, 4);
    expect(told(watched, "shop")).toEqual({ ...nothing, restarts: { exit: 1 }, livesEnded: 1 });
  });

  test("started four times side by side by a supervisor is four services", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const supervisor = machine.start({ argv: ["/usr/bin/supervisord"], cgroup: "/system.slice/supervisor.service" });
    const facts = { argv: ["/usr/bin/api"], cgroup: "/system.slice/supervisor.service", ppid: supervisor };
    const pids = Array.from({ length: 4 }, () => machine.start(facts));
    await watched.pass();
    for (const pid of pids.slice(0, 2)) machine.stop(pid);
    for (let i = 0; i < 2; i++) machine.start(facts);
    await watched.pass();
    expect(told(watched, "api").restarts).toEqual({ exit: 2 });
  });
});

describe("an OOM kill", () => {
  test("of a worker is counted at once, and is no restart", async () => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 100 * MiB });
    const watched = watch(machine);
    const { workers, fork } = startServer(machine, "gunicorn", 2, { cgroup: "/api" });
    await watched.pass();
    machine.oomKill(workers[0] as number);
    fork();
    await watched.pass();
    expect(told(watched, "gunicorn")).toEqual({ ...nothing, exits: { oom: 1 }, livesEnded: 1, oomKills: 1 });
  });

  test("of a worker that takes the service down with it is why the service ended", async () => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 100 * MiB });
    const watched = watch(machine);
    const { master, workers } = startServer(machine, "gunicorn", 2, { cgroup: "/api", resident: 10 * MiB });
    machine.change(workers[0] as number, { resident: 70 * MiB });
    await watched.pass();
    machine.oomKill(workers[0] as number);
    for (const pid of [master, workers[1] as number]) machine.stop(pid);
    startServer(machine, "gunicorn", 2, { cgroup: "/api" });
    await watched.pass();
    expect(told(watched, "gunicorn")).toEqual({ ...nothing, restarts: { oom: 1 }, livesEnded: 1, oomKills: 1 });
  });

  describe("of a whole cgroup at once (memory.oom.group)", () => {
    const limit = 100 * MiB;
    const once = { ...nothing, restarts: { oom: 1 }, livesEnded: 1, oomKills: 1 };

    test("is one kill and one restart, however many workers went with the master", async () => {
      const machine = fakeMachine();
      machine.cgroup("/pod");
      machine.cgroup("/pod/api", { limit });
      const watched = watch(machine);
      const { master, workers } = startServer(machine, "gunicorn", 3, { cgroup: "/pod/api", resident: 20 * MiB });
      await passes(watched, 3);
      machine.oomGroupKill([master, ...workers]);
      startServer(machine, "gunicorn", 3, { cgroup: "/pod/api" });
      await passes(watched, 4);
      expect(told(watched, "gunicorn")).toEqual(once);
      expect(watched.watcher.ledger.account("gunicorn").lastEnd?.evidence).toBe("cgroup_oom_kill");
    });

    test("is one as well where the cgroup goes with its processes, and only the one above has counted", async () => {
      const machine = fakeMachine();
      machine.cgroup("/pod");
      machine.cgroup("/pod/api", { limit });
      const watched = watch(machine);
      const { master, workers } = startServer(machine, "gunicorn", 3, { cgroup: "/pod/api", resident: 24 * MiB });
      await passes(watched, 3);
      machine.oomGroupKill([master, ...workers]);
      machine.removeCgroup("/pod/api");
      await passes(watched, 2);
      machine.cgroup("/pod/api", { limit });
      startServer(machine, "gunicorn", 3, { cgroup: "/pod/api" });
      await passes(watched, 4);
      expect(told(watched, "gunicorn")).toEqual(once);
      expect(watched.watcher.ledger.account("gunicorn").lastEnd?.evidence).toBe("parent_oom_kill");
    });

    test("whose victims are gone one pass after the other is one as well", async () => {
      const machine = fakeMachine();
      machine.cgroup("/api", { limit });
      const watched = watch(machine);
      const { master, workers } = startServer(machine, "gunicorn", 3, { cgroup: "/api", resident: 24 * MiB });
      await passes(watched, 3);
      machine.countOomGroupKill([master, ...workers]);
      for (const pid of [...workers, master]) {
        machine.stop(pid);
        await watched.pass(1);
      }
      startServer(machine, "gunicorn", 3, { cgroup: "/api" });
      await passes(watched, 4);
      expect(told(watched, "gunicorn")).toMatchObject({ restarts: { oom: 1 }, oomKills: 1 });
    });

    test("is one, though there were processes in it that no pass had seen", async () => {
      const machine = fakeMachine();
      machine.cgroup("/api", { limit });
      const watched = watch(machine);
      const { master, workers, fork } = startServer(machine, "gunicorn", 3, { cgroup: "/api", resident: 24 * MiB });
      await passes(watched, 3);
      machine.oomGroupKill([master, ...workers, fork(), fork()]);
      startServer(machine, "gunicorn", 3, { cgroup: "/api" });
      await passes(watched, 6); // until nobody claims the kills any more
      expect(told(watched, "gunicorn")).toEqual(once);
    });

    test("is one for each service in it", async () => {
      const machine = fakeMachine();
      machine.cgroup("/pod");
      machine.cgroup("/pod/api", { limit });
      const watched = watch(machine);
      const facts = { cgroup: "/pod/api", resident: 20 * MiB };
      const { master, workers } = startServer(machine, "gunicorn", 3, facts);
      const beside = machine.start({ argv: ["/usr/bin/cache"], ...facts });
      await passes(watched, 3);
      machine.oomGroupKill([master, ...workers, beside]);
      startServer(machine, "gunicorn", 3, facts);
      machine.start({ argv: ["/usr/bin/cache"], ...facts });
      await passes(watched, 4);
      expect([told(watched, "gunicorn"), told(watched, "cache")]).toEqual([once, once]);
    });
  });

  test("is credited to the service of its victim, though another was met first", async () => {
    const machine = fakeMachine();
    machine.cgroup("/pod");
    machine.cgroup("/pod/app", { limit: 200 * MiB });
    const watched = watch(machine);
    machine.start({ argv: ["/usr/bin/web"], cgroup: "/pod/app", resident: 20 * MiB });
    const worker = machine.start({ argv: ["/usr/bin/worker"], cgroup: "/pod/app", resident: 170 * MiB });
    await passes(watched, 3);
    machine.countOomKill(worker);
    await watched.pass();
    machine.stop(worker);
    await watched.pass();
    expect(told(watched, "web").oomKills).toBe(0);
    expect(told(watched, "worker").oomKills).toBe(1);
  });

  test("names who grew beside who was killed", async () => {
    const machine = fakeMachine();
    machine.cgroup("/pod/app", { limit: 400 * MiB });
    const watched = watch(machine);
    const victim = machine.start({ argv: ["/usr/bin/web"], cgroup: "/pod/app", resident: 150 * MiB });
    const culprit = machine.start({ argv: ["/usr/bin/report"], cgroup: "/pod/app", resident: 20 * MiB });
    for (let minute = 0; minute <= 60; minute++) {
      machine.change(victim, { resident: (150 + minute / 6) * MiB });
      machine.change(culprit, { resident: (20 + 1.5 * minute) * MiB });
      await watched.pass(60);
    }
    machine.oomKill(victim);
    await watched.pass();
    const { lastOomGrowth } = watched.watcher.ledger.account("web");
    expect(lastOomGrowth.map(({ group }) => group)).toEqual(["report", "web"]);
    expect(lastOomGrowth[0]?.ratio).toBeCloseTo(0.9, 1);
  });
});

describe("what is started for each job", () => {
  test("by a service is no restart loop, however close the jobs are: each has a command of its own", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const queue = machine.start({ argv: ["/usr/bin/queue"] });
    for (let i = 0; i < 30; i++) {
      const helper = machine.start({ argv: ["/usr/bin/ffmpeg", "-i", `${i}.mp4`], ppid: queue });
      await passes(watched, 2 + (i % 5));
      machine.stop(helper);
      if (i % 3 === 0) await watched.pass();
    }
    expect(told(watched, "ffmpeg")).toEqual(nothing);
  });

  test("for each request is no restart loop either, though all have the same command", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const server = machine.start({ argv: ["/usr/bin/server"] });
    for (let i = 0; i < 30; i++) {
      machine.clock.advance(4);
      const helper = machine.start({ argv: ["/usr/lib/cgi-bin/search"], ppid: server });
      await watched.pass(1);
      machine.stop(helper);
    }
    await passes(watched, 3);
    expect(told(watched, "search")).toEqual(nothing);
  });

  test("is a service of its own when the program keeps it running", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const own = machine.start({ argv: ["/usr/bin/my-supervisor"] });
    for (let i = 0; i < 4; i++) {
      const api = machine.start({ argv: ["/usr/bin/api"], ppid: own });
      await passes(watched, 4);
      machine.stop(api);
      await watched.pass();
    }
    expect(told(watched, "api")).toMatchObject({ restarts: { exit: 3 }, livesEnded: 3 });
  });

  test("without a parent that is seen: what comes now and then is no restart", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    for (let i = 0; i < 20; i++) {
      const helper = machine.start({ argv: ["/usr/bin/ffmpeg", "-i", "in.mp4"] });
      await passes(watched, 2 + (i % 5));
      machine.stop(helper);
      await passes(watched, 8 + (i % 7));
    }
    expect(told(watched, "ffmpeg").restarts).toEqual({});
  });

  test.each<[string, readonly ProcessFacts["argv"][]]>([
    ["cron", [["/usr/sbin/cron", "-f"], ["/bin/sh", "-c", "/usr/bin/backup"], ["/usr/bin/backup"]]],
    ["somebody over ssh", [["/usr/sbin/sshd", "-D"], ["-bash"], ["/usr/bin/backup"]]],
    [
      "a step of continuous integration",
      [["/opt/runner/Runner.Worker"], ["/bin/bash", "step.sh"], ["/usr/bin/backup"]],
    ],
  ])("by %s leaves no restart, and is soon forgotten", async (_, [first, shell, command]) => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const daemon = machine.start({ argv: first as string[] });
    for (let i = 0; i < 10; i++) {
      const sh = machine.start({ argv: [...(shell as string[]), `/tmp/step-${i}`], ppid: daemon });
      const job = machine.start({ argv: command as string[], ppid: sh });
      await watched.pass();
      for (const pid of [job, sh]) machine.stop(pid);
      await watched.pass();
    }
    expect(told(watched, "backup")).toEqual(nothing);
    await passes(watched, 20, 50);
    const names = [...watched.watcher.ledger].map(([group]) => group);
    expect(names).toEqual([(first as string[])[0]?.split("/").at(-1) as string]);
  });

  test("inside a container that runs (exec, probes) is no restart of it", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const container = `/docker/${"a".repeat(64)}`;
    const main = machine.start({
      argv: ["/usr/bin/node", "server.js"],
      exe: "/usr/bin/node",
      cgroup: container,
      ppid: 0,
    });
    for (let i = 0; i < 8; i++) {
      machine.clock.advance(1);
      const probe = machine.start({
        argv: ["/usr/bin/node", "server.js"],
        exe: "/usr/bin/node",
        cgroup: container,
        ppid: 0,
      });
      await watched.pass();
      machine.stop(probe);
      await watched.pass();
    }
    expect(told(watched, "server.js")).toEqual(nothing);
    machine.stop(main);
    await watched.pass();
    machine.start({ argv: ["/usr/bin/node", "server.js"], exe: "/usr/bin/node", cgroup: container, ppid: 0 });
    await watched.pass();
    expect(told(watched, "server.js").restarts).toEqual({ exit: 1 });
  });
});

describe("a service that a shell starts again and again", () => {
  test("is restarted; the pause between is not", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const container = `/docker/${"b".repeat(64)}`;
    const loop = machine.start({
      argv: ["/bin/sh", "-c", "while :; do api; sleep 5; done"],
      cgroup: container,
      ppid: 0,
    });
    for (let i = 0; i < 5; i++) {
      const api = machine.start({ argv: ["/usr/bin/api"], cgroup: container, ppid: loop });
      await passes(watched, 4);
      machine.stop(api);
      const pause = machine.start({ argv: ["/bin/sleep", "5"], cgroup: container, ppid: loop });
      await watched.pass();
      machine.stop(pause);
    }
    expect(told(watched, "api").restarts).toEqual({ exit: 4 });
    expect(told(watched, "sleep").restarts).toEqual({});
  });
});

describe("parents", () => {
  test("whose pid was given to somebody younger are no parents", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const orphan = machine.start({ argv: ["/usr/bin/api"], ppid: 500, startTicks: 90_000 });
    machine.start({ argv: ["/usr/bin/api"], pid: 500, startTicks: 95_000 });
    await watched.pass();
    expect(watched.watcher.watched.get(orphan)?.parent).toBeUndefined();
    expect(watched.watcher.watched.get(500)?.parent).toBeUndefined();
  });

  test("that end before they are met leave a root", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    for (let i = 0; i < 3; i++) {
      const daemon = machine.start({ argv: ["/usr/sbin/daemon"], ppid: 1 });
      await passes(watched, 3);
      machine.stop(daemon);
      await watched.pass();
    }
    expect(told(watched, "daemon").restarts).toEqual({ exit: 2 });
  });

  test("that start a daemon and end leave the service to it", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const launcher = machine.start({ argv: ["/usr/sbin/daemon"] });
    const daemon = machine.start({ argv: ["/usr/sbin/daemon"], ppid: launcher });
    await watched.pass();
    machine.stop(launcher);
    machine.change(daemon, { ppid: 1 });
    await passes(watched, 100, 60);
    expect(told(watched, "daemon").restarts).toEqual({});
    machine.stop(daemon);
    machine.start({ argv: ["/usr/sbin/daemon"] });
    await watched.pass();
    expect(told(watched, "daemon").restarts).toEqual({ exit: 1 });
  });

  test("that end under a subreaper leave their children to it, in one unit one service", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const manager = machine.start({ argv: ["/lib/systemd/systemd", "--user"], cgroup: "/user.slice/init.scope" });
    const cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service";
    const start = () =>
      Array.from({ length: 4 }, () => machine.start({ argv: ["/usr/bin/shop"], cgroup, ppid: manager }));
    const first = start();
    await watched.pass();
    for (const pid of first) machine.stop(pid);
    start();
    await passes(watched, 4);
    expect(told(watched, "shop")).toEqual({ ...nothing, restarts: { exit: 1 }, livesEnded: 1 });
  });
});

describe("a container of a pod", () => {
  const id = (digit: string) => digit.repeat(64);
  const pod = (uid: string) => `/kubepods/burstable/pod0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8${uid}`;

  test("that a sidecar sees beside itself comes back under another id after the kubelet's back-off", async () => {
    const machine = fakeMachine();
    const watched = watch(machine);
    const app = machine.start({ argv: ["/usr/bin/api"], cgroup: `/../${id("a")}`, ppid: 0 });
    await watched.pass();
    machine.stop(app);
    await passes(watched, 60);
    machine.start({ argv: ["/usr/bin/api"], cgroup: `/../${id("b")}`, ppid: 0 });
    await watched.pass();
    expect(told(watched, "api").restarts).toEqual({ exit: 1 });
  });

  /** A container ends at this share of its limit as the machine counts a kill, on version 1, and another starts. */
  async function replacedAt(residentMib: number, next: string) {
    const machine = fakeMachine({ cgroups: 1 });
    const watched = watch(machine);
    const before = `${pod("d10")}/${id("a")}`;
    machine.cgroup(before, { limit: 256 * MiB });
    const app = machine.start({ argv: ["/usr/bin/api"], cgroup: before, ppid: 0, resident: residentMib * MiB });
    await passes(watched, 3);
    machine.countOomKillElsewhere();
    machine.stop(app);
    machine.removeCgroup(before);
    await watched.pass();
    machine.cgroup(next, { limit: 256 * MiB });
    machine.start({ argv: ["/usr/bin/api"], cgroup: next, ppid: 0 });
    await watched.pass();
    return told(watched, "api").restarts;
  }

  test.each([
    ["near its limit, and is back in its pod: it was killed", 200, `${pod("d10")}/${id("b")}`, { suspected_oom: 1 }],
    ["near its limit, and is replaced by another pod: a rollout", 200, `${pod("d11")}/${id("b")}`, { exit: 1 }],
    ["far below its limit, and is back in its pod: it burst", 45, `${pod("d10")}/${id("b")}`, { suspected_oom: 1 }],
    ["far below its limit, and is replaced by another pod", 45, `${pod("d11")}/${id("b")}`, { exit: 1 }],
  ])("ends %s", async (_, residentMib, next, expected) => {
    expect(await replacedAt(residentMib, next)).toEqual(expected);
  });

  test("ends far below its limit beside another, and one of them was killed: neither is blamed", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    const watched = watch(machine);
    const cgroups = ["a", "b"].map((digit) => `${pod("d10")}/${id(digit)}`);
    const apps = cgroups.map((cgroup, i) => {
      machine.cgroup(cgroup, { limit: 256 * MiB });
      return machine.start({ argv: [`/usr/bin/app-${"xy"[i]}`], cgroup, ppid: 0, resident: 20 * MiB });
    });
    await passes(watched, 3);
    machine.countOomKillElsewhere();
    for (const [i, cgroup] of cgroups.entries()) {
      machine.stop(apps[i] as number);
      machine.removeCgroup(cgroup);
    }
    await watched.pass();
    for (const [i, digit] of ["c", "d"].entries()) {
      machine.start({ argv: [`/usr/bin/app-${"xy"[i]}`], cgroup: `${pod("d10")}/${id(digit)}`, ppid: 0 });
    }
    await watched.pass();
    expect(["app-x", "app-y"].map((group) => told(watched, group).restarts)).toEqual([{ exit: 1 }, { exit: 1 }]);
  });
});

describe("how a process ended, as a zombie shows it", () => {
  test.each([
    ["SIGTERM, beside an OOM kill in its cgroup", 15, { exit: 1 }],
    ["exit code 1, beside an OOM kill in its cgroup", 1 << 8, { exit: 1 }],
    ["SIGKILL", 9, { oom: 1 }],
    ["nothing that we may see", 0, { oom: 1 }],
  ])("%s", async (_, exitStatus, expected) => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 100 * MiB });
    const watched = watch(machine);
    const pid = machine.start({ cgroup: "/api", resident: 90 * MiB });
    await watched.pass();
    machine.countOomKill(pid);
    machine.change(pid, { exitStatus });
    machine.becomeZombie(pid);
    await watched.pass();
    machine.stop(pid);
    machine.start({ cgroup: "/api" });
    await watched.pass();
    expect(told(watched, "api").restarts).toEqual(expected);
  });
});

describe("a process of which nothing can be read any more", () => {
  /** Old enough for every number. */
  async function known() {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 500 * MiB });
    const watched = watch(machine, { maxKept: 0 });
    const pid = machine.start({ cgroup: "/api", resident: 100 * MiB });
    await passes(watched, 240, 20);
    return { machine, watched, pid };
  }
  const fromMemory = /^leakwatch_process_(resident|anonymous|memory_(floor|hour_floor|peak|headroom|new_high))\w*\{/m;

  test("has no memory, floor, peak or headroom at once", async () => {
    const { machine, watched } = await known();
    expect(await watched.exposition()).toMatch(
      /^leakwatch_process_memory_headroom_bytes\{group="api",slot="0"\} 419430400$/m,
    );
    machine.files.deny(/\/status$/);
    await watched.pass();
    expect(await watched.exposition()).not.toMatch(fromMemory);
  });

  test("nor has one that gave its memory back and does not get to end", async () => {
    const { machine, watched, pid } = await known();
    machine.write(
      `proc/${pid}/status`,
      `Name:\tapi\nState:\tD (disk sleep)\nPid:\t${pid}\nUid:\t1\t1\t1\t1\nThreads:\t1\n`,
    );
    await watched.pass();
    expect(await watched.exposition()).not.toMatch(fromMemory);
  });
});
