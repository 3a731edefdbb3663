// What real runtimes say of their memory: a leak grows, garbage does not, and a cache stops at its bound.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { MiB } from "../../../catalog/defaults.ts";
import { withInspector } from "../../../exporter/detect/live/inspector.ts";
import {
  type LiveMemory,
  type LiveOptions,
  type LiveSource,
  liveMemoryOf,
  liveSourceOf,
  type NoLiveMemory,
} from "../../../exporter/detect/live/live-memory.ts";
import { parseListening } from "../../../exporter/procfs/net-tcp.ts";
import { stop } from "../../support/exporter-process.ts";
import { ensurePrograms } from "../../support/packages.ts";

interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has printed. */
  output(): string;
}

/** Runs until the test has finished; resolves when it has printed `ready`. */
async function start(argv: readonly string[], env: NodeJS.ProcessEnv = withInspector(process.env)): Promise<Started> {
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { env, stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => stop(child));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  await expect.poll(() => output, { timeout: 30_000 }).toContain("ready");
  return { pid: child.pid as number, child, output: () => output };
}

/** A program that handles one word after the other, and says when it has. */
const node = (code: string, ...options: string[]) => [
  process.execPath,
  ...options,
  "-e",
  `const kept = []; const record = () => Buffer.alloc(512 * 1024, "ab").toString("latin1");
   const steps = { leak: () => kept.push(record()), garbage: () => record(), cache: () => { kept.push(record()); if (kept.length > 20) kept.shift(); }, buffer: () => kept.push(Buffer.alloc(512 * 1024, 1)), log: () => console.log({ body: record() }) };
   process.stdin.on("data", (data) => { const [step, times] = String(data).trim().split(" "); for (let i = 0; i < Number(times); i++) steps[step](); console.log("did " + step); });
   ${code}
   console.log("ready");`,
];

async function order({ child, output }: Started, step: string, times: number): Promise<void> {
  const done = () => output().split(`did ${step}`).length;
  const before = done();
  child.stdin?.write(`${step} ${times}\n`);
  await expect.poll(done, { timeout: 30_000 }).toBeGreaterThan(before);
}

async function sourceOf(pid: number, maySignal = false): Promise<LiveSource> {
  const source = liveSourceOf({ pid, maySignal });
  if ("unavailable" in source) throw new Error(source.unavailable);
  onTestFinished(() => source.close());
  return source;
}

function known(memory: LiveMemory | NoLiveMemory): LiveMemory {
  if ("unavailable" in memory) throw new Error(memory.unavailable);
  return memory;
}

const collected: LiveOptions = { collect: true };

/** Sockets on which this process listens. */
function listening(pid: number): number {
  const links = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ""; // closed since
    }
  });
  const all = parseListening(fs.readFileSync(`/proc/${pid}/net/tcp`, "utf8"));
  return all.filter(({ inode }) => links.includes(`socket:[${inode}]`)).length;
}

