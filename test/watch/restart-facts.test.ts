// Is the advice on scheduled restarts made from what was watched?

import { describe, expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { fakeMachine, watch } from "../support/machine.ts";

const minute = 60;
const hour = 60 * minute;
const container = "/docker/abc";

/** A service that grows by so many MiB an hour, and is started anew every so many hours. */
async function restarted(lives: number, every: number, pace: number) {
  const machine = fakeMachine();
  machine.cgroup(container, { limit: GiB });
  const on = watch(machine, { config: { sampleInterval: 60 } });
  for (let life = 0; life < lives; life++) {
    const pid = machine.start({ argv: ["/usr/bin/api"], cgroup: container, resident: 100 * MiB });
    for (let time = minute; time <= every * hour - minute; time += minute) {
      machine.change(pid, { resident: Math.round((100 + (pace * time) / hour) * 256) * 4096 });
      await on.pass(minute);
    }
    if (life < lives - 1) machine.stop(pid);
    await on.pass(minute);
  }
  return on.watcher;
}

describe("a service that is restarted every two hours", () => {
  test("and leaks slowly may be restarted less often", async () => {
    const advice = (await restarted(14, 2, 25)).restartAdvice("api");
    expect(advice).toMatchObject({ verdict: "less_often" });
    expect(advice?.interval).toBeCloseTo(2 * hour, -2);
    expect(advice?.recommended).toBeGreaterThanOrEqual(4 * hour);
    expect(advice?.avoided).toBeGreaterThan(20);
  });

  test("and would reach its limit soon needs that", async () => {
    expect((await restarted(14, 2, 360)).restartAdvice("api")).toMatchObject({ verdict: "needed" });
  });

  test("a few times is not known well enough", async () => {
    expect((await restarted(3, 2, 25)).restartAdvice("api")?.recommended).toBeUndefined();
  });
});

test("a service that nothing restarts has no advice", async () => {
  expect((await restarted(1, 3, 0)).restartAdvice("api")).toBeUndefined();
});
