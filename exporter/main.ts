#!/usr/bin/env node

// The command line. Each command is a file in cli/; what it needs is loaded when it runs.

import { Command, CommanderError } from "commander";
import { withoutStrayValues } from "./cli/arguments.ts";
import { backtestCommand } from "./cli/backtest.ts";
import { detectCommand } from "./cli/detect.ts";
import { doctorCommand } from "./cli/doctor.ts";
import { rulesCommand } from "./cli/rules.ts";
import { serveCommand } from "./cli/serve.ts";
import { endIfHeldUp, endInSpiteOfTargets } from "./exit.ts";
import { isService } from "./memory-settings.ts"; // before anything that allocates
import { version } from "./version.ts";

endInSpiteOfTargets();

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
  await program.parseAsync(withoutStrayValues(program, process.argv.slice(2)), { from: "user" });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // help and version end well; everything else that the parser refuses is a misuse
  process.exitCode = error.exitCode === 0 ? 0 : 2;
} finally {
  if (!isService) endIfHeldUp();
}
