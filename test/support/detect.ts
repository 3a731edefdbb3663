// Runs of the built `leakwatch detect` on real processes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { builtMain } from "./built.ts";

/** A program that grows, or holds what it has. */
export const hog = fileURLToPath(new URL("../integration/targets/hog.ts", import.meta.url));

/** Starts a program in a process group of its own, so that it can be ended with all of its children. */
export function start(program: string, ...args: string[]) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed.stderr += text));
  const closed = once(child, "close").then(([code]) => ({ code, ...printed }));
  return { child, printed, closed };
}

export const detect = (...args: string[]) => start(process.execPath, builtMain, "detect", ...args);

/** A file that is gone when the test is. */
export function temporary(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-detect-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, name);
}
