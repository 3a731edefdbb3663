// What the user typed, made ready for the parser.

import type { Command } from "commander";

/**
 * Takes the value from `--flag=value` where no command has such a flag: the parser refuses it either way, but only
 * without the value does it find the flag that was meant.
 */
export function withoutStrayValues(program: Command, words: readonly string[]): string[] {
  const known = new Set([program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long)));
  const end = words.indexOf("--");
  return words.map((word, at) => {
    const flag = /^(--[^=]+)=/s.exec(word)?.[1];
    return flag === undefined || known.has(flag) || (end >= 0 && at > end) ? word : flag;
  });
}
