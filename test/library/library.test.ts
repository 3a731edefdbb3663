// What `import { detect } from "leakwatch"` gives, from its sources. test/servers/package.test.ts uses the package itself.

import { afterEach, describe, expect, test } from "vitest";
import { assertNoLeak, detect, LeakError } from "../../exporter/library/index.ts";

const kept: unknown[] = [];
afterEach(() => void kept.splice(0));

const leak = () => kept.push(new Array(1000).fill(0));

test("detect resolves with the fields of detect --json", async () => {
  const result = await detect(leak, { calls: 500, name: "orders", for: "1s" });
  expect(result).toMatchObject({
    verdict: "leaking",
    exit_code: 20,
    planned_seconds: 1,
    extended: false,
    loads: 3,
    ended_early: null,
  });
  expect(result.processes).toEqual([
    expect.objectContaining({
      group: "orders",
      pid: process.pid,
      evidence: "live",
      runtime_memory: "collected",
      gains_by_load: [expect.any(Number), expect.any(Number)],
      visible_from_per_load: expect.any(Number),
      growth_bytes_per_second: null,
      guide: expect.stringContaining("finding-the-cause.md#heap"),
    }),
  ]);
});

test("assertNoLeak rejects with the verdict, its reasons, and what to do next", async () => {
  const error = await assertNoLeak(leak, { calls: 500 }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(LeakError);
  const { message, result } = error as LeakError;
  expect(message).toMatch(/^leaking: leak\. Memory in use, without garbage, after each load and a pause changed by \+/);
  expect(message).toMatch(/\nWhat to do next: https:\S+#heap$/);
  expect(result.verdict).toBe("leaking");
});

test("assertNoLeak resolves with the result where no leak was seen", async () => {
  expect(await assertNoLeak(() => ({}), { calls: 100 })).toMatchObject({ verdict: "no_leak_seen", exit_code: 0 });
});

test("no verdict is no success", async () => {
  const stopped = assertNoLeak(() => ({}), { signal: AbortSignal.abort("enough") });
  await expect(stopped).rejects.toThrow(/^function: No verdict: stopped: enough/);
});

describe("what cannot be done is refused", () => {
  test.each([
    ["a time that is none", { for: "soon" }, 'for: expected a duration such as 5s or 1m30s, got "soon"'],
    ["a time too long", { for: "48h" }, "expected for from 0.1s to 24h, got 48h"],
    ["no calls", { calls: 0 }, "expected calls to be a whole number from 1 on, got 0"],
  ])("of a function: %s", async (_, options, says) => {
    await expect(detect(() => 1, options)).rejects.toThrow(says);
  });

  test.each([
    ["a run too short", { pid: 1 }, { for: "1s" }, "expected for from 10s to 24h, got 1s"],
    ["a limit of 512 bytes", { pid: 1 }, { limit: "512" }, "limit: expected a size with its unit such as 512MiB"],
    ["a process that is not there", { pid: 4194305 }, {}, "there is no process 4194305"],
    ["the process of the test itself", { pid: process.pid }, {}, "this process cannot watch itself"],
    ["a command that is not there", { command: ["no-such-command"] as [string] }, {}, "no such command"],
  ])("of a process: %s", async (_, target, options, says) => {
    await expect(detect(target, options)).rejects.toThrow(says);
  });

  test("processes on a system that is not Linux", async () => {
    const linux = process.platform;
    try {
      Object.defineProperty(process, "platform", { value: "win32" });
      await expect(detect({ pid: 1 })).rejects.toThrow("needs Linux to watch a process");
    } finally {
      Object.defineProperty(process, "platform", { value: linux });
    }
  });
});