describe("a Node.js program that we started", () => {
  /** How much live memory grew in two rounds of one step, in MiB. */
  async function growthBy(step: string): Promise<number[]> {
    const program = await start(node(""));
    const source = await sourceOf(program.pid);
    await order(program, step, 40);
    const levels = [known(await source.read(collected)).bytes];
    for (let round = 0; round < 2; round++) {
      await order(program, step, 40);
      levels.push(known(await source.read(collected)).bytes);
    }
    return levels.slice(1).map((bytes, i) => (bytes - (levels[i] as number)) / MiB);
  }

  test.each<[string, number]>([
    ["leak", 20],
    ["buffer", 20],
    ["garbage", 0],
    ["cache", 0],
    ["log", 0], // which an inspector keeps
  ])("%s: grows by about %d MiB in each round of 40 half MiB", async (step, expected) => {
    for (const growth of await growthBy(step)) expect(Math.abs(growth - expected)).toBeLessThan(1);
  });

  test("says what its heap can hold at most", async () => {
    const { pid } = await start(
      node("console.log('limit=' + v8.getHeapStatistics().heap_size_limit)", "--max-old-space-size=99"),
    );
    const memory = known(await liveMemoryOf({ pid, maySignal: false }, { collect: false }));
    expect(memory.maximum).toBeGreaterThanOrEqual(99 * MiB);
    expect(memory).toMatchObject({ runtime: "node", isCollected: false });
  });

  test("worker threads count, also after one has ended", async () => {
    const code = `const { Worker } = require("worker_threads");
      const made = new Worker("const kept = Buffer.alloc(30 * 1024 * 1024, 'ab').toString('latin1').split('a'.repeat(9)); setInterval(() => kept.length, 1000)", { eval: true });
      steps.end = () => made.terminate();`;
    const program = await start(node(code));
    const source = await sourceOf(program.pid);
    await expect.poll(async () => known(await source.read(collected)).bytes / MiB).toBeGreaterThan(30);
    await order(program, "end", 1);
    await expect.poll(async () => known(await source.read(collected)).bytes / MiB).toBeLessThan(20);
  });

  test("may be an ES module", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-esm-"));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, "program.mjs");
    fs.writeFileSync(file, "console.log('ready'); setInterval(() => {}, 1000);");
    const { pid } = await start([process.execPath, file]);
    expect(known(await liveMemoryOf({ pid, maySignal: false }, collected)).bytes).toBeGreaterThan(MiB);
  });

  test("and its Node.js children are asked alike", async () => {
    const { pid, output } = await start([
      process.execPath,
      "-e",
      `const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
       console.log("child=" + child.pid + " ready"); process.on("exit", () => child.kill());`,
    ]);
    const child = Number(/child=(\d+)/.exec(output())?.[1]);
    onTestFinished(() => void process.kill(child, "SIGKILL"));
    for (const each of [pid, child]) {
      await expect
        .poll(async () => "bytes" in (await liveMemoryOf({ pid: each, maySignal: false }, collected)))
        .toBe(true);
    }
  });

  test("exits when it wants to, although we are connected", async () => {
    const program = await start(node("steps.exit = () => process.exit(7)"));
    const source = await sourceOf(program.pid);
    known(await source.read(collected));
    program.child.stdin?.write("exit 1\n");
    await expect.poll(() => program.child.exitCode, { timeout: 30_000 }).toBe(7);
    expect(await source.read(collected)).toHaveProperty("unavailable");
  });
});

describe("a Node.js program that runs already", () => {
  const plain = { ...process.env, NODE_OPTIONS: "" };

  test("is not sent a signal unless we may", async () => {
    const { pid, child } = await start(node(""), plain);
    expect(await liveMemoryOf({ pid, maySignal: false }, collected)).toEqual({
      unavailable: "it has no open inspector",
    });
    expect(child.signalCode).toBeNull();
  });

  test("opens its inspector, answers, and has it closed again, twice", async () => {
    const program = await start(node("", "--inspect-port=0"), plain); // the usual one may be another's
    expect(listening(program.pid)).toBe(0);
    for (let round = 0; round < 2; round++) {
      const memory = await liveMemoryOf({ pid: program.pid, maySignal: true }, collected);
      expect(known(memory).bytes).toBeGreaterThan(MiB);
      await expect.poll(() => listening(program.pid)).toBe(0);
    }
    await order(program, "garbage", 1); // goes on as before
  });

  test("--disable-sigusr1: nothing is sent", async () => {
    const { pid, child } = await start(node("", "--disable-sigusr1"), plain);
    expect(await liveMemoryOf({ pid, maySignal: true }, collected)).toEqual({
      unavailable: "it does not open an inspector on SIGUSR1",
    });
    await wait(200);
    expect(child.signalCode).toBeNull();
  });

  test("its port is taken: nothing is sent", async () => {
    const server = net.createServer().listen(9229, "127.0.0.1");
    onTestFinished(() => void server.close());
    const { pid } = await start(node(""), plain);
    expect(await liveMemoryOf({ pid, maySignal: true }, collected)).toHaveProperty("unavailable");
  });

  test("an inspector that was open before stays open", async () => {
    const { pid } = await start(node("", "--inspect"), plain);
    expect(listening(pid)).toBe(1);
    known(await liveMemoryOf({ pid, maySignal: true }, collected));
    await wait(300);
    expect(listening(pid)).toBe(1);
  });
});

