// What `--help` shows, at any width of a terminal.

import type { Command } from "commander";
import { afterEach, describe, expect, test } from "vitest";
import { manualOf } from "../../exporter/cli/manual.ts";
import { leakwatchProgram } from "../../exporter/cli/program.ts";
import { leakwatch } from "../support/command-line.ts";

const program = leakwatchProgram();
const commands: Command[] = [program, ...program.commands];

function helpAt(columns: number, command: Command): string {
  command.configureOutput({ getOutHelpWidth: () => columns });
  return command.helpInformation();
}

describe.each(commands.map((command) => [command.name(), command] as const))("the help of %s", (name, command) => {
  test("has examples, which its parser takes, and exit codes", () => {
    const { examples = [], exitCodes = {} } = manualOf(command) ?? {};
    expect(examples.length).toBeGreaterThan(0);
    expect(Object.keys(exitCodes)).toContain("0");
    expect(Object.keys(exitCodes)).toContain("2");
    const help = helpAt(80, command);
    for (const [line] of examples) expect(help).toContain(`  ${line}\n`);
    for (const code of Object.keys(exitCodes)) expect(help).toMatch(new RegExp(`^  ${code} +\\S`, "m"));

    const flags = examples.flatMap(([line]) => line.split(" -- ")[0]?.match(/(?<=\s)--[\w.-]+/g) ?? []);
    const known = commands.flatMap(({ options }) => options.map(({ long }) => long));
    for (const flag of flags) expect(known).toContain(flag);
    for (const [line] of examples)
      expect(line).toMatch(new RegExp(`\\bleakwatch${name === "leakwatch" ? "" : `( ${name})?`}\\b`));
  });

  test.each([40, 60, 80, 200])("fits into %d columns, but for examples, which are for copying", (columns) => {
    const examples = (manualOf(command)?.examples ?? []).map(([line]) => `  ${line}`);
    const lines = helpAt(columns, command).split("\n");
    expect(lines.filter((line) => line.length > columns && !examples.includes(line))).toEqual([]);
  });
});

test("a narrow terminal has descriptions below their options", () => {
  const detect = commands.find((command) => command.name() === "detect") as Command;
  expect(helpAt(40, detect)).toContain("  --pid <pid>\n        watch this process and its\n        children\n");
});

describe("an unknown command is named, with those that there are", () => {
  const list = "Commands: serve, backtest, detect, doctor, rules, completion, help.";
  test.each([
    [["bogus"], `error: unknown command 'bogus'. ${list}\n`],
    [["ruels"], `error: unknown command 'ruels'. ${list}\n(Did you mean rules?)\n`],
    [["detetc", "--pid=1"], `error: unknown command 'detetc'. ${list}\n(Did you mean detect?)\n`],
    [["help", "bogus"], `error: unknown command 'bogus'. ${list}\n`],
    [["version"], `error: unknown command 'version'. ${list}\n`],
    [["PASSWORD=hunter2"], `error: unknown command 'PASSWORD=***'. ${list}\n`],
  ])("%j", async (words, stderr) => {
    expect(await leakwatch(...words)).toEqual({ code: 2, stdout: "", stderr });
  });
});

describe("on a system that is not Linux", () => {
  const linux = process.platform;
  afterEach(() => void Object.defineProperty(process, "platform", { value: linux }));

  test.each(["serve", "doctor", "detect --pid=1"])("leakwatch %s says what to do instead", async (line) => {
    Object.defineProperty(process, "platform", { value: "darwin" });
    const { code, stdout, stderr } = await leakwatch(...line.split(" "));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: leakwatch \w+ reads \/proc, which only Linux has\. Run it in a container/);
    expect(stderr).toContain("Here you can use: backtest, rules, completion.");
  });

  test("what reads no files of the kernel works", async () => {
    Object.defineProperty(process, "platform", { value: "darwin" });
    expect((await leakwatch("rules")).code).toBe(0);
    expect((await leakwatch("detect", "--help")).code).toBe(0);
  });
});
