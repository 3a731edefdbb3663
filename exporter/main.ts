#!/usr/bin/env node

// The program: runs the command line, and ends also where a watched process holds up a reading.

import { runCommandLine } from "./cli/program.ts";
import { endIfHeldUp, endInSpiteOfTargets } from "./exit.ts";
import { isService } from "./memory-settings.ts"; // before anything that allocates
import { outliveClosedPipes } from "./terminal/closed-pipe.ts";

endInSpiteOfTargets();
outliveClosedPipes();

try {
  await runCommandLine(process.argv.slice(2));
} finally {
  if (!isService) endIfHeldUp();
}
