// The command line as one function, for the program and for tests. Each command is a file beside it; what a command needs is
// loaded when it runs.

import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { withoutStrayValues } from "./arguments.ts";
import { backtestCommand } from "./backtest.ts";
import { detectCommand } from "./detect.ts";
import { doctorCommand } from "./doctor.ts";
import { rulesCommand } from "./rules.ts";
import { serveCommand } from "./serve.ts";

/** Does what the words say, prints to our own standard streams, and sets `process.exitCode`. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  const program = new Command("leakwatch")
    .description("Which process leaks memory, how fast, what kind of leak it is, and when it dies.")
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [command]", "explain a command")
    .helpOption("-h, --help", "explain the options")
    .exitOverride()
    .addCommand(serveCommand(), { isDefault: true })
    .addCommand(backtestCommand())
    .addCommand(detectCommand())
    .addCommand(doctorCommand())
    .addCommand(rulesCommand());
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(withoutStrayValues(program, words), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // help and version end well; everything else that the parser refuses is a misuse
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}
