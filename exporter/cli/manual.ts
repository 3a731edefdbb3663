// What a command's `--help` and the manual page say beside its options: examples, exit codes, and what else there is to know.

import { type Command, Help } from "commander";
import { plainErrors } from "./plain-errors.ts";

export interface Manual {
  /** What a user types, and what it does. */
  readonly examples: readonly Item[];
  readonly exitCodes: Readonly<Record<number, string>>;
  /** What else there is to know, as a list. */
  readonly more?: { readonly title: string; readonly items: readonly Item[]; readonly closing?: string };
}

type Item = readonly [term: string, description: string];

const manuals = new WeakMap<Command, Manual>();

/** Gives a command its manual, and the looks that all of them have. */
export function withManual(command: Command, manual: Manual): Command {
  manuals.set(command, manual);
  return command.configureOutput(plainErrors).configureHelp({ formatItem, formatHelp, minWidthToWrap: 1 });
}

export const manualOf = (command: Command): Manual | undefined => manuals.get(command);

/** Descriptions begin below their terms where a terminal is too narrow for two columns. */
const narrowest = 30;

const indent = 2;

function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? 80;
  if (width - termWidth - 2 * indent >= narrowest)
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  const below = helper.boxWrap(description, width - 4 * indent).replace(/^/gm, " ".repeat(4 * indent));
  return `${" ".repeat(indent)}${term}${description === "" ? "" : `\n${below}`}`;
}

function formatHelp(command: Command, helper: Help): string {
  const manual = manuals.get(command);
  const [usage = "", ...rest] = Help.prototype.formatHelp.call(helper, command, helper).split("\n");
  return [wrapped(usage, 2, helper), ...rest, ...(manual === undefined ? [] : sections(manual, helper))].join("\n");
}

/** Examples are not wrapped: they are for copying. */
function sections({ examples, exitCodes, more }: Manual, helper: Help): string[] {
  const items = (title: string, entries: readonly Item[], width: number) => [
    wrapped(title, 0, helper),
    ...entries.map(([term, description]) => formatItem(term, width, description, helper)),
    "",
  ];
  const widest = (entries: readonly Item[]) => Math.max(...entries.map(([term]) => term.length));
  return [
    ...(more === undefined ? [] : items(`${more.title}:`, more.items, widest(more.items))),
    ...(more?.closing === undefined ? [] : [wrapped(more.closing, 0, helper), ""]),
    "Examples:",
    ...examples.flatMap(([line, purpose]) => [`  # ${wrapped(purpose, 4, helper)}`, `  ${line}`]),
    "",
    ...items("Exit codes:", Object.entries(exitCodes), 2).slice(0, -1),
    "",
  ];
}

/** `left`: where its other lines begin. */
const wrapped = (text: string, left: number, helper: Help) =>
  helper.boxWrap(text, (helper.helpWidth ?? 80) - left).replace(/\n/g, `\n${" ".repeat(left)}`);
