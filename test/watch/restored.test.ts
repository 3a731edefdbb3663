// What an exporter that was started again knows of what it watched before, on a machine made of files.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { KiB, MiB } from "../../catalog/defaults.ts";
import { createLogger } from "../../exporter/log.ts";
import { stateFileName } from "../../exporter/storage/state-file.ts";
import { Storage } from "../../exporter/storage/storage.ts";
import { fakeMachine, watch } from "../support/machine.ts";

const minute = 60;
const boot = "5e0b";
const interval = 20;

function service() {
  const machine = fakeMachine();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-state-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const storage = new Storage(
    folder,
    createLogger("error", "logfmt", () => undefined),
  );
  const grown = new Map<number, number>();
  let containers = 0;
  type Watch = ReturnType<typeof watch>;
  return {
    machine,
    folder,
    /** A leak of so many MiB a minute; 0 is none. */
    start: (pace: number, name = "api") => {
      // each in a container of its own: replicas, not workers
      const cgroup = `/docker/${(containers++).toString(16)}`;
      machine.cgroup(cgroup, { limit: 256 * MiB });
      const pid = machine.start({ argv: [`/usr/bin/${name}`], cgroup, resident: 40 * MiB });
      grown.set(pid, pace / minute);
      return pid;
    },
    /** So much time goes by, and is watched. */
    async run({ pass }: Watch, minutes: number): Promise<void> {
      const started = machine.clock.seconds;
      while (machine.clock.seconds < started + minutes * minute) {
        for (const [pid, pace] of grown) machine.change(pid, { resident: memoryOf(pid, pace) });
        await pass(interval);
      }
    },
    end: (pid: number) => {
      grown.delete(pid);
      machine.stop(pid);
    },
    save: ({ watcher }: Watch) =>
      storage.save(
        { boot, savedAt: machine.clock.unix(), sinceBoot: machine.clock.monotonic() },
        watcher.groups,
        (group) => watcher.ledger.account(group),
      ),
    /** A new exporter; with `forgetful` one without storage. */
    restarted: async ({ forgetful = false } = {}): Promise<Watch> =>
      watch(machine, {
        config: { sampleInterval: interval },
        remembered: forgetful ? undefined : await storage.load(boot),
      }),
  };

  function memoryOf(pid: number, pace: number): number {
    const age = machine.clock.seconds - 1000;
    return Math.round((40 + pace * age) * 256) * 4 * KiB + (pid % 2) * 4096;
  }
}

const finding = ({ watcher }: ReturnType<typeof watch>, pid: number) => {
  const life = watcher.watched.get(pid);
  return life?.group.slots[life.slot]?.finding;
};

describe("a leak that was called one", () => {
  test("still is one at the first pass of the next exporter, as urgent as before", async () => {
    const on = service();
    const pid = on.start(3);
    const first = await on.restarted();
    await on.run(first, 45);
    const before = finding(first, pid);
    expect(before).toMatchObject({ word: "leaking", severity: 4 });
    await on.save(first);
    const second = await on.restarted();
    await second.pass(5);
    expect(finding(second, pid)).toMatchObject({
      word: "leaking",
      severity: 4,
      since: before?.since,
      rule: before?.rule,
    });
  });

  test("is not known to one that keeps nothing: that is what storage is for", async () => {
    const on = service();
    const pid = on.start(3);
    const first = await on.restarted();
    await on.run(first, 45);
    const second = await on.restarted({ forgetful: true });
    await second.pass(5);
    expect(finding(second, pid)?.word).toBe("collecting");
  });
});

describe("what was counted", () => {
  test("goes on from where it was, and nothing is counted for the time between", async () => {
    const on = service();
    const [kept, other] = [on.start(0), on.start(0, "worker")];
    const first = await on.restarted();
    await on.run(first, 2);
    on.end(other);
    await first.pass(interval);
    const again = on.start(0, "worker");
    await first.pass(interval);
    expect(first.restarts("worker")).toEqual({ exit: 1 });
    await on.save(first);

    const second = await on.restarted();
    for (let i = 0; i < 3; i++) await second.pass(interval);
    expect(second.running()).toEqual({ api: [kept], worker: [again] });
    expect(second.restarts("worker")).toEqual({ exit: 1 });
    expect(second.restarts("api")).toEqual({});
    expect([
      second.watcher.ledger.account("api").livesEnded,
      second.watcher.ledger.account("worker").livesEnded,
    ]).toEqual([0, 1]);
  });

  test("is no end of what ended meanwhile: nobody saw how", async () => {
    const on = service();
    const pid = on.start(3);
    const first = await on.restarted();
    await on.run(first, 30);
    await on.save(first);
    on.end(pid);
    const next = on.start(0);
    on.machine.clock.advance(5 * minute);
    const second = await on.restarted();
    await second.pass(5);
    await on.run(second, 3);
    expect(second.running()).toEqual({ api: [next] });
    expect(second.restarts("api")).toEqual({});
    expect(second.watcher.ledger.account("api").livesEnded).toBe(0);
    expect(finding(second, next)?.severity).toBe(0);
  });
});

describe("a process", () => {
  test("finds its slot again, whichever is met first", async () => {
    const on = service();
    const pids = [on.start(0), on.start(0), on.start(0)];
    const first = await on.restarted();
    await on.run(first, 1);
    on.end(pids[0] as number);
    await first.pass(interval);
    await on.save(first);
    const late = on.start(0);
    const second = await on.restarted();
    await second.pass(5);
    expect(second.running()).toEqual({ api: [late, pids[1], pids[2]] });
  });

  test("with the pid of another has none of that one's history", async () => {
    const on = service();
    const pid = on.start(3);
    const first = await on.restarted();
    await on.run(first, 45);
    await on.save(first);
    on.end(pid);
    on.machine.clock.advance(10);
    on.machine.start({ pid, argv: ["/usr/bin/api"], cgroup: "/docker/0", resident: 40 * MiB });
    const second = await on.restarted();
    await second.pass(5);
    expect(finding(second, pid)).toMatchObject({ word: "collecting", severity: 0, watched: 0 });
  });

  test("is judged after the gap as if it had been watched: what it gained meanwhile is growth, and no jump is made up", async () => {
    const on = service();
    const [leaking, flat] = [on.start(3), on.start(0, "flat")];
    const first = await on.restarted();
    await on.run(first, 20);
    await on.save(first);
    on.machine.clock.advance(2 * minute);
    const second = await on.restarted();
    await on.run(second, 12);
    expect(finding(second, leaking)).toMatchObject({ word: "leaking" });
    expect(finding(second, flat)).toMatchObject({ word: "stable", severity: 0 });
    expect(finding(second, leaking)?.watched).toBeGreaterThanOrEqual(33 * minute);
  });
});

test("of each process no more than 12 KiB are kept on the disk", async () => {
  const on = service();
  for (let i = 0; i < 15; i++) on.start(i % 3);
  const first = await on.restarted();
  await on.run(first, 60);
  await on.save(first);
  expect(fs.statSync(path.join(on.folder, stateFileName)).size / 15).toBeLessThan(12 * KiB);
});
