// A temporary folder and the programs that work in it. Both are gone at the end, however it comes: an error, Ctrl-C, a signal.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { CommandError } from "../terminal/command-error.ts";

/** Signals that end us, with the numbers that shells add to 128. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Characters of output that are kept: the last ones tell why a program failed. */
const mostOutput = 100_000;

export interface Program {
  readonly child: ChildProcess;
  /** What it printed last, standard output and error in one. */
  output(): string;
}

export class Workspace {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-backtest-"));
  private readonly children = new Set<ChildProcess>();
  private readonly handlers = Object.entries(signals).map(([name, number]) => {
    const handler = () => {
      this.close();
      process.exit(128 + number);
    };
    process.once(name, handler);
    return { name, handler };
  });

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  start(program: string, args: readonly string[]): Program {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-mostOutput);
      });
    }
    child.once("error", (error) => {
      output += error.message;
    });
    this.children.add(child);
    child.once("close", () => this.children.delete(child));
    return { child, output: () => output };
  }

  /** Runs a program to its end. Throws CommandError with what it said when that is a bad one. */
  async run(program: string, args: readonly string[]): Promise<void> {
    const { child, output } = this.start(program, args);
    const [code] = await once(child, "close").catch(() => [undefined]);
    if (code !== 0) throw new CommandError(`${program} failed: ${lastLines(output())}`, 1);
  }

  /** Kills what still runs, by its pid, and removes the folder: nothing in it is worth a clean stop. */
  close(): void {
    for (const child of this.children) child.kill("SIGKILL");
    for (const { name, handler } of this.handlers) process.removeListener(name, handler);
    // a program that is just dying may still make a file
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** As one line: messages are. */
export const lastLines = (output: string, count = 3) => output.trim().split("\n").slice(-count).join("; ");
