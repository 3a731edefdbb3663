// Real processes to be watched, and a C program that reads them with the least possible effort.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { compile, folder, Program, until } from "./programs.ts";

export interface FarmShape {
  count: number;
  threads: number;
  /** Touched memory of each, in MiB. */
  anonMib: number;
}

/** Should everything else fail, the processes end by themselves after this many seconds. */
const longestLife = 420;

export interface Farm {
  /** The procfs that shows it. */
  procfs: string;
  /** File with the pids of its processes, as `procfs` numbers them. */
  pidfile: string;
  stop(): Promise<void>;
}

/** Returns when all of them are up. */
export async function startFarm(shape: FarmShape): Promise<Farm> {
  const pidfile = path.join(folder, `farm-${shape.count}`);
  return running(new Program(compile("procfarm"), options(shape, pidfile)), pidfile, () => "/proc");
}

/** The same in a pid namespace of its own, where the farm's own process is the first of them. */
export async function startFarmInNamespace({ count, ...shape }: FarmShape): Promise<Farm> {
  const pidfile = path.join(folder, "namespace");
  const unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
  if (process.getuid?.() !== 0) unshare.push("--map-root-user");
  const farm = [compile("procfarm"), ...options({ ...shape, count: count - 1 }, pidfile)];
  return running(new Program("unshare", [...unshare, ...farm]), pidfile, ({ pid }) => `/proc/${pid}/root/proc`);
}

async function running(program: Program, pidfile: string, procfsOf: (program: Program) => string): Promise<Farm> {
  await program.says(/^ready \d+$/m, 120_000);
  const procfs = procfsOf(program);
  const stop = async () => {
    const pids = readFileSync(pidfile, "utf8").trim().split("\n");
    await program.stop();
    await until("the farm to end", () => !pids.some((pid) => existsSync(`${procfs}/${pid}`)));
  };
  return { procfs, pidfile, stop };
}

function options({ count, threads, anonMib }: FarmShape, pidfile: string): string[] {
  const given = { count, threads, "anon-mib": anonMib, seconds: longestLife, pidfile };
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** Reads what the exporter must read, in C. */
export class BareReads {
  private readonly program: Program;
  private readonly answers: AsyncIterator<string>;

  constructor({ pidfile }: Farm, { alone = false } = {}) {
    this.program = new Program(compile("procfloor"), [pidfile], { alone });
    if (this.program.stdout === null) throw new Error("procfloor has no output");
    this.answers = createInterface(this.program.stdout)[Symbol.asyncIterator]();
  }

  /** CPU time of reading every process once, in milliseconds. */
  sample(): Promise<number> {
    return this.ask("sample");
  }

  /** Longest time in which the machine did not run a program that is always ready to run, in milliseconds. */
  spin(milliseconds: number): Promise<number> {
    return this.ask(`spin ${milliseconds}`);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }

  private async ask(question: string): Promise<number> {
    this.program.stdin?.write(`${question}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`procfloor ended: ${this.program.output}`);
    return Number(value) / 1e6;
  }
}
