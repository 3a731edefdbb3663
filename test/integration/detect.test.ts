// `leakwatch detect` on real processes. The runs are short, and one after another: a starved one cannot judge.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
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
      expect({ code, verdict: report.verdict }).toEqual({ code: 1, verdict: "leaking" });
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
    const { closed } = detect("--for=20s", "--limit=512MiB", "--", process.execPath, hog, "--hold=50");
    const { code, stdout, stderr } = await closed;
    expect(stdout).toMatch(/^(stable|warming_up|bounded_growth) {2}hog\.ts \(pid \d+\)/);
    expect(code).toBe(0);
    expect(stdout).toContain("512 MiB");
    expect(stdout).toContain("cannot be seen in 20 s");
    expect(stderr).toBe("ready\n"); // what the command prints does not mix with the report
    const [, pid] = /pid (\d+)/.exec(stdout) ?? [];
    expect(fs.existsSync(`/proc/${pid}`)).toBe(false);
  });

  test("passes a signal on to the command, and says that it cannot tell", async () => {
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
    expect(stdout).toContain("It cannot be told");
    expect(code).toBe(2);
  });

  test("does not judge a command that ends by itself at once", async () => {
    const { code, stdout } = await detect("--for=20s", "--", "sh", "-c", "sleep 0.5; exit 3").closed;
    expect(stdout).toContain("the command ended with exit code 3");
    expect(code).toBe(2);
  });

  test("says of a runtime that gave up that its heap limit was reached", async () => {
    const fill = "const all=[]; setInterval(() => { for (let i=0; i<5; i++) all.push(new Array(1000).fill(i)); }, 5)";
    const node = [process.execPath, "--max-old-space-size=48", "-e", fill];
    const { code, stdout } = await detect("--for=120s", "--", ...node).closed;
    expect(stdout).toContain("the command ran out of its heap limit of 48.0 MiB");
    expect(code).toBe(2);
  });
});
