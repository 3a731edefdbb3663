// What --engine prometheus needs on this machine.

import fs from "node:fs";
import path from "node:path";
import { CommandError } from "../terminal/command-error.ts";

/** Throws CommandError that names the programs which are not on the PATH. */
export function requirePrograms(...programs: readonly string[]): void {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  const missing = programs.filter((program) => !folders.some((folder) => isExecutable(path.join(folder, program))));
  if (missing.length === 0) return;
  const are = missing.length === 1 ? "is" : "are";
  throw new CommandError(
    `--engine prometheus runs ${programs.join(" and ")}, and ${missing.join(" and ")} ${are} not on the PATH. ` +
      "Install Prometheus 2.42 or later, or use --engine builtin.",
    1,
  );
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
