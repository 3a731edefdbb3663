// `leakwatch rules`: what it prints and writes, its exit code, its complaints.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { leakwatch } from "../support/command-line.ts";

const rules = (...args: string[]) => leakwatch("rules", ...args);

function folder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-rules-"));
  onTestFinished(() => fs.rmSync(made, { recursive: true }));
  return made;
}

describe("leakwatch rules", () => {
  test("prints a rule file", async () => {
    const { code, stdout, stderr } = await rules();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("alert: LeakwatchMemoryLeak\n");
  });

  test("writes a file, and says whether it is still current", async () => {
    const file = path.join(folder(), "prometheus/rules.yml");
    expect(await rules("--output", file)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await rules("--output", file, "--check")).toEqual({ code: 0, stdout: "", stderr: "" });
    const stale = await rules("--output", file, "--check", "--label", "team=payments");
    expect(stale).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${file} is not what these options give`),
    });
    expect(fs.readFileSync(file, "utf8")).toBe((await rules()).stdout);
  });

  test.each([
    ["a label that the rules use", ["--label", "group=api"], "The rules use the label group themselves."],
    ["a label without a value", ["--label", "team"], "Expected key=value."],
    ["a label that acts on a terminal", ["--label", "team=a\u202eb"], "Expected a value without control characters."],
    ["a password in links", ["--grafana-url", "https://me:pw@grafana"], "Expected a URL without password or token"],
    ["a label twice", ["--label", "a=1", "--label", "a=2"], "a is given twice."],
    ["a label that is no name", ["--label", "my-team=a"], 'Expected the name of a label such as team, got "my-team".'],
    [
      "a value that Kubernetes refuses",
      ["--metadata-label", "a=b c", "--format=prometheusrule"],
      'does not allow "b c"',
    ],
    ["a name that Kubernetes refuses", ["--name", "Leaks", "--format=prometheusrule"], "Expected lower-case letters"],
    ["no URL", ["--grafana-url", "grafana:3000"], "Expected a URL such as https://grafana.example.org."],
    ["an unknown format", ["--format", "json"], "prometheus, prometheusrule"],
    ["a namespace for a plain file", ["--namespace", "a"], "--namespace only goes with --format=prometheusrule"],
    ["a label of no object", ["--metadata-label", "a=b"], "--metadata-label only goes with --format=prometheusrule"],
    ["a check of nothing", ["--check"], "--check needs --output"],
    [
      "a file that is not there",
      ["--thresholds", "/nowhere/thresholds.yml"],
      "/nowhere/thresholds.yml: cannot be read",
    ],
    [
      "a check of a file that is not there",
      ["--check", "--output", "/nowhere/rules.yml"],
      "/nowhere/rules.yml: cannot be read",
    ],
  ])("refuses %s", async (_, args, expected) => {
    const { code, stdout, stderr } = await rules(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(expected);
  });

  test("names the line of a threshold that cannot be", async () => {
    const file = path.join(folder(), "thresholds.yml");
    fs.writeFileSync(file, "heap_near_limit:\n  level: 95\n");
    expect(await rules("--thresholds", file)).toEqual({
      code: 2,
      stdout: "",
      stderr: `leakwatch: ${file}:2: heap_near_limit.level: expected a share above 0 and up to 1, such as 0.05, got 95\n`,
    });
  });
});
