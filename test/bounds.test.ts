// How much is watched at most: what is left out is counted and shown, and is taken when there is room again.

import { describe, expect, test } from "vitest";
import { KiB, sizes } from "../catalog/defaults.ts";
import { decodeConfig } from "../exporter/config/config.ts";
import { fakeMachine, watch } from "./support/machine.ts";

const leftOutOf = (watcher: ReturnType<typeof watch>["watcher"]) =>
  Object.fromEntries(
    [...watcher.leftOut()].flatMap(({ bound, processes }) => (processes > 0 ? [[bound, processes]] : [])),
  );

describe("no more are watched than", () => {
  test("max_processes says, until others end", async () => {
    const machine = fakeMachine();
    // of many owners and names, so that only their number is too large
    const pids = Array.from({ length: 9 }, (_, i) => machine.start({ argv: [`/srv/app-${i % 3}`], uid: 1000 + i }));
    const { watcher, pass } = watch(machine, { config: { maxProcesses: 6 } });
    await pass();
    expect(watcher.watched.size).toBe(6);
    expect(leftOutOf(watcher)).toEqual({ processes: 3 });
    for (const pid of pids.slice(0, 4)) machine.stop(pid);
    await pass();
    await pass(60);
    expect(watcher.watched.size).toBe(5);
    expect(leftOutOf(watcher)).toEqual({});
  });

  test("half of them of one user, so that a flood leaves room for the others", async () => {
    const machine = fakeMachine();
    for (let i = 0; i < 20; i++) machine.start({ argv: [`/srv/flood-${i % 4}`], uid: 666 });
    machine.start({ argv: ["/srv/api"], uid: 1000 });
    const { watcher, pass, running } = watch(machine, { config: { maxProcesses: 10 } });
    await pass();
    expect(watcher.watched.size).toBe(6);
    expect(leftOutOf(watcher)).toEqual({ processes_per_owner: 15 });
    expect(running()["api"]).toHaveLength(1);
  });

  test("half as many groups, whatever processes call themselves later", async () => {
    const machine = fakeMachine();
    const pids = Array.from({ length: 8 }, (_, i) => machine.start({ argv: ["/srv/api"], uid: 1000 + i }));
    const { watcher, pass } = watch(machine, { config: { maxProcesses: 10 } });
    await pass();
    expect(leftOutOf(watcher)).toEqual({ processes_per_group: 3 });
    for (const [i, pid] of pids.entries()) machine.exec(pid, [`/srv/name-${i}`]);
    await pass();
    await pass(60);
    await pass(60);
    expect(new Set([...watcher.watched.values()].map(({ group }) => group.name)).size).toBe(5);
    expect(leftOutOf(watcher)).toEqual({ groups: 3 });
  });
});

test("twenty processes with 130 kB of arguments and a group of their own make no scrape of megabytes", async () => {
  const machine = fakeMachine();
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration's own notation
  const config = decodeConfig({ groups: [{ name: "${all}", match: { cmdline: "(?<all>.*)" } }] }, []);
  for (let i = 0; i < 20; i++) {
    const argv = ["/srv/app", String(i), ...Array.from({ length: 260 }, () => "\u202e".repeat(166))];
    machine.start({ argv, exe: `/${"\n".repeat(3000)}`, cgroup: `/${"\u001b".repeat(3000)}${i}` });
    machine.cgroup(`/${i}`);
  }
  const { watcher, pass, exposition } = watch(machine, { config });
  await pass();
  expect(watcher.watched.size).toBe(20);
  expect((await exposition()).length).toBeLessThan(20 * sizes.expositionOfProcess + 64 * KiB);
  expect(JSON.stringify([...watcher.watched.values()].map(({ identity }) => identity)).length).toBeLessThan(
    20 * 32 * KiB,
  );
});
