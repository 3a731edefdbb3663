// `leakwatch backtest` as users start it, without any other program.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFile, temporaryFolder } from "../support/exporter-process.ts";
import { MiB } from "../support/fixtures.ts";
import { curves } from "../support/memory-curves.ts";
import { traceMember, writeTraces } from "../support/memory-traces.ts";
import { deadAddress, FakePrometheus, gauge } from "./fake-prometheus.ts";

const main = fileURLToPath(new URL("../../exporter/main.ts", import.meta.url));

async function backtest(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, "backtest", ...args], { env: { ...process.env, ...env } });
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (printed.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (printed.stderr += text));
  const [code] = await once(child, "close");
  return { code, ...printed };
}

const leak = traceMember({ curve: curves.fastLeak, hours: 3, limit: 1536 * MiB, age: 0 });

/** A trace that leaks fast, and one that does not, in two workers. */
function traces(): string {
  const flat = { curve: curves.flat, hours: 3, limit: 1536 * MiB };
  const folder = temporaryFolder();
  writeTraces(folder, [
    { id: "leak", members: [leak] },
    { id: "well", members: [traceMember(flat, 0), traceMember(flat, 1)] },
  ]);
  return folder;
}

const labels = JSON.stringify({
  traces: [
    { id: "leak", family: "fast", label: "leak", onset: 0, leak_rate_bytes_per_s: (300 * MiB) / 3600, oom_times: [] },
    { id: "well", family: "flat", label: "healthy", onset: null, leak_rate_bytes_per_s: null, oom_times: [] },
  ],
});

describe("over traces", () => {
  test("prints every alert with its time on the trace's clock", async () => {
    const { code, stdout, stderr } = await backtest([`--traces=${traces()}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^trace +slot +alert +severity +start$/m);
    expect(stdout).toMatch(/^leak +0 +LeakwatchMemoryLeakUrgent +critical +at \d h( \d+ min)? +still firing$/m);
    expect(stdout).toMatch(/^1 of 2 traces without an alert\.$/m);
  });

  test("prints scores where labels lie beside the traces", async () => {
    const folder = traces();
    fs.writeFileSync(path.join(folder, "labels.json"), labels);
    const { stdout } = await backtest([`--traces=${folder}`]);
    expect(stdout).toMatch(/^1 leaks, 1 healthy$/m);
    expect(stdout).toMatch(/^recall +1\.000$/m);
    expect(stdout).toMatch(/^first OOM warned 30 min ahead +–$/m); // none was killed
    expect(stdout).toMatch(/^leak +fast +1 of 1 found +after [12]\.\d h$/m);
    expect(stdout).toMatch(/^healthy +flat +0 of 1 false$/m);
  });

  test("writes the result as JSON, alone on standard output or into a file", async () => {
    const folder = traces();
    const file = path.join(temporaryFolder(), "result.json");
    const [alone, both] = await Promise.all([
      backtest([`--traces=${folder}`, "--json=-"]),
      backtest([`--traces=${folder}`, `--json=${file}`]),
    ]);
    const report = JSON.parse(alone.stdout);
    expect(report).toMatchObject({
      step_seconds: 60,
      engine: "builtin",
      traces: [{ id: "leak" }, { id: "well", episodes: [] }],
    });
    const urgent = { alert: "LeakwatchMemoryLeakUrgent", class: "leak", slot: "0", start: expect.any(Number) };
    expect(report.traces[0].episodes.slice(0, 2)).toEqual([
      { ...urgent, severity: "warning", end: expect.any(Number) },
      { ...urgent, severity: "critical", end: null },
    ]);
    expect(report.traces[0].time_to_oom[0]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(report);
    expect(both.stdout).toContain("LeakwatchMemoryLeakUrgent");
  });
});

test("over a Prometheus: alerts with dates, how often they come, and how many processes they name", async () => {
  const begin = Math.floor(Date.now() / 60_000) * 60 - 3 * 3600;
  const times = leak.times.map((t) => t + begin);
  const { url } = await FakePrometheus.start([
    gauge("rss", { job: "api" }, times, leak.resident),
    gauge("rss", { job: "web" }, times, 400 * MiB),
  ]);
  const { code, stdout, stderr } = await backtest([
    `--prometheus-url=${url}`,
    "--since=6h",
    "--metric=rss",
    "--limit-metric=1536MiB",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("rss of 2 processes, limit 1.50 GiB, restarts guessed from falls of memory\n");
  expect(stdout).toMatch(/^api +LeakwatchMemoryLeakUrgent +critical +\d{4}-\d\d-\d\d \d\d:\d\d +still firing$/m);
  expect(stdout).toMatch(/^LeakwatchMemoryLeakUrgent +critical +leak +\d+\.\d a week$/m);
  expect(stdout).toMatch(/^\d+\.\d alerts a week\. 1 of 2 processes would have been named as leaking\.$/m);
});

describe("misuse is exit 2, with a message that names it", () => {
  test.concurrent.each<[string, string[], string]>([
    ["nothing to look at", [], "error: expected --traces or --prometheus-url\n"],
    ["both", ["--traces=x", "--prometheus-url=http://x"], "error: expected --traces or --prometheus-url, got both\n"],
    ["an option of the other", ["--traces=x", "--since=3d"], "error: --since only goes with --prometheus-url\n"],
    [
      "an option of the one",
      ["--prometheus-url=http://x", "--engine=prometheus"],
      "error: --engine only goes with --traces\n",
    ],
    ["an engine that there is not", ["--traces=x", "--engine=steam"], "Allowed choices are builtin, prometheus."],
    ["a folder that is not there", ["--traces=/nowhere"], "leakwatch: /nowhere: cannot be read: ENOENT"],
    [
      "an address that is none",
      ["--prometheus-url=localhost"],
      'leakwatch: expected a URL such as http://127.0.0.1:9090, got "localhost"\n',
    ],
    [
      "a token that is not there",
      ["--prometheus-url=http://x", "--bearer-token-file=/nowhere"],
      "leakwatch: --bearer-token-file: ENOENT",
    ],
    [
      "a place that cannot be written",
      ["--traces=/nowhere", "--json=/nowhere/x.json"],
      "leakwatch: /nowhere/x.json: cannot be written: ENOENT",
    ],
  ])("%s", async (_, args, says) => {
    const { code, stdout, stderr } = await backtest(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(says);
    expect(stderr).not.toContain("    at "); // no stack
  });

  test.each([
    ["that are not JSON", "{", "not a file of labels: Expected property name"],
    ["that are something else", "[]", 'not a file of labels: it has no list "traces"'],
    ["of other traces", '{"traces":[{"id":"other"}]}', "knows none of these traces"],
  ])("labels %s", async (_, text, says) => {
    const file = temporaryFile("truth.json", text);
    const { code, stderr } = await backtest([`--traces=${traces()}`, `--labels=${file}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`leakwatch: ${file}: ${says}`);
  });
});

describe("what a program or server refuses is exit 1", () => {
  test("a server that cannot be reached", async () => {
    const url = await deadAddress();
    const { code, stderr } = await backtest([`--prometheus-url=${url}`]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `leakwatch: cannot reach ${url}: nothing listens there\n` });
  });

  test("a Prometheus that is not installed", async () => {
    const { code, stderr } = await backtest([`--traces=${traces()}`, "--engine=prometheus"], {
      PATH: temporaryFolder(),
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "leakwatch: --engine prometheus runs prometheus and promtool, and prometheus and promtool are not on the PATH. " +
        "Install Prometheus 2.42 or later, or use --engine builtin.\n",
    });
  });
});
