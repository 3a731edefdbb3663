// https://zsh.sourceforge.io/Doc/Release/Completion-System.html#Completion-Functions (_arguments)

import type { CompletedOption, CompletedProgram, Value } from "./script.ts";

export function zsh({ name, options, commands }: CompletedProgram): string {
  return `#compdef ${name}
# zsh completion for ${name}, printed by: ${name} completion zsh

_${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${commands.map((command) => `    ${quoted(`${command.name}:${command.description}`)}`).join("\n")}
  )
  _arguments -C \\
${options.map((option) => `    ${specOf(option)} \\`).join("\n")}
    '1:command:->command' \\
    '*::argument:->argument' && return
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${commands.map((command) => `        ${command.name}) _arguments ${[...command.options.map(specOf), ...argumentSpec(command.argument)].join(" \\\n          ")} ;;`).join("\n")}
      esac
      ;;
  esac
}

# sourced, or loaded from a folder of functions
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** In an explanation, and in what stands before a colon. */
const escaped = (text: string): string => text.replace(/[[\]:\\]/g, "\\$&");

function specOf({ flag, short, description, value, isRepeatable }: CompletedOption): string {
  const explained = `[${escaped(description)}]`;
  const argument = value === undefined ? "" : `:value:${actionOf(value)}`;
  const long = `${isRepeatable ? "*" : ""}${flag}${value === undefined ? "" : "="}`;
  if (short === undefined) return quoted(`${long}${explained}${argument}`);
  return `'(${short} ${flag})'{${short},${flag}}${quoted(explained + argument)}`;
}

function actionOf(value: Value): string {
  if (typeof value === "object") return `(${value.words.join(" ")})`;
  return { file: "_files", folder: "_files -/", pid: "_pids", command: "_command_names -e", anything: "" }[value];
}

function argumentSpec(argument: Value | undefined): string[] {
  if (argument === undefined) return [];
  return argument === "command" ? ["'*::command:_normal'"] : [quoted(`1:argument:${actionOf(argument)}`)];
}
