// Completion scripts for shells. Each is the whole command line as data, so that no key press starts a program.

import type { Argument, Command, Option } from "commander";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { zsh } from "./zsh.ts";

/** What an option's value or an argument is: one of some words, something that the shell knows, or anything. */
export type Value = { readonly words: readonly string[] } | "file" | "folder" | "pid" | "command" | "anything";

export interface CompletedOption {
  /** `--format`. */
  readonly flag: string;
  readonly short: string | undefined;
  readonly description: string;
  /** Undefined where it takes none. */
  readonly value: Value | undefined;
  readonly isRepeatable: boolean;
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly argument: Value | undefined;
}

export interface CompletedProgram {
  readonly name: string;
  /** Those of the program itself, and of the command that runs without a name. */
  readonly options: readonly CompletedOption[];
  readonly commands: readonly CompletedCommand[];
}

const renderers = { bash, zsh, fish } as const;

export const completionScript = (shell: keyof typeof renderers, program: Command): string =>
  renderers[shell](completed(program));

function completed(program: Command): CompletedProgram {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: optionsOf(command),
    argument: command.registeredArguments.map(argumentValue)[0],
  }));
  const help = {
    name: "help",
    description: "explain a command",
    options: [],
    argument: { words: commands.map(({ name }) => name) },
  };
  const own = optionsOf(program);
  const known = new Set(own.map(({ flag }) => flag));
  const ofDefault = commands.find(({ name }) => name === "serve")?.options ?? [];
  return {
    name: program.name(),
    options: [...own, ...ofDefault.filter(({ flag }) => !known.has(flag))],
    commands: [...commands, help],
  };
}

const optionsOf = (command: Command): CompletedOption[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      flag: option.long ?? option.flags,
      short: option.short,
      description: option.description,
      value: option.required || option.optional ? optionValue(option) : undefined,
      isRepeatable: option.description.includes("may be repeated"),
    }));

function optionValue({ argChoices, flags }: Option): Value {
  if (argChoices !== undefined) return { words: argChoices };
  const placeholder = /<(.+)>/.exec(flags)?.[1];
  if (placeholder === "file" || placeholder === "path") return flags.includes("telemetry-path") ? "anything" : "file";
  return placeholder === "folder" || placeholder === "pid" ? placeholder : "anything";
}

const argumentValue = (argument: Argument): Value =>
  argument.argChoices === undefined ? "command" : { words: argument.argChoices };
