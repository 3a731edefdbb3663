// Looks of ten minutes at made-up processes, in no time.

import { describe, expect, onTestFinished, test } from "vitest";
import { defaultConfig } from "../../exporter/config/config.ts";
import { DetectRun } from "../../exporter/detect/detect-run.ts";
import { leastGrowth, passInterval, speedFor, windowsAt } from "../../exporter/detect/windows.ts";
import { MiB } from "../support/fixtures.ts";
import { type FakeMachine, fakeMachine, type ProcessFacts } from "../support/machine.ts";

const whole = 600;
const windows = windowsAt(speedFor(whole));
const page = 4096;

/** In bytes and seconds. */
interface RunOptions {
  limit?: number;
  judgedEvery?: number;
}

/** What a process shows after so many seconds. */
type Behaviour = (seconds: number) => Partial<ProcessFacts>;

const memory =
  (bytes: (seconds: number) => number): Behaviour =>
  (seconds) => ({ resident: Math.round(bytes(seconds) / page) * page });

/** A process that starts with the run; `limit` in bytes. Most tests are about the last verdict only, and each costs a turn. */
function runOn(behaviour: Behaviour, { limit, judgedEvery = Number.POSITIVE_INFINITY }: RunOptions = {}) {
  const machine: FakeMachine = fakeMachine();
  const pid = machine.start(behaviour(0));
  const config = { ...defaultConfig, memoryLimit: limit };
  const run = new DetectRun({ files: machine.files, config, clock: machine.clock, windows, judgedEvery });
  onTestFinished(() => run.close());
  const started = machine.clock.monotonic();
  return {
    machine,
    pid,
    run,
    /** Passes until so many seconds after the start; the shortest windows need them closer together. */
    async until(seconds: number, step = windows.evaluation.slow): Promise<void> {
      for (;;) {
        const now = machine.clock.monotonic() - started;
        machine.change(pid, behaviour(now));
        await run.step();
        if (now >= seconds) return;
        machine.clock.advance(step);
      }
    },
  };
}

/** Per second, at 100 MiB. */
const least = leastGrowth(windows, 100 * MiB);

describe("a run of ten minutes", () => {
  test("finds a leak a little faster than the slowest that it can see, without a limit in sight", async () => {
    const { run, until, pid } = runOn(memory((s) => 100 * MiB + 1.3 * least * s));
    await until(whole);
    const [seen] = await run.finish();
    expect(seen).toMatchObject({ pid, group: "api", verdict: "leaking", alert: "LeakwatchMemoryLeakSteady" });
    expect(seen?.growth).toBeCloseTo(1.3 * least, -3);
    expect(seen?.timeToLimit).toBeGreaterThan(3600);
  });

  test.each<[string, (seconds: number) => number]>([
    ["grows at half of that", (s) => 100 * MiB + 0.5 * least * s],
    ["is level between the teeth of a garbage collector", (s) => (100 + 3 * (s % 7)) * MiB],
    ["fills a cache for half of the run", (s) => (100 + 0.2 * Math.min(s, whole / 2)) * MiB],
    ["warms up", (s) => (100 + 80 * (1 - Math.exp(-s / 60))) * MiB],
    ["takes one large step", (s) => (s < 400 ? 100 : 180) * MiB],
  ])("finds no leak in a process that %s", async (_, bytes) => {
    const { run, until } = runOn(memory(bytes));
    await until(whole);
    const [seen] = await run.finish();
    expect(seen?.verdict).not.toBe("leaking");
    expect(seen?.verdict).not.toBe("insufficient_data");
  });

  test("finds that descriptors leak, and how many came", async () => {
    const { run, until } = runOn((s) => ({ resident: 100 * MiB, fds: 20 + Math.floor(s / 4), maxFds: 1_048_576 }));
    await until(whole);
    const [seen] = await run.finish();
    expect(seen).toMatchObject({ verdict: "leaking", alert: "LeakwatchDescriptorLeak" });
    expect(seen?.changes.descriptors?.to).toBeGreaterThan(150);
    expect(seen?.changes.memory).toEqual({ from: 100 * MiB, to: 100 * MiB });
  });

  test("finds that threads leak", async () => {
    const { run, until } = runOn((s) => ({ resident: 100 * MiB, threads: 5 + Math.floor(s / 4) }));
    await until(whole);
    expect((await run.finish())[0]).toMatchObject({ verdict: "leaking", alert: "LeakwatchThreadLeak" });
  });

  test("does not take a pool for a leak of descriptors", async () => {
    const { run, until } = runOn((s) => ({ fds: 20 + Math.min(100, Math.floor(s)) }));
    await until(whole);
    expect((await run.finish())[0]?.alert).toBeUndefined();
  });

  test("says nothing of a process after some seconds", async () => {
    const { run, until } = runOn(memory((s) => (100 + s / 10) * MiB));
    await until(5);
    expect((await run.finish())[0]?.verdict).toBe("insufficient_data");
  });

  test("is sure of a leak that reaches its limit meanwhile, before its time is over", async () => {
    const { run, until } = runOn(
      memory((s) => (100 + 2 * s) * MiB),
      { limit: 400 * MiB, judgedEvery: 10 },
    );
    await until(148, passInterval(windows));
    expect(run.leakingFor).toBeGreaterThan(0);
    expect(run.leakingFor).toBeLessThan(whole);
    await until(155, passInterval(windows));
    expect(run.leakingFor).toBe(Number.POSITIVE_INFINITY);
  });

  test("keeps what it knew of a process that has ended", async () => {
    const { run, until, machine, pid } = runOn(
      memory((s) => (100 + 2 * s) * MiB),
      { limit: 400 * MiB, judgedEvery: 10 },
    );
    await until(148, passInterval(windows));
    machine.stop(pid);
    await run.step();
    expect(await run.finish()).toMatchObject([{ pid, running: false, verdict: "leaking" }]);
  });

  test("puts the process that leaks before those that do not", async () => {
    const { run, until, machine, pid } = runOn(memory((s) => 100 * MiB + 2 * least * s));
    const level = machine.start({ argv: ["/usr/bin/nginx"], resident: 300 * MiB });
    await until(whole);
    expect((await run.finish()).map((seen) => [seen.pid, seen.verdict])).toEqual([
      [pid, "leaking"],
      [level, "stable"],
    ]);
  });

  test("takes nothing of the start of a process for growth", async () => {
    const { run, until } = runOn(memory((s) => (s < 5 ? 2 : 100) * MiB));
    await until(whole);
    const [seen] = await run.finish();
    expect(seen?.changes.memory).toEqual({ from: 100 * MiB, to: 100 * MiB });
    expect(Math.min(...(seen?.curve ?? []))).toBe(100 * MiB);
  });
});
