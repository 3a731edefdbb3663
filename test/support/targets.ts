// Programs to be watched, and what the kernel says about them: the other side of every comparison.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";
import { logged, stop } from "./exporter-process.ts";

const folder = fileURLToPath(new URL("../integration/targets/", import.meta.url));

let groups = 0;

/** A group name that no other test, and no other run on this machine, uses. */
export function newGroup(word: string): string {
  return `${word}-${process.pid}-${++groups}`;
}

export class Target {
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  /** Starts a program of test/integration/targets, and resolves when it says that it is ready. Ends with the test. */
  static async start(script: string, args: readonly string[] = [], launcher: readonly string[] = []): Promise<Target> {
    const [program = "", ...rest] = [...launcher, process.execPath, folder + script, ...args];
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    onTestFinished(() => stop(child));
    await logged(child, () => output, /(ready)/);
    return new Target(child);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Stands still from now on: its memory cannot change between two looks. */
  async freeze(): Promise<void> {
    this.child.kill("SIGSTOP");
    await vi.waitUntil(() => /^State:\s+T/m.test(procFile(this.pid, "status")), { timeout: 30_000 });
  }

  async end(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
}

export function procFile(pid: number, name: string): string {
  return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
}

/** A field of `status`: kB become bytes, counts stay what they are; of several numbers the first. */
export function statusField(pid: number, field: string): number {
  const [, value, unit] = new RegExp(`^${field}:\\s+(\\d+)\\b( kB)?`, "m").exec(procFile(pid, "status")) ?? [];
  if (value === undefined) throw new Error(`process ${pid} has no ${field}`);
  return Number(value) * (unit === undefined ? 1 : 1024);
}

/** Unix time at which the process started, as `ps -o lstart` finds it. */
export function startTime(pid: number): number {
  const ticks = Number(
    procFile(pid, "stat")
      .replace(/^.*\) /s, "")
      .split(" ")[19],
  ); // field 22; the name may hold blanks
  const boot = Number(/^btime (\d+)$/m.exec(fs.readFileSync("/proc/stat", "utf8"))?.[1]);
  return boot + ticks / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
}

export const listFds = (pid: number) => fs.readdirSync(`/proc/${pid}/fd`).length;
