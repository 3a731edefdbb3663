// `leakwatch rules | head -1`: who read it has seen enough.

import { printError } from "./shown-text.ts";

/** To be called once, at the start. What is not read any more is no error; a full disk is. */
export function outliveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      if (stream === process.stdout) printError(`cannot write the output: ${error.message}`);
      process.exitCode = 1;
    });
  }
}
