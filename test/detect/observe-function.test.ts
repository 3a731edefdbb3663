// Functions that leak and functions that only look like it, judged in this process as `detect --load` judges services.

import fs from "node:fs";
import v8 from "node:v8";
import { describe, expect, onTestFinished, test } from "vitest";
import { observeFunction } from "../../exporter/detect/observe-function.ts";

const never = new AbortController().signal;

async function judge(run: () => unknown, plan: { calls?: number; interrupted?: AbortSignal } = {}) {
  const { processes, ...outcome } = await observeFunction({
    run,
    name: "handler",
    seconds: 0.5,
    calls: undefined,
    interrupted: never,
    ...plan,
  });
  const [only] = processes;
  return { ...outcome, word: only?.answer.word, kind: only?.answer.kind, gains: only?.loads?.gains };
}

describe("a function that leaks", () => {
  test("keeps an object of each call", async () => {
    const kept: unknown[] = [];
    const { word, kind, loads, gains } = await judge(() => kept.push(new Array(1000).fill(0)), { calls: 500 });
    expect({ word, kind, loads }).toEqual({ word: "leaking", kind: "live", loads: 3 });
    for (const gain of gains ?? []) expect(gain / (500 * 8000)).toBeCloseTo(1, 0); // eight bytes an element
  });

  test("keeps buffers, which lie outside of the heap", async () => {
    const kept: Buffer[] = [];
    const keep = async () => kept.push(Buffer.alloc(10_000));
    expect(await judge(keep, { calls: 200 })).toMatchObject({ word: "leaking", kind: "live" });
  });

  test.runIf(process.platform === "linux")("leaves files open", async () => {
    const opened: number[] = [];
    onTestFinished(() => {
      for (const fd of opened) fs.closeSync(fd);
    });
    const open = () => opened.push(fs.openSync("/dev/null", "r"));
    expect(await judge(open, { calls: 20 })).toMatchObject({ word: "leaking", kind: "descriptors" });
  });

  test("so fast that its heap would not last for a load of the whole time", async () => {
    const kept: unknown[] = [];
    const { word, gains } = await judge(() => kept.push(new Array(100_000).fill(0)));
    kept.length = 0;
    expect(word).toBe("leaking");
    for (const gain of gains ?? []) expect(gain).toBeLessThan(v8.getHeapStatistics().heap_size_limit / 6);
  });
});

describe("a function that does not", () => {
  test("makes garbage", async () => {
    const outcome = await judge(() => Array.from({ length: 1000 }, () => ({})));
    expect(outcome).toMatchObject({ word: "no_leak_seen", loads: 2, endedEarly: undefined });
  });

  test("fills a cache with the first load", async () => {
    const cache = new Map<number, number[]>();
    let key = 0;
    const fill = () => cache.set(key++ % 500, new Array(1000).fill(0));
    expect(await judge(fill, { calls: 2000 })).toMatchObject({ word: "no_leak_seen" });
  });
});

test("what it throws is thrown", async () => {
  const broken = async () => {
    throw new Error("no such order");
  };
  await expect(judge(broken)).rejects.toThrow("no such order");
});

test("has no verdict when it is stopped", async () => {
  const outcome = await judge(() => undefined, { interrupted: AbortSignal.timeout(100) });
  expect(outcome).toMatchObject({ word: "no_verdict", endedEarly: expect.stringContaining("stopped: TimeoutError") });
});

test("one call for each load is enough where it is a whole scenario", async () => {
  let calls = 0;
  const scenario = () => void calls++;
  expect(await judge(scenario, { calls: 1 })).toMatchObject({ word: "no_leak_seen", loads: 2 });
  expect(calls).toBe(2);
});
