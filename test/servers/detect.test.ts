// `leakwatch detect` on real processes. The runs are short, and one after another: a starved one cannot judge.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { exitCodes } from "../../exporter/detect/exit-code.ts";
import { builtMain } from "../support/built.ts";
import { logged } from "../support/exporter-process.ts";
import { newGroup } from "../support/targets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hog = path.join(root, "test/integration/targets/hog.ts");

function start(program: string, ...args: string[]) {
  // a process group of its own, so that it can be ended with all of its children
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed.stderr += text));
  const closed = once(child, "close").then(([code]) => ({ code, ...printed }));
  return { child, printed, closed };
}

const detect = (...args: string[]) => start(process.execPath, builtMain, "detect", ...args);

describe("leakwatch detect", () => {
  test("finds the leak in a child of the process that it was given, and leaves both alone", async () => {
    const group = newGroup("tree");
    const parent = start("sh", "-c", `"${process.execPath}" "${hog}" --grow=3 --group=${group}; true`);
    try {
      await logged(parent.child, () => parent.printed.stdout, /(ready)/);
      const { code, stdout } = await detect("--for=30s", "--json", `--pid=${parent.child.pid}`).closed;
      const report = JSON.parse(stdout);
      expect({ code, verdict: report.verdict, extended: report.extended }).toEqual({
        code: exitCodes.leaking,
        verdict: "leaking",
        extended: true,
      });
      expect(report.processes[0]).toMatchObject({ group: "hog.ts", verdict: "leaking" });
      expect(report.processes.map(({ pid }: { pid: number }) => pid)).toContain(parent.child.pid);
      process.kill(report.processes[0].pid, "SIGTERM"); // throws when it was ended
      await parent.closed;
    } finally {
      if (parent.child.exitCode === null) process.kill(-(parent.child.pid as number), "SIGKILL");
      await parent.closed;
    }
  });

  test("finds no leak in a command that holds what it has, ends it, and exits with 0", async () => {
    const junit = temporary("junit.xml");
    const command = ["--", process.execPath, hog, "--hold=50"];
    const { closed } = detect("--for=30s", "--limit=512MiB", `--junit=${junit}`, ...command);
    const { code, stdout, stderr } = await closed;
    expect(stdout).toMatch(/^no leak seen {2}hog\.ts \(pid \d+\)/);
    expect(code).toBe(0);
    expect(stdout).toContain("512 MiB");
    expect(stdout).toContain("This run can only show leaks faster than");
    expect(stderr).toMatch(/^ready\n/); // what the command prints does not mix with the report
    expect(fs.readFileSync(junit, "utf8")).toContain('tests="1" failures="0" errors="0"');
    const [, pid] = /pid (\d+)/.exec(stdout) ?? [];
    expect(fs.existsSync(`/proc/${pid}`)).toBe(false);
  });

  test("finds that descriptors leak", async () => {
    const opens = "const all = []; setInterval(() => all.push(require('fs').openSync('/dev/null')), 200)";
    const { code, stdout } = await detect("--for=30s", "--", process.execPath, "-e", opens).closed;
    expect(stdout).toContain("The number of open descriptors rose in each quarter of the run");
    expect(code).toBe(exitCodes.leaking);
  });

  test("annotates a run on GitHub, and JSON stays JSON", async () => {
    const { code, stdout, stderr } = await start(
      "env",
      "GITHUB_ACTIONS=true",
      process.execPath,
      builtMain,
      "detect",
      "--for=10s",
      "--json",
      "--",
      "sleep",
      "60",
    ).closed;
    expect({ code, verdict: JSON.parse(stdout).verdict }).toEqual({ code: 0, verdict: "no_leak_seen" });
    expect(stderr).toMatch(/^::notice title=leakwatch%3A no leak seen%2C sleep::Memory did not rise/m);
  });

  test("has its exit code also where nobody reads what it prints", async () => {
    const { child, closed } = detect("--for=10s", "--", "sleep", "60");
    child.stdout.destroy();
    expect(await closed).toMatchObject({ code: 0, stderr: "" });
  });

  test("loads a command, and again: what it keeps of each load is a leak", async () => {
    const server = await keeper();
    const load = `for i in 1 2 3 4; do curl -s "$(cat ${server.url})/keep" >/dev/null; done`;
    const { code, stdout } = await detect("--for=30s", `--load=${load}`, "--", process.execPath, server.file).closed;
    expect(stdout).toMatch(/^leaking /);
    expect(stdout).toContain("by load 2 and");
    expect(code).toBe(exitCodes.leaking);
  });

  test("and what it keeps of one load only is none", async () => {
    const server = await keeper();
    const load = `for i in 1 2 3 4; do curl -s "$(cat ${server.url})/replace" >/dev/null; done`;
    const { code, stdout } = await detect("--for=30s", `--load=${load}`, "--", process.execPath, server.file).closed;
    expect(stdout).toMatch(/^no leak seen /);
    expect(stdout).toMatch(/These [23] loads can only show leaks of/);
    expect(code).toBe(0);
  });

  test("a load that fails says nothing of its target", async () => {
    const { code, stdout } = await detect("--for=10s", "--load=exit 3", "--", "sleep", "60").closed;
    expect(stdout).toContain("No verdict: the load exited with code 3");
    expect(code).toBe(exitCodes.no_verdict);
  });

  test("passes a signal on to the command, and gives no verdict", async () => {
    const { child, closed, printed } = detect(
      "--for=1m",
      "--",
      "sh",
      "-c",
      "trap 'echo asked; exit 7' TERM; echo trapped; while :; do sleep 0.1; done",
    );
    await logged(child, () => printed.stderr, /(trapped)/);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await closed;
    expect(stderr).toContain("asked");
    expect(stdout).toContain("No verdict: stopped by SIGTERM");
    expect(code).toBe(exitCodes.no_verdict);
  });

  test("does not judge a command that exits by itself at once", async () => {
    const { code, stdout } = await detect("--for=20s", "--", "sh", "-c", "sleep 0.5; exit 3").closed;
    expect(stdout).toContain("the command exited with code 3");
    expect(code).toBe(exitCodes.no_verdict);
  });

  test("a heap that grows until its runtime gives up is a leak, long before the time is over", async () => {
    const fill = "const all=[]; setInterval(() => { for (let i=0; i<5; i++) all.push(new Array(1000).fill(i)); }, 25)";
    const node = [process.execPath, "--max-old-space-size=64", "-e", fill];
    const { code, stdout } = await detect("--for=120s", "--", ...node).closed;
    expect(stdout).toContain("the command ran out of its heap limit of 64.0 MiB");
    expect(code).toBe(exitCodes.leaking);
  });
});

function temporary(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-detect-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, name);
}

/** A server that keeps 1 MiB for each request at /keep, and the last 1 MiB only at /replace. Its address is in the file `url`. */
async function keeper(): Promise<{ file: string; url: string }> {
  const file = temporary("server.cjs");
  const url = path.join(path.dirname(file), "url");
  const code = `const kept = []; let last; const made = () => Buffer.alloc(1024 * 1024, Math.random() + "").toString("latin1");
    const server = require("http").createServer(({ url }, response) => { if (url === "/keep") kept.push(made()); else last = made(); response.end("done"); });
    server.listen(0, "127.0.0.1", () => require("fs").writeFileSync(${JSON.stringify(url)}, "http://127.0.0.1:" + server.address().port));`;
  fs.writeFileSync(file, code);
  return { file, url };
}
