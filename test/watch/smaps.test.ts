import { describe, expect, test } from "vitest";
import { smaps as costs, GiB, MiB } from "../../catalog/defaults.ts";
import { processMetrics } from "../../catalog/metrics.ts";
import { type Config, defaultConfig } from "../../exporter/config/config.ts";
import { TargetFiles } from "../../exporter/kernel/target-files.ts";
import { SmapsSampler } from "../../exporter/watch/smaps.ts";
import { fakeMachine, watch } from "../support/machine.ts";

/** A machine with processes of these resident sizes, after the first pass. */
async function watchedProcesses(...residents: number[]) {
  const machine = fakeMachine();
  const watched = watch(machine);
  const pids = residents.map((resident) =>
    machine.start({ resident, smaps: { pss: resident / 2, uss: resident / 4 } }),
  );
  await watched.pass();
  const sampler = new SmapsSampler(new TargetFiles(machine.files), watched.failures, watched.watcher);
  const sample = (options: Partial<Config["smaps"]> = {}) =>
    sampler.sampleIfDue({ ...defaultConfig.smaps, ...options }, machine.clock.monotonic());
  /** PSS of each process; undefined where it has no series. */
  const pss = () => pids.map((pid) => watched.value(pid, processMetrics.proportionalMemory));
  return { ...watched, machine, pids, sampler, sample, pss };
}

const costOf = (bytes: number) => bytes * costs.secondsPerByte;

describe("SmapsSampler", () => {
  test("reads PSS and USS of every process", async () => {
    const { pids, sample, sampler, value } = await watchedProcesses(100 * MiB, 8 * MiB);
    await sample();
    const read = (pid: number) => [
      value(pid, processMetrics.proportionalMemory),
      value(pid, processMetrics.uniqueMemory),
    ];
    expect(pids.map(read)).toEqual([
      [50 * MiB, 25 * MiB],
      [4 * MiB, 2 * MiB],
    ]);
    expect(sampler.skipped).toBe(0);
  });

  test("waits for the interval, and keeps the values meanwhile", async () => {
    const { machine, pids, pass, sample, pss } = await watchedProcesses(100 * MiB);
    await sample({ interval: 60 });
    machine.change(pids[0] as number, { smaps: { pss: 70 * MiB, uss: 70 * MiB } });
    await pass(59);
    await sample({ interval: 60 });
    expect(pss()).toEqual([50 * MiB]);
    await pass(1);
    await sample({ interval: 60 });
    expect(pss()).toEqual([70 * MiB]);
  });

  test("leaves out what is too large, and its old value too", async () => {
    const { machine, pids, pass, sample, sampler, pss } = await watchedProcesses(100 * MiB, 1 * GiB);
    await sample({ maxResident: 1 * GiB });
    expect(pss()).toEqual([50 * MiB, 512 * MiB]);
    machine.change(pids[1] as number, { resident: 1 * GiB + 4096 });
    await pass(60);
    await sample({ maxResident: 1 * GiB });
    expect(pss()).toEqual([50 * MiB, undefined]);
    expect(sampler.skipped).toBe(1);
  });

  test("goes round where the budget does not suffice for all", async () => {
    const { pass, sample, sampler, pss } = await watchedProcesses(100 * MiB, 100 * MiB, 100 * MiB);
    const budget = costOf(100 * MiB);
    const known = () => pss().filter((value) => value !== undefined).length;
    for (let round = 1; round <= 3; round++) {
      await sample({ budget });
      expect(known()).toBe(round); // one more each time; the values of the others stay
      expect(sampler.skipped).toBe(2);
      await pass(60);
    }
  });

  test("a small process is not held up by a large one that the budget cannot afford", async () => {
    const { sample, pss } = await watchedProcesses(500 * MiB, 10 * MiB);
    await sample({ budget: costOf(100 * MiB) });
    expect(pss()).toEqual([undefined, 5 * MiB]);
  });

  test("another user's process has no value, is counted, and told once", async () => {
    const { machine, pids, pass, sample, pss, failures, logged, watcher } = await watchedProcesses(100 * MiB, 8 * MiB);
    await sample();
    machine.files.deny(/\/100\/smaps_rollup$/);
    for (let round = 0; round < 2; round++) {
      await pass(60);
      await sample();
    }
    expect(pss()).toEqual([undefined, 4 * MiB]);
    expect([...failures]).toEqual([{ file: "smaps_rollup", reason: "permission", count: 2 }]);
    expect(watcher.watched.get(pids[0] as number)?.unreadable.get("smaps_rollup")).toBe("permission");
    expect(logged).toHaveLength(1);

    machine.files.allowAll();
    await pass(60);
    await sample();
    expect(pss()).toEqual([50 * MiB, 4 * MiB]);
    expect(watcher.watched.get(pids[0] as number)?.unreadable.size).toBe(0);
  });

  test("a process that has just ended is no failure", async () => {
    const { machine, pids, sample, pss, failures } = await watchedProcesses(100 * MiB, 8 * MiB);
    machine.stop(pids[0] as number);
    await sample();
    expect(pss()).toEqual([undefined, 4 * MiB]);
    expect([...failures]).toEqual([]);
  });

  test("a process that was given the pid meanwhile does not lend its numbers", async () => {
    const { machine, pids, sample, pss, failures } = await watchedProcesses(100 * MiB);
    machine.stop(pids[0] as number);
    machine.clock.advance(1);
    machine.start({ pid: pids[0] as number, smaps: { pss: 3 * MiB, uss: 3 * MiB } });
    await sample();
    expect(pss()).toEqual([undefined]);
    expect([...failures]).toEqual([]);
  });

  test("a process whose main thread has ended is read through another of its threads", async () => {
    const { machine, pids, pass, sample, pss } = await watchedProcesses(100 * MiB);
    machine.leaderEnds(pids[0] as number, { threads: 2, smaps: { pss: 70 * MiB, uss: 60 * MiB } });
    await pass();
    await sample();
    expect(pss()).toEqual([70 * MiB]);
  });

  test("a kernel without the file, before Linux 4.14, has no values and no failures", async () => {
    const machine = fakeMachine();
    const { pass, watcher, failures, value } = watch(machine);
    const pid = machine.start();
    await pass();
    await new SmapsSampler(new TargetFiles(machine.files), failures, watcher).sampleIfDue(defaultConfig.smaps, 0);
    expect(value(pid, processMetrics.proportionalMemory)).toBeUndefined();
    expect([...failures]).toEqual([]);
  });
});
