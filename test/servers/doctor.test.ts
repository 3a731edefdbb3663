// `leakwatch doctor` as users run it, on this machine and against a real Prometheus.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonReport } from "../../exporter/doctor/report.ts";
import { builtMain } from "../support/built.ts";
import { ExporterProcess, stop, temporaryFile } from "../support/exporter-process.ts";
import { Prometheus } from "../support/prometheus.ts";
import { newGroup, Target } from "../support/targets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rules = path.join(root, "alerts/generated/leakwatch.rules.yml");

async function leakwatch(...args: string[]) {
  const child = spawn(process.execPath, [builtMain, "doctor", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FORCE_COLOR: undefined },
  });
  onTestFinished(() => stop(child));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

async function findings(...args: string[]) {
  const { code, stdout, stderr } = await leakwatch("--json", ...args);
  expect(stderr).toBe("");
  const report = JSON.parse(stdout) as JsonReport;
  expect(report.exit_code).toBe(code);
  return Object.fromEntries(report.findings.map((finding) => [finding.id, finding]));
}

/** Beside the exporter on whose port doctor is told to look. */
const beside = (exporter: ExporterProcess) => `--web.listen-address=${new URL(exporter.url).host}`;

describe("on this machine", () => {
  test("sees a process, its user, its limits and the exporter that watches it", async () => {
    const group = newGroup("api");
    await Target.start("hog.ts", ["--hold=1", `--group=${group}`]);
    const exporter = await ExporterProcess.start();
    const found = await findings(beside(exporter), `--config.file=${exporter.configFile}`);
    expect(found["processes.watched"]?.details).toContain(group);
    expect(found["rights.memory"]?.status).toBe("ok");
    expect(found["config.groups"]?.status).toBe("ok");
    expect(found["exporter.port"]?.sentence).toMatch(/^leakwatch \S+ serves on 127\.0\.0\.1:\d+ and is ready\.$/);
  });

  test("writes plain text where nobody looks", async () => {
    const { code, stdout } = await leakwatch("--web.listen-address=127.0.0.1:0");
    expect([0, 1]).toContain(code); // a machine without limits gets a warning
    expect(stdout).toMatch(/^Processes\n {2}✔ ok {6}\d+ processes can be seen/);
    expect(stdout).not.toContain("\u001b");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test("a procfs that is not there is exit 2", async () => {
    const { code, stdout } = await leakwatch("--path.procfs=/nowhere", "--web.listen-address=127.0.0.1:0");
    expect(code).toBe(2);
    expect(stdout).toContain("/nowhere cannot be read: ENOENT");
  });

  test.each([
    ["--prometheus-url=prometheus:9090", 'expected a URL such as http://127.0.0.1:9090, got "prometheus:9090"'],
    ["--grafana-url=grafana", 'expected a URL such as http://127.0.0.1:3000, got "grafana"'],
    ["--bearer-token-file=/nowhere", "/nowhere: cannot be read"],
    ["--prometheus-ulr=x", "unknown option"],
  ])("misuse is exit 2, one line and nothing else: %s", async (option, says) => {
    const { code, stdout, stderr } = await leakwatch("--prometheus-url=http://127.0.0.1:9090", option);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(says);
    expect(stderr).not.toContain("    at ");
  });
});

describe("with a Prometheus", () => {
  test("without rules: it scrapes us, and there is what is missing", async () => {
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.start(exporter.url);
    await prometheus.until("leakwatch_build_info", ({ length }) => length === 1);
    const found = await findings(beside(exporter), `--prometheus-url=${prometheus.url}`);
    expect(found["prometheus.version"]?.status).toBe("ok");
    expect(found["prometheus.target"]?.sentence).toContain(`It scrapes ${exporter.url}/metrics (job leakwatch)`);
    expect(found["prometheus.interval"]?.sentence).toBe("It scrapes every 1 s.");
    expect(found["prometheus.rules"]?.status).toBe("failure");
    expect(found["prometheus.alertmanager"]?.status).toBe("warning");
  });

  test("with our rules: they are all there and those of this version", async () => {
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.withRules([rules], exporter.url);
    await prometheus.until("leakwatch_build_info", ({ length }) => length === 1);
    const found = await findings(beside(exporter), `--prometheus-url=${prometheus.url}`);
    expect(found["prometheus.rules"]?.sentence).toMatch(/^All \d+ groups of rules are loaded\.$/);
    expect(found["prometheus.rules_current"]?.status).toBe("ok");
    expect(["ok", "unknown"]).toContain(found["prometheus.rules_health"]?.status); // none may be due yet
  });

  test("with rules that somebody changed: which", async () => {
    const changed = fs
      .readFileSync(rules, "utf8")
      .replace("leakwatch_process_heap_limit_bytes > 0.95", "leakwatch_process_heap_limit_bytes > 0.8");
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.withRules([temporaryFile("changed.yml", changed)], exporter.url);
    await prometheus.until("leakwatch_build_info", ({ length }) => length === 1);
    const found = await findings(beside(exporter), `--prometheus-url=${prometheus.url}`);
    expect(found["prometheus.rules_current"]).toMatchObject({
      status: "warning",
      details: ["leakwatch-capacity: LeakwatchHeapNearLimit"],
    });
  });

  test("whose exporter has gone", async () => {
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.start(exporter.url);
    await prometheus.until("leakwatch_build_info", ({ length }) => length === 1);
    exporter.signal("SIGTERM");
    await exporter.ended();
    await prometheus.until("up", ([up]) => up?.value === 0);
    const found = await findings(beside(exporter), `--prometheus-url=${prometheus.url}`);
    expect(found["exporter.port"]?.sentence).toContain("is free");
    expect(found["prometheus.target"]).toMatchObject({
      status: "failure",
      sentence: expect.stringContaining("connection refused"),
    });
  });
});
