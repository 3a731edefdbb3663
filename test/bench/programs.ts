// Programs that the bench starts. Whatever happens to the bench, they end with it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The bench cannot run here; the message says what it needs. */
export class CannotRun extends Error {
  override readonly name = "CannotRun";
}

/** Where the helpers are compiled, and where they put their files. Gone when the bench ends. */
export const folder = mkdtempSync(path.join(tmpdir(), "leakwatch-bench-"));

const running = new Set<ChildProcess>();

/** Ends everything that runs, without waiting. */
export function stopEverything(): void {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

export class Program {
  readonly pid: number;
  readonly stdin: ChildProcess["stdin"];
  /** What it wrote last, on both outputs together. */
  output = "";
  private readonly name: string;
  private readonly child: ChildProcess;

  /** `alone` keeps it to the last core, away from the bench itself. */
  constructor(command: string, args: readonly string[], { alone = false } = {}) {
    // the kernel ends it should the bench be killed; both programs replace themselves, so that the pid stays
    const pinned = alone && availableParallelism() > 1 ? ["taskset", "-c", String(availableParallelism() - 1)] : [];
    this.name = path.basename(command);
    this.child = spawn("setpriv", ["--pdeathsig", "KILL", ...pinned, command, ...args], { stdio: "pipe" });
    running.add(this.child);
    this.child.once("exit", () => running.delete(this.child));
    this.child.once("error", (error) => {
      running.delete(this.child);
      this.keep(error.message);
    });
    this.child.stdout?.on("data", (text) => this.keep(text));
    this.child.stderr?.on("data", (text) => this.keep(text));
    this.stdin = this.child.stdin;
    this.stdin?.on("error", () => {}); // it has ended: whoever waits for its answer will see
    this.pid = this.child.pid ?? 0;
  }

  get stdout(): ChildProcess["stdout"] {
    return this.child.stdout;
  }

  get ended(): boolean {
    return !running.has(this.child);
  }

  /** Waits until its output matches. */
  async says(pattern: RegExp, milliseconds = 60_000): Promise<RegExpExecArray> {
    await until(`${this.name} to say ${pattern}`, () => this.ended || pattern.test(this.output), milliseconds);
    const match = pattern.exec(this.output);
    if (match === null) throw new CannotRun(`${this.name} ended: ${this.output.trim()}`);
    return match;
  }

  async stop(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await Promise.race([exit, sleep(6000, undefined, { ref: false })]);
    if (this.ended) return;
    this.child.kill("SIGKILL");
    await exit;
  }

  private keep(text: string | Buffer): void {
    this.output = (this.output + text).slice(-8192);
  }
}

/** Compiles a helper that stands beside this file, once, and returns the path of the program. */
export function compile(name: "procfarm" | "procfloor" | "cpuclock"): string {
  const program = path.join(folder, name);
  if (existsSync(program)) return program;
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  try {
    execFileSync("cc", ["-O2", "-pthread", "-o", program, source], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new CannotRun(`a C compiler is needed (apt-get install gcc libc6-dev): ${(error as Error).message}`);
  }
  return program;
}

/** Milliseconds of CPU time, user and system, that a process has used since it started; all its threads together. */
export function cpuTime(pid: number): number {
  return Number(execFileSync(compile("cpuclock"), [String(pid)], { encoding: "utf8", timeout: 10_000 })) / 1e6;
}

/** Looks every 50 ms. Throws when it does not come true in time. */
export async function until(what: string, condition: () => boolean, milliseconds = 30_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${milliseconds / 1000} s: ${what}`);
    await sleep(50);
  }
}
