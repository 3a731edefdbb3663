// What is judged of watched processes, on a machine made of files: when, with which limit, and what becomes of it.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { judgeMetrics } from "../../catalog/metrics.ts";
import { decodeConfig } from "../../exporter/config/config.ts";
import { outlookText } from "../../exporter/judge/sentences.ts";
import { fakeMachine, type MachineOptions, watch } from "../support/machine.ts";

const minute = 60;
const container = "/docker/abc";

/** Each of these grows by so many MiB a minute, from 40 MiB on, in one container. */
async function growing(
  pace: readonly number[],
  {
    minutes,
    limit,
    memory,
    config,
    usage,
  }: { minutes: number; limit?: number; memory?: number; config?: object; usage?: number },
) {
  const machine = fakeMachine((memory === undefined ? {} : { memory }) satisfies MachineOptions);
  machine.cgroup(container, { limit });
  const pids = pace.map((_, i) =>
    machine.start({ argv: ["/usr/bin/api", String(i)], cgroup: container, resident: 40 * MiB }),
  );
  const on = watch(machine, { config: { ...(config && decodeConfig(config, [])), sampleInterval: 20 } });
  const grow = async (until: number, from = 0) => {
    for (let time = 20 * Math.ceil(from / 20); time <= until; time += 20) {
      for (const [i, pid] of pids.entries())
        machine.change(pid, { resident: Math.round((40 + ((pace[i] as number) * time) / minute) * 256) * 4096 });
      machine.cgroup(container, {
        limit,
        usage: usage ?? pace.reduce((sum, one) => sum + (40 + (one * time) / minute) * MiB, 0),
      });
      await on.pass(20);
    }
  };
  await grow(minutes * minute);
  const finding = (pid = pids[0] as number) => {
    const life = on.watcher.watched.get(pid);
    return life?.group.slots[life.slot]?.finding;
  };
  return { machine, pids, grow, finding, ...on };
}

const kinds = (finding: { readonly reasons: readonly { kind: string }[] } | undefined) =>
  finding?.reasons.map(({ kind }) => kind);

const growingOne = (pace: number, minutes: number) => growing([pace], { minutes, limit: 256 * MiB });

