// The command line as one function, for the program and for tests. Each command is a file beside it; what a command needs is
// loaded when it runs.

import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { withoutStrayValues } from "./arguments.ts";
import { backtestCommand } from "./backtest.ts";
import { completionCommand } from "./completion.ts";
import { detectCommand } from "./detect.ts";
import { doctorCommand } from "./doctor.ts";
import { withManual } from "./manual.ts";
import { rulesCommand } from "./rules.ts";
import { serveCommand } from "./serve.ts";
import { refuseUnknownCommand } from "./unknown-command.ts";

/** All commands and their options: what is parsed, and what completions and the manual page are made from. */
export function leakwatchProgram(): Command {
  const program = new Command("leakwatch")
    .description("Finds the process that leaks memory: how fast, what kind of leak, and when it will be OOM-killed.")
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [command]", "explain a command")
    .helpOption("-h, --help", "explain the options")
    .exitOverride()
    .addCommand(serveCommand(), { isDefault: true })
    .addCommand(backtestCommand())
    .addCommand(detectCommand())
    .addCommand(doctorCommand())
    .addCommand(rulesCommand())
    .addCommand(completionCommand());
  for (const command of program.commands) command.exitOverride().helpOption("-h, --help", "explain the options");
  return withManual(program, {
    examples: [
      ["leakwatch", "watch every process of this machine"],
      ["leakwatch detect -- node server.js", "does it leak? before the deploy"],
      ["leakwatch help detect", "a command's options, examples and exit codes"],
    ],
    exitCodes: { 0: "done", 1: "failure", 2: "a wrong option or command; each command's help has others" },
  });
}

/** Does what the words say, prints to our own standard streams, and sets `process.exitCode`. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  const program = leakwatchProgram();
  try {
    refuseUnknownCommand(program, words);
    await program.parseAsync(withoutStrayValues(program, words), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // help and version end well; everything else that the parser refuses is a misuse
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}
