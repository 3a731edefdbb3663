// Node.js waits for every thread of its pool before it ends, also for one that a watched process holds up for ever. A new
// program in place of this one ends them all, since the kernel then kills the threads of the old one.

import { readsHeldUp } from "./kernel/target-files.ts";

/** To be called once, at the start. */
export function endInSpiteOfTargets(): void {
  process.once("exit", (code) => {
    if (readsHeldUp() === 0) return;
    process.execve?.(process.execPath, [process.execPath, "--eval", `process.exitCode = ${Number(code)}`]);
  });
}

/** When everything is done: ends the program now where a held-up reading would keep it. */
export function endIfHeldUp(): void {
  if (readsHeldUp() > 0) process.exit();
}
