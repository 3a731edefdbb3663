// What a run notes of processes, on a machine of files.

import { expect, onTestFinished, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { defaultConfig } from "../../exporter/config/config.ts";
import { DetectRun } from "../../exporter/detect/detect-run.ts";
import { fakeMachine } from "../support/machine.ts";

function runOn(limit?: number) {
  const machine = fakeMachine();
  const run = new DetectRun({
    files: machine.files,
    config: { ...defaultConfig, memoryLimit: limit },
    clock: machine.clock,
    seconds: 180,
    collect: false,
    hasInspector: false,
  });
  onTestFinished(() => run.close());
  return { machine, run };
}

test("memory, descriptors and threads of each process at each pass, on one clock", async () => {
  const { machine, run } = runOn(512 * MiB);
  machine.clock.advance(50);
  const pid = machine.start({ resident: 10 * MiB, fds: 5, threads: 2 });
  const bornAt = machine.clock.monotonic();
  for (let pass = 1; pass <= 3; pass++) {
    machine.clock.advance(run.interval);
    machine.change(pid, { resident: (10 + pass) * MiB, fds: 5 + pass, threads: 2 });
    await run.step();
  }
  const [observed] = run.observed;
  expect(observed).toMatchObject({ group: "api", pid, isRunning: true, runtime: "none", limit: 512 * MiB });
  expect(observed?.bornAt).toBeCloseTo(bornAt, 1);
  expect(observed?.series.memory).toEqual({
    times: [1, 2, 3].map((pass) => bornAt + pass * run.interval),
    values: [11 * MiB, 12 * MiB, 13 * MiB],
  });
  expect(observed?.series.descriptors.values).toEqual([6, 7, 8]);
  expect(observed?.series.threads.values).toEqual([2, 2, 2]);
  expect(run.memory).toBe(13 * MiB);
});

test("a process that has exited is still known", async () => {
  const { machine, run } = runOn();
  const pid = machine.start({ resident: 10 * MiB });
  await run.step();
  machine.stop(pid);
  machine.clock.advance(run.interval);
  await run.step();
  expect(run.observed).toMatchObject([{ pid, isRunning: false, series: { memory: { values: [10 * MiB] } } }]);
  expect(run.memory).toBe(0);
});

test("a Node.js that is not asked is silent, not without a runtime: garbage could be all that grows", async () => {
  const { machine, run } = runOn();
  const argv = ["/usr/bin/node", "--max-old-space-size=256", "/srv/server.js"];
  machine.start({ argv, exe: "/usr/bin/node", resident: 10 * MiB });
  for (let pass = 0; pass < 3; pass++) {
    await run.step();
    machine.clock.advance(run.interval);
  }
  expect(run.observed).toMatchObject([{ group: "server.js", runtime: "silent", heapMaximum: 256 * MiB }]);
});
