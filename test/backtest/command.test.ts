// `leakwatch backtest`, without any other program.

import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { leakwatch } from "../support/command-line.ts";
import { temporaryFile, temporaryFolder } from "../support/exporter-process.ts";
import { MiB } from "../support/fixtures.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";
import { curves } from "../support/memory-curves.ts";
import { traceMember, writeTraces } from "../support/memory-traces.ts";
import { deadAddress, FakePrometheus, gauge } from "./fake-prometheus.ts";

const backtest = (args: readonly string[]) => leakwatch("backtest", ...args);

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
    expect(stdout).toMatch(/^leak +0 +LeakwatchMemoryLeak +critical +at \d h( \d+ min)? +still firing$/m);
    expect(stdout).toMatch(/^leak +leaking since \d h( \d+ min)? \(\+\d+ MiB\/h, OOM in about [^)]+\) +grew by /m);
    expect(stdout).toMatch(/^1 of 2 traces without an alert\. 2 alerts, \d+\.\d a week and process\.$/m);
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
    const alone = await backtest([`--traces=${folder}`, "--json=-"]);
    const both = await backtest([`--traces=${folder}`, `--json=${file}`]);
    const report = JSON.parse(alone.stdout);
    expect(report).toMatchObject({
      step_seconds: 60,
      engine: "judge",
      traces: [{ id: "leak" }, { id: "well", episodes: [] }],
    });
    const urgent = { alert: "LeakwatchMemoryLeak", class: "leak", slot: "0", start: expect.any(Number) };
    expect(report.traces[0].episodes.slice(0, 2)).toEqual([
      { ...urgent, severity: "warning", end: expect.any(Number) },
      { ...urgent, severity: "critical", end: null },
    ]);
    expect(report.traces[0].time_to_oom[0]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(report);
    expect(both.stdout).toContain("LeakwatchMemoryLeak");
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
  expect(stdout).toContain(
    "rss of 2 processes, limit 1.50 GiB, no restarts seen; without a start time only falls of memory show them\n",
  );
  expect(stdout).toMatch(/^api +LeakwatchMemoryLeak +critical +\d{4}-\d\d-\d\d \d\d:\d\d +still firing$/m);
  expect(stdout).toMatch(/^LeakwatchMemoryLeak +critical +leak +\d+\.\d a week$/m);
  expect(stdout).toMatch(/^\d+\.\d alerts a week\. 1 of 2 processes would have been named as leaking\.$/m);
});

describe("misuse is exit 2, with a message that names it", () => {
  test.each<[string, string[], string]>([
    ["nothing to look at", [], "error: expected --traces or --prometheus-url\n"],
    ["both", ["--traces=x", "--prometheus-url=http://x"], "error: expected --traces or --prometheus-url, got both\n"],
    ["an option of the other", ["--traces=x", "--since=3d"], "error: --since only goes with --prometheus-url\n"],
    ["an option of the one", ["--prometheus-url=http://x", "--labels=x"], "error: --labels only goes with --traces\n"],
    ["an engine: there is one", ["--traces=x", "--engine=prometheus"], "error: unknown option '--engine'"],
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
  });

  test.each([
    ["that are not JSON", "{", "not a file of labels: Expected property name"],
    ["that are something else", "[]", 'not a file of labels: it has no list "traces"'],
    [
      "of other traces",
      '{"traces":[{"id":"other","family":"a","label":"leak","oom_times":[]}]}',
      "knows none of these traces",
    ],
    ["without what is needed", '{"traces":[{"id":"leak","family":7}]}', "traces[0]: expected id and family as texts"],
    ["of which one is none", '{"traces":[null]}', "traces[0]: expected id and family as texts"],
  ])("labels %s", async (_, text, says) => {
    const file = temporaryFile("truth.json", text);
    const { code, stderr } = await backtest([`--traces=${traces()}`, `--labels=${file}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`leakwatch: ${file}: ${says}`);
  });
});

describe("names of others", () => {
  test("in an error are written out, on one line", async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, `${evil.replace("::", "")}.csv`), `${evil}\n`);
    const { code, stderr } = await backtest([`--traces=${folder}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^leakwatch: [^\n]*: no column t_seconds, got api[^\n]*\n$/);
    expect(stderr).not.toMatch(active);
  });

  test("in the table and in the JSON are written out", async () => {
    const folder = temporaryFolder();
    writeTraces(folder, [{ id: evil, members: [leak] }]);
    const table = await backtest([`--traces=${folder}`]);
    const json = await backtest([`--traces=${folder}`, "--json=-"]);
    expect(table.stdout).not.toMatch(active);
    expect(table.stdout).toMatch(/LeakwatchMemoryLeak +critical/);
    expect(json.stdout).not.toMatch(active);
    expect(JSON.parse(json.stdout).traces[0].id).toBe(shownEvil);
  });
});

describe("the password in an address is nowhere", () => {
  test.each([
    ["when nobody listens", "http://me:hunter2@127.0.0.1:1/?token=hunter2"],
    ["when it is no address", "htp://me:hunter2@127.0.0.1:1/?token=hunter2"],
    ["when it has a slash", "http://me:2/hunter2@127.0.0.1:1"],
    ["when it is percent-encoded wrongly", "http://me:hunter2%@127.0.0.1:1"],
  ])("%s", async (_, url) => {
    const { code, stdout, stderr } = await backtest([`--prometheus-url=${url}`]);
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain("hunter2");
    expect(stderr).toMatch(/^leakwatch: [^\n]+\n$/);
  });

  test("nor in the report", async () => {
    const times = Array.from({ length: 120 }, (_, i) => Math.floor(Date.now() / 60_000) * 60 - i * 60).reverse();
    const { url } = await FakePrometheus.start([gauge("rss", { job: evil }, times, 400 * MiB)]);
    const json = path.join(temporaryFolder(), "result.json");
    const { code, stdout } = await backtest([
      `--prometheus-url=${url.replace("//", "//me:hunter2@")}/?token=hunter2`,
      "--since=2h",
      "--metric=rss",
      `--json=${json}`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(url);
    for (const text of [stdout, fs.readFileSync(json, "utf8")]) {
      expect(text).not.toContain("hunter2");
      expect(text).not.toMatch(active);
    }
  });

  test("nor is a token of two lines", async () => {
    const file = temporaryFile("token", "hunter2\nhunter3\n");
    const { code, stdout, stderr } = await backtest([
      "--prometheus-url=http://127.0.0.1:1",
      `--bearer-token-file=${file}`,
    ]);
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain("hunter");
  });
});

describe("what a program or server refuses is exit 1", () => {
  test("a server that cannot be reached", async () => {
    const url = await deadAddress();
    const { code, stderr } = await backtest([`--prometheus-url=${url}`]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `leakwatch: cannot reach ${url}: nothing listens there\n` });
  });
});
