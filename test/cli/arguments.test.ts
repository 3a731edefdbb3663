import { Command } from "commander";
import { expect, test } from "vitest";
import { withoutStrayValues } from "../../exporter/cli/arguments.ts";

const program = new Command("x")
  .option("--global <value>")
  .addCommand(new Command("serve").option("--web.listen-address <address>").option("--match <selector>"));

test.each([
  ["a known flag keeps its value", ["--web.listen-address=:1"], ["--web.listen-address=:1"]],
  ["so does one of the program itself", ["--global=a=b"], ["--global=a=b"]],
  ["an unknown flag loses it", ["serve", "--web.listen-adress=:1"], ["serve", "--web.listen-adress"]],
  ["also a value with line ends", ["--lisen=a\nb"], ["--lisen"]],
  ["words are left alone", ["a=b", "-x=1", '{a="b"}'], ["a=b", "-x=1", '{a="b"}']],
  ["and so is what follows --", ["--", "--lisen=1"], ["--", "--lisen=1"]],
])("%s", (_, words, expected) => {
  expect(withoutStrayValues(program, words)).toEqual(expected);
});
