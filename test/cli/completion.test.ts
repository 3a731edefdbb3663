// Completion scripts in the shells themselves.

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { leakwatchProgram } from "../../exporter/cli/program.ts";
import { completionScript } from "../../exporter/completion/script.ts";
import { leakwatch } from "../support/command-line.ts";

const program = leakwatchProgram();

test.each(["bash", "zsh", "fish"] as const)(
  "leakwatch completion %s prints a script with every command",
  async (shell) => {
    const { code, stdout, stderr } = await leakwatch("completion", shell);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(completionScript(shell, program));
    for (const command of program.commands) expect(stdout).toContain(command.name());
  },
);

test("an unknown shell is refused", async () => {
  expect(await leakwatch("completion", "tcsh")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Allowed choices are bash, zsh, fish."),
  });
});

test.each(["bash", "zsh", "fish"] as const)("%s can read its script", (shell) => {
  execFileSync("sh", ["-c", `cat | ${shell} -n`], { input: completionScript(shell, program), stdio: "pipe" });
});

/** What a shell offers for the words of a line, of which the last is being typed. */
function offered(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ");
  const script = `${completionScript("bash", program)}
compopt() { :; } # bash has it while a line is typed only
COMP_WORDS=(${list}) COMP_CWORD=${words.length - 1}
_leakwatch
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
}

describe("bash", () => {
  test("registers the function", () => {
    const script = `${completionScript("bash", program)}\ncomplete -p leakwatch`;
    expect(execFileSync("bash", ["-c", script], { encoding: "utf8" })).toBe("complete -F _leakwatch leakwatch\n");
  });

  test.each([
    ["commands", ["leakwatch", "d"], ["detect", "doctor"]],
    ["options of a command", ["leakwatch", "rules", "--for"], ["--format"]],
    ["options of what runs without a command", ["leakwatch", "--log"], ["--log.level", "--log.format"]],
    ["values", ["leakwatch", "rules", "--format", "prometheusr"], ["prometheusrule"]],
    ["values behind =, which bash takes for a word", ["leakwatch", "--log.level", "=", "w"], ["warn"]],
    ["values just behind =", ["leakwatch", "--log.format", "="], ["logfmt", "json"]],
    ["folders", ["leakwatch", "--path.procfs", "/pro"], ["/proc"]],
    ["commands to explain", ["leakwatch", "help", "co"], ["completion"]],
    ["shells", ["leakwatch", "completion", ""], ["bash", "zsh", "fish"]],
    ["nothing of ours in a command of the user's", ["leakwatch", "detect", "--", "doc"], [""]],
  ])("completes %s", (_, words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  test("completes the ids of processes", () => {
    expect(offered("leakwatch", "detect", "--pid", "1")).toContain("1");
  });
});

describe("fish", () => {
  test.each([
    ["leakwatch de", "detect"],
    ["leakwatch rules --format prometheusr", "prometheusrule"],
  ])("completes %s", (line, expected) => {
    const input = `${completionScript("fish", program)}\ncomplete -C '${line}'\n`;
    expect(execFileSync("sh", ["-c", "cat | fish"], { input, encoding: "utf8" }).split("\t")[0]).toBe(expected);
  });
});
