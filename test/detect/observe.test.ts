// The course of a run on real commands, in a few seconds: what they do in minutes is in the integration tests.

import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { type DetectPlan, observe, type Progress } from "../../exporter/detect/observe.ts";
import { systemClock } from "../../exporter/watch/boot-clock.ts";

async function run(
  command: readonly [string, ...string[]],
  plan: Partial<DetectPlan> = {},
  stopAfter?: Progress["phase"],
) {
  const interruption = new AbortController();
  const phases: string[] = [];
  let pid: number | undefined;
  const outcome = await observe(
    { target: { command }, seconds: 2, load: undefined, limit: undefined, collect: true, ...plan },
    {
      clock: systemClock,
      interrupted: interruption.signal,
      progress: ({ phase }) => {
        if (phases.at(-1) !== phase) phases.push(phase);
        if (phase === stopAfter) interruption.abort("SIGTERM");
      },
      started: (child) => {
        pid = child.pid;
      },
    },
  );
  expect(fs.existsSync(`/proc/${pid}`), "the command was ended").toBe(false);
  return { outcome, phases, word: outcome.processes[0]?.answer.word };
}

describe("a run", () => {
  test("of a command that does nothing ends in time, with no leak seen", async () => {
    const { outcome, phases, word } = await run(["sleep", "60"], { seconds: 5 });
    expect({ word, phases, lookedOn: outcome.lookedOn }).toEqual({
      word: "no_leak_seen",
      phases: ["first"],
      lookedOn: false,
    });
    expect(outcome.processes[0]?.answer.visibleFrom).toBeGreaterThan(0);
  });

  test("of a command that exits has no verdict, and says how it exited", async () => {
    const { outcome, word } = await run(["sh", "-c", "sleep 0.3; exit 3"]);
    expect({ word, endedEarly: outcome.endedEarly }).toEqual({
      word: "no_verdict",
      endedEarly: "the command exited with code 3",
    });
  });

  test("that is stopped has no verdict", async () => {
    const { outcome, word } = await run(["sleep", "60"], { seconds: 60 }, "first");
    expect({ word, endedEarly: outcome.endedEarly }).toEqual({ word: "no_verdict", endedEarly: "stopped by SIGTERM" });
  });
});

describe("under load", () => {
  test("it loads, waits, and loads again", async () => {
    const { outcome, phases, word } = await run(["sleep", "60"], { load: "sleep 0.2" });
    expect({ word, loads: outcome.loads }).toEqual({ word: "no_leak_seen", loads: 2 });
    expect(phases).toEqual(["first", "load", "drain", "load", "drain"]);
  });

  test("a function of a test is a load too, and is told when its time is over", async () => {
    const signals: AbortSignal[] = [];
    const load = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    };
    const { outcome, word } = await run(["sleep", "60"], { load });
    expect({ word, loads: outcome.loads }).toEqual({ word: "no_leak_seen", loads: 2 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test("a function that fails makes no verdict", async () => {
    const load = async () => {
      throw new Error("connection refused");
    };
    const { outcome, word } = await run(["sleep", "60"], { load });
    expect({ word, endedEarly: outcome.endedEarly }).toEqual({
      word: "no_verdict",
      endedEarly: "the load failed: connection refused",
    });
  });

  test("a load that does not end is stopped", async () => {
    const { outcome } = await run(["sleep", "60"], { load: "sleep 600" });
    expect(outcome.loads).toBe(2);
  });

  test("a load that fails makes no verdict", async () => {
    const { outcome, word } = await run(["sleep", "60"], { load: "exit 3" });
    expect({ word, endedEarly: outcome.endedEarly }).toEqual({
      word: "no_verdict",
      endedEarly: "the load exited with code 3",
    });
  });

  test("a run that is stopped stops its load", async () => {
    const mark = `sleep 61.${process.pid}`;
    await run(["sleep", "60"], { load: `${mark}; true`, seconds: 30 }, "load");
    const running = fs.readdirSync("/proc").filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        return fs.readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").startsWith(mark);
      } catch {
        return false; // exited since
      }
    });
    expect(running).toEqual([]);
  });
});
