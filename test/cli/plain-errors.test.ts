import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { plainErrors } from "../../exporter/cli/plain-errors.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";

describe("commander's complaints", () => {
  function complaint(...words: string[]): string {
    let said = "";
    const command = new Command("detect").argument("[command...]").option("--pid <pid>").exitOverride();
    command.configureOutput({ ...plainErrors, writeErr: (text) => (said += text) });
    expect(() => command.parse(words, { from: "user" })).toThrow();
    return said;
  }

  test("keep their own lines, and no others", () => {
    expect(complaint("--pud")).toBe("error: unknown option '--pud'\n(Did you mean --pid?)\n");
    expect(complaint(`--${evil}`)).toBe(`error: unknown option '--${shownEvil}'\n`);
    expect(complaint(`--${evil}`)).not.toMatch(active);
  });

  test.each([
    ["a password that sticks to its option", ["mysqldump", "-phunter2"], "error: unknown option '-p'\n"],
    ["an option of the command", ["app", "--password", "hunter2"], "error: unknown option '--password'\n"],
  ])("do not show %s", (_, words, says) => {
    expect(complaint(...words)).toBe(says);
  });

  test("do not show passwords among words that are too many", () => {
    let said = "";
    const command = new Command("doctor").allowExcessArguments(false).exitOverride();
    command.configureOutput({ ...plainErrors, writeErr: (text) => (said += text) });
    expect(() => command.parse(["--", "app", "--password", "hunter2"], { from: "user" })).toThrow();
    expect(said).toContain("too many arguments");
    expect(said).not.toContain("hunter2");
  });
});