test("Python, and programs of no runtime, say nothing, and are not harmed", async () => {
  const sleeper = await start(["sh", "-c", "echo ready; exec sleep 60"]);
  await expect
    .poll(() => liveMemoryOf({ pid: sleeper.pid, maySignal: true }, collected))
    .toEqual({ unavailable: "sleep does not say how much of its memory is in use" });
  expect(sleeper.child.signalCode).toBeNull();
  expect(await liveMemoryOf({ pid: 2 ** 22 + 1, maySignal: true }, collected)).toHaveProperty("unavailable");
});

describe("a JVM", () => {
  let folder: string;
  beforeAll(() => {
    ensurePrograms([{ program: "javac", packages: ["openjdk-17-jdk-headless", "default-jdk-headless"] }]);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-java-"));
    fs.writeFileSync(path.join(folder, "Steps.java"), steps);
    execFileSync("javac", ["Steps.java"], { cwd: folder });
    return () => fs.rmSync(folder, { recursive: true });
  });

  const steps = `import java.util.*;
    public class Steps {
      static volatile Object sink;
      public static void main(String[] arguments) {
        List<Object> kept = new ArrayList<>();
        Deque<Object> cache = new ArrayDeque<>();
        Scanner lines = new Scanner(System.in);
        System.out.println("ready");
        while (lines.hasNextLine()) {
          String[] words = lines.nextLine().split(" ");
          for (int i = 0; i < Integer.parseInt(words[1]); i++) {
            byte[] made = new byte[100 * 1024]; // less than half of a region
            switch (words[0]) {
              case "leak" -> kept.add(made);
              case "garbage" -> sink = made;
              case "cache" -> { cache.add(made); if (cache.size() > 50) cache.poll(); }
            }
          }
          System.out.println("did " + words[0]);
        }
      }
    }`;

  const java = (...options: string[]) => ["java", "-Xmx256m", ...options, "-cp", folder, "Steps"];

  test.each(["-XX:+UseG1GC", "-XX:+UseSerialGC", "-XX:+UseParallelGC"])(
    "%s: a leak grows, garbage and a cache do not",
    async (collector) => {
      // by default Serial leaves up to 5 % of the old generation uncollected, three times out of four
      const program = await start(java(collector, "-XX:MarkSweepDeadRatio=0"));
      const source = await sourceOf(program.pid);
      const round = async (step: string) => {
        await order(program, step, 200);
        const memory = known(await source.read(collected));
        expect(memory.isCollected).toBe(true);
        return memory.bytes / MiB;
      };
      for (const step of ["garbage", "cache", "leak"]) {
        await round(step);
        const growth = [await round(step), await round(step), await round(step)];
        const each = ((growth[2] as number) - (growth[0] as number)) / 2;
        expect(each).toBeGreaterThan(step === "leak" ? 19 : -1.5);
        expect(each).toBeLessThan(step === "leak" ? 22 : 1.5);
      }
    },
  );

  test("says what its heap can hold at most, without being asked anything", async () => {
    for (const collector of ["-XX:+UseG1GC", "-XX:+UseSerialGC", "-XX:+UseParallelGC", "-XX:+UseZGC"]) {
      const { pid } = await start(java(collector));
      const memory = known(await liveMemoryOf({ pid, maySignal: false }, { collect: false }));
      expect((memory.maximum ?? 0) / MiB).toBeCloseTo(256, 0);
      expect(memory.isCollected).toBe(false);
      expect(fs.existsSync(`/tmp/.java_pid${pid}`)).toBe(false);
    }
  });

  test("that keeps no counters says so", async () => {
    const { pid } = await start(java("-XX:-UsePerfData"));
    expect(await liveMemoryOf({ pid, maySignal: false }, { collect: false })).toHaveProperty("unavailable");
  });

  test("that leaves signals alone is not sent any, and answers", async () => {
    const program = await start(java("-Xrs"));
    const memory = await liveMemoryOf({ pid: program.pid, maySignal: false }, collected);
    expect(memory).toMatchObject({ isCollected: true });
    await order(program, "garbage", 1);
  });

  test("that takes no commands is not sent any", async () => {
    const program = await start(java("-XX:+DisableAttachMechanism"));
    const memory = await liveMemoryOf({ pid: program.pid, maySignal: false }, collected);
    expect(memory).toMatchObject({ isCollected: false });
    await order(program, "garbage", 1);
    expect(program.output()).not.toContain("thread dump");
  });
});
