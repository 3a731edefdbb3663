// https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html

import type { CompletedOption, CompletedProgram, Value } from "./script.ts";

export function bash({ name, options, commands }: CompletedProgram): string {
  const own = { name: "", options, argument: { words: commands.map((command) => command.name) } };
  const all = [own, ...commands];
  return `# bash completion for ${name}, printed by: ${name} completion bash

_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= options= i
  # bash splits --flag=value into three words
  if [[ $cur == "=" ]]; then
    cur=
  elif [[ $prev == "=" ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --) # what follows is a command of the user's
        compopt -o default -o bashdefault
        COMPREPLY=()
        return
        ;;
      ${commands.map((command) => command.name).join("|")})
        command=\${command:-\${COMP_WORDS[i]}}
        ;;
    esac
  done
  case "$command $prev" in
${all.flatMap((command) => command.options.flatMap((option) => valueCase(command.name, option))).join("\n")}
  esac
  case $command in
${all.map((command) => `    "${command.name}") options=${quoted(command.options.flatMap(flagsOf).join(" "))}${argumentWords(command.argument)} ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$options" -- "$cur"))
}

complete -F _${name} ${name}
`;
}

const flagsOf = ({ flag, short }: CompletedOption): string[] => (short === undefined ? [flag] : [short, flag]);

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Where no option has begun. */
const argumentWords = (argument: Value | undefined): string =>
  typeof argument === "object" ? `; [[ $cur == -* ]] || options=${quoted(argument.words.join(" "))}` : "";

function valueCase(command: string, { flag, value }: CompletedOption): string[] {
  if (value === undefined) return [];
  const reply = (words: string) => `COMPREPLY=($(compgen ${words} -- "$cur"))`;
  const replies: Record<Extract<Value, string>, string> = {
    file: `compopt -o filenames; ${reply("-f")}`,
    folder: `compopt -o filenames; ${reply("-d")}`,
    pid: reply(`-W "$(cd /proc 2>/dev/null && echo [0-9]*)"`),
    command: reply("-c"),
    anything: "COMPREPLY=()",
  };
  const action = typeof value === "object" ? reply(`-W ${quoted(value.words.join(" "))}`) : replies[value];
  return [`    "${command} ${flag}") ${action}; return ;;`];
}
