// `leakwatch detect` on real processes. The runs are short, and one after another: a starved one cannot judge.

import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { exitCodes } from "../../exporter/detect/exit-code.ts";
import { builtMain } from "../support/built.ts";
import { detect, hog, start, temporary } from "../support/detect.ts";
import { logged } from "../support/exporter-process.ts";
import { newGroup } from "../support/targets.ts";

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
    expect(stdout).toMatch(/no verdict: stopped by SIGTERM/i); // perhaps before the first sample
    expect(code).toBe(exitCodes.no_verdict);
  });

  test("does not judge a command that exits by itself at once", async () => {
    const { code, stdout } = await detect("--for=20s", "--", "sh", "-c", "sleep 0.5; exit 3").closed;
    expect(stdout).toContain("the command exited with code 3");
    expect(code).toBe(exitCodes.no_verdict);
  });
});