describe("a process that leaks", () => {
  test("is called one, in its series as well", async () => {
    const { finding, pids, value, exposition } = await growing([3], { minutes: 45, limit: 256 * MiB });
    expect(finding()).toMatchObject({ word: "leaking", severity: 4 });
    const pid = pids[0] as number;
    expect(value(pid, judgeMetrics.severity)).toBe(4);
    expect(value(pid, judgeMetrics.timeToOom)).toBeLessThan(60 * minute);
    expect(value(pid, judgeMetrics.headroom)).toBeLessThan(140 * MiB);
    const text = await exposition();
    expect(text).toMatch(/^leakwatch_process_verdict\{group="api",slot="0",verdict="leaking"\} 7$/m);
    expect(text).toMatch(/^leakwatch_process_leak_severity\{group="api",slot="0"\} 4$/m);
  });

  test.each([
    ["grows", 3, 1],
    ["is level", 0, 0],
  ])("or %s is told with how it would count if it exited now", async (_, pace, count) => {
    const young = await growingOne(pace, 15);
    expect(await young.exposition()).not.toMatch(/^leakwatch_group_growing_processes\{/m);
    const old = await growingOne(pace, 45);
    expect(await old.exposition()).toContain(`leakwatch_group_growing_processes{group="api"} ${count}\n`);
  });

  test("is told as soon as it is met, and in its first minutes at each pass", async () => {
    const { finding, grow } = await growing([3], { minutes: 0 });
    expect(finding()).toMatchObject({ word: "collecting", watched: 0 });
    await grow(100, 20);
    expect(finding()).toMatchObject({ word: "growing", watched: 100 });
  });

  test("is no longer judged once it has ended, and its slot is no longer leaking", async () => {
    const { machine, pids, watcher, pass, exposition } = await growing([3], { minutes: 28, limit: 256 * MiB });
    machine.stop(pids[0] as number);
    await pass(60);
    expect(watcher.groups.get("api")?.slots[0]?.finding).toBeUndefined();
    expect(await exposition()).not.toContain('verdict="leaking"');
  });
});

describe("memory that cannot be given back", () => {
  const pages = (bytes: number) => Math.round(bytes / 4096) * 4096;

  /** `of` says what a process holds after so many minutes; it is looked at every 20 s for 45 minutes, with 256 MiB to live in. */
  async function judged(of: (minutes: number) => { resident: number; file?: number; shared?: number; swap?: number }) {
    const machine = fakeMachine();
    machine.cgroup(container, { limit: 256 * MiB });
    const pid = machine.start({ argv: ["/usr/bin/api"], cgroup: container, ...of(0) });
    const { pass, watcher } = watch(machine, { config: { sampleInterval: 20 } });
    for (let time = 20; time <= 45 * minute; time += 20) {
      const facts = Object.entries(of(time / minute)).map(([name, bytes]) => [name, pages(bytes)]);
      machine.change(pid, Object.fromEntries(facts));
      await pass(20);
    }
    return watcher.groups.get("api")?.slots[0]?.finding;
  }

  test("counts where it was swapped out: swap hides no leak", async () => {
    const finding = await judged((minutes) => ({ resident: 60 * MiB, swap: 3 * minutes * MiB }));
    expect(finding).toMatchObject({ word: "leaking", floor: expect.closeTo((60 + 3 * 35) * MiB, -7) });
  });

  test("counts where it is shared: tmpfs and shared mappings leak too", async () => {
    const finding = await judged((minutes) => ({ resident: (40 + 3 * minutes) * MiB, shared: 3 * minutes * MiB }));
    expect(finding?.word).toBe("leaking");
  });

  test("is not what maps files: the kernel reclaims it", async () => {
    const finding = await judged((minutes) => ({ resident: (40 + 3 * minutes) * MiB, file: 3 * minutes * MiB }));
    expect(finding).toMatchObject({ word: "stable", severity: 0, floor: 40 * MiB });
  });

  test("is compared with what was reached of it, not with a peak of resident memory that had files in it", async () => {
    const finding = await judged((minutes) => ({ resident: (120 + minutes) * MiB, file: 100 * MiB }));
    expect(finding?.word).toMatch(/^(growing|leaking)$/);
    expect(kinds(finding)).not.toContain("belowEarlierHigh");
  });

  test("and came back from swap has not grown", async () => {
    const finding = await judged((minutes) => ({ resident: (60 + minutes) * MiB, swap: (60 - minutes) * MiB }));
    expect(finding).toMatchObject({ severity: 0, floor: 120 * MiB });
  });
});

describe("the limit", () => {
  test("of a cgroup is shared: four workers of 120 MiB in 512 MiB have 32 MiB, not 392", async () => {
    const { finding } = await growing([0, 0, 0, 0], { minutes: 1, limit: 192 * MiB });
    // 40 MiB each
    expect((finding()?.headroom as number) / MiB).toBeCloseTo(192 - 4 * 40, 0);
    expect(kinds(finding())).toContain("sharedLimit");
  });

  test("comes nearer by what all of them gain", async () => {
    const options = { minutes: 30, limit: 600 * MiB };
    const alone = (await growing([3, 0, 0], options)).finding()?.timeToOom as number;
    const together = (await growing([3, 3, 3], options)).finding()?.timeToOom as number;
    // 600 - 120 - 90 at 3 a minute, 600 - 120 - 270 at 9 a minute
    expect(alone / minute).toBeCloseTo(130, -1);
    expect(together / minute).toBeGreaterThan(15);
    expect(together / minute).toBeLessThan(40);
  });

  test("of the configuration is one process' own", async () => {
    const { finding } = await growing([0, 0], { minutes: 1, limit: 512 * MiB, config: { memory_limit: "100MiB" } });
    expect((finding()?.headroom as number) / MiB).toBeCloseTo(60, 0);
  });

  test("is the machine's memory where there is no other", async () => {
    const { finding } = await growing([3], { minutes: 30, memory: 1024 * MiB });
    expect(finding()?.headroom).toBeLessThan(1024 * MiB);
    expect(finding()?.headroom).toBeGreaterThan(0);
  });
});

describe("what would change the verdict", () => {
  const told = async (pace: number, minutes: number, limit: number) => {
    const { watcher, pids } = await growing([pace], { minutes, limit });
    const life = watcher.watched.get(pids[0] as number);
    return life === undefined ? undefined : outlookText(watcher.outlook(life));
  };

  test.each([
    ["in the first minutes: data", 3, 5, 256 * MiB, "first verdict in 15 min"],
    ["of a leak: that it stops", 3, 45, 256 * MiB, "no longer called a leak once it has not grown like this for 1 h"],
    ["of a level process: growth", 0, 45, 256 * MiB, "called growing if it grows by more than 2.00 MiB in 18 min"],
  ])("%s", async (_, pace, minutes, limit, text) => {
    expect(await told(pace, minutes, limit)).toBe(text);
  });

  test("of growth far from its limit: what the claim lacks, with numbers", async () => {
    expect(await told(1, 60, 64 * 1024 * MiB)).toMatch(/^called a leak if the limit comes within .* \(now .*\)$/);
  });
});

describe("replicas", () => {
  test("are told apart: how many of them leak", async () => {
    const { finding, watcher } = await growing([3, 0, 0, 0], { minutes: 30, limit: 400 * MiB });
    expect(finding()?.reasons.find(({ kind }) => kind === "replicas")).toMatchObject({ leaking: 1, of: 4 });
    expect(watcher.groups.get("api")?.finding?.word).toBe("leaking");
  });
});

describe("a version that leaks", () => {
  test("is told apart from those before it, which did not", async () => {
    const machine = fakeMachine();
    machine.cgroup(container, { limit: 256 * MiB });
    const { pass, watcher } = watch(machine, { config: { sampleInterval: 20 } });
    const start = (version: string) =>
      machine.start({ argv: ["java", "-jar", `/srv/orders-${version}.jar`], cgroup: container, resident: 40 * MiB });
    const run = async (pid: number, minutes: number, pace: number) => {
      for (let time = 20; time <= minutes * minute; time += 20) {
        machine.change(pid, { resident: Math.round((40 + (pace * time) / minute) * 256) * 4096 });
        await pass(20);
      }
    };
    const old = start("2.2");
    await run(old, 90, 0);
    machine.stop(old);
    await pass(20);
    await run(start("2.3"), 45, 3);
    const slot = watcher.groups.get("orders.jar")?.slots[0];
    expect(slot?.finding?.word).toBe("leaking");
    expect(slot?.finding?.reasons).toContainEqual({ kind: "version", version: "2.3", growing: 0, ended: 1 });
  });
});

describe("memory outside of all processes", () => {
  /** A container whose process is level, while its files in tmpfs grow. */
  async function tmpfs(minutes: number, pace: number) {
    const machine = fakeMachine();
    machine.cgroup(container, { limit: 512 * MiB });
    const pid = machine.start({ cgroup: container, resident: 40 * MiB });
    const on = watch(machine, { config: { sampleInterval: 20 } });
    for (let time = 0; time <= minutes * minute; time += 20) {
      machine.cgroup(container, {
        limit: 512 * MiB,
        usage: 40 * MiB + Math.round(((pace * time) / minute) * 256) * 4096,
      });
      await on.pass(20);
    }
    const cgroup = on.watcher.watched.get(pid)?.cgroup;
    return { ...on, cgroup, finding: cgroup && on.watcher.outsideFinding(cgroup) };
  }

  test("that grows is a leak of the cgroup, and of no process", async () => {
    const { finding, running, watcher, exposition } = await tmpfs(45, 6);
    expect(finding?.word).toBe("leaking");
    expect(running()).toHaveProperty("api");
    expect(watcher.groups.get("api")?.slots[0]?.finding?.severity).toBe(0);
    expect(await exposition()).toContain("outside_processes");
  });

  test("that does not grow is none", async () => {
    expect((await tmpfs(45, 0)).finding?.severity).toBe(0);
  });
});

test("new thresholds hold from the next pass on", async () => {
  const { finding, pass, watcher } = await growing([0], { minutes: 25, limit: 64 * MiB });
  expect(finding()?.word).toBe("stable"); // at 40 of 64 MiB
  watcher.configure(decodeConfig({ detection: { near_limit: 0.6 } }, []));
  await pass(20);
  expect(finding()?.word).toBe("high_stable");
});

test("the exporter says what judging cost", async () => {
  const { watcher } = await growing([1, 1], { minutes: 2 });
  expect(watcher.judgeSeconds).toBeGreaterThan(0);
  expect(watcher.judgeSeconds).toBeLessThan(watcher.passSeconds);
});
