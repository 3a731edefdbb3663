// https://fishshell.com/docs/current/completions.html

import type { CompletedOption, CompletedProgram, Value } from "./script.ts";

export function fish({ name, options, commands }: CompletedProgram): string {
  const names = commands.map((command) => command.name).join(" ");
  const complete = (condition: string, rest: string) => `complete -c ${name} -n ${quoted(condition)} ${rest}`;
  const withoutCommand = `not __fish_seen_subcommand_from ${names}`;
  const lines = [
    ...commands.map((command) => complete(withoutCommand, `-f -a ${command.name} -d ${quoted(command.description)}`)),
    ...options.map((option) => complete(withoutCommand, specOf(option))),
    ...commands.flatMap((command) => {
      const condition = `__fish_seen_subcommand_from ${command.name}`;
      return [
        ...argumentOf(command.argument).map((rest) => complete(condition, rest)),
        ...command.options.map((option) => complete(condition, specOf(option))),
      ];
    }),
  ];
  return `# fish completion for ${name}, printed by: ${name} completion fish\n\n${lines.join("\n")}\n`;
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;

function specOf({ flag, short, description, value }: CompletedOption): string {
  const flags = `${short === undefined ? "" : `-s ${short.slice(1)} `}-l ${flag.slice(2)}`;
  return `${flags} ${value === undefined ? "-f" : valueSpec(value)} -d ${quoted(description)}`;
}

/** `-x` wants a value and no file, `-r` a value, `-F` a file. */
function valueSpec(value: Value): string {
  if (typeof value === "object") return `-x -a ${quoted(value.words.join(" "))}`;
  return {
    file: "-r -F",
    folder: "-x -a '(__fish_complete_directories)'",
    pid: "-x -a '(__fish_complete_pids)'",
    command: "-x -a '(__fish_complete_command)'",
    anything: "-x",
  }[value];
}

function argumentOf(argument: Value | undefined): string[] {
  if (argument === undefined) return ["-f"];
  return [
    typeof argument === "object" ? `-f -a ${quoted(argument.words.join(" "))}` : "-x -a '(__fish_complete_subcommand)'",
  ];
}
