// The live memory of a JVM by the counters that it keeps in a file. What survived the last collection is in the old generation and the survivor
// spaces; eden is what was allocated since. Old also holds garbage that was promoted, until it is collected as a whole.

import fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { KernelFiles } from "../../kernel/files.ts";
import { parseHsperfdata } from "./hsperfdata.ts";
import { runJcmd } from "./jvm-attach.ts";
import type { LiveMemory, LiveOptions, LiveSource, NoLiveMemory } from "./live-memory.ts";

type Counters = ReadonlyMap<string, number | string>;

/** The file has 32 KiB, and more where a JVM is told so. */
const mostBytes = 1024 * 1024;
/** Some counters are written only so often (PerfDataSamplingInterval), in milliseconds. */
const samplingInterval = 50;
/** Folders of other users in /tmp that are looked at. */
const mostNames = 4096;

export class JvmMemory implements LiveSource {
  private readonly pid: number;
  private readonly files: KernelFiles;

  constructor(pid: number, files: KernelFiles) {
    this.pid = pid;
    this.files = files;
  }

  async read({ collect }: LiveOptions): Promise<LiveMemory | NoLiveMemory> {
    try {
      const before = this.counters();
      if (before === undefined)
        return { unavailable: "its JVM keeps no counters: -XX:-UsePerfData, or /tmp is not its own" };
      if (!collect) return memoryOf(before, false);
      // asked all the same, it would print its threads where the program prints
      if (!takesCommands(before)) return memoryOf(before, false);
      await runJcmd(this.files, this.pid, "GC.run");
      await wait(2 * samplingInterval);
      const after = this.counters() ?? before;
      return memoryOf(after, collections(after) > collections(before)); // it may have been told to ignore such wishes
    } catch (error) {
      return { unavailable: (error as Error).message };
    }
  }

  /** Nothing was opened. */
  async close(): Promise<void> {}

  private counters(): Counters | undefined {
    const tmp = this.files.proc(this.pid, "root/tmp");
    const status = this.files.text(this.files.proc(this.pid, "status"));
    const pid = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? String(this.pid);
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
    for (const name of this.files.listUpTo(tmp, mostNames)) {
      if (!name.startsWith("hsperfdata_")) continue;
      const file = this.readOwn(`${tmp}/${name}/${pid}`, uid);
      if (file !== undefined) return parseHsperfdata(file);
    }
    return undefined;
  }

  /** A regular file of the JVM's own user; anybody can write into /tmp. */
  private readOwn(file: string, uid: number): Buffer | undefined {
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
    let fd: number;
    try {
      fd = this.files.open(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    } catch {
      return undefined;
    }
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile() || stat.uid !== uid || stat.size > mostBytes) return undefined;
      const buffer = Buffer.alloc(stat.size);
      return buffer.subarray(0, fs.readSync(fd, buffer, 0, stat.size, 0));
    } finally {
      fs.closeSync(fd);
    }
  }
}

const number = (counters: Counters, name: string): number => {
  const value = counters.get(name);
  return typeof value === "number" ? value : 0;
};

function memoryOf(counters: Counters, isCollected: boolean): LiveMemory | NoLiveMemory {
  const spaces = [...counters].flatMap(([name, value]) => {
    const [, prefix] = /^(sun\.gc\.generation\.\d\.space\.\d)\.name$/.exec(name) ?? [];
    return prefix === undefined || value === "eden" ? [] : [number(counters, `${prefix}.used`)];
  });
  if (spaces.length === 0) return { unavailable: "its JVM does not say what its collector leaves" };
  const capacity = [0, 1].reduce((sum, i) => sum + number(counters, `sun.gc.generation.${i}.capacity`), 0);
  const heap = spaces.reduce((sum, used) => sum + used, 0);
  return {
    runtime: "jvm",
    bytes: heap + number(counters, "sun.gc.metaspace.used"),
    heap,
    held: capacity + number(counters, "sun.gc.metaspace.capacity"),
    maximum: maximumOf(counters),
    time: lastCollection(counters),
    isCollected,
  };
}

/** Two generations share the heap, or each may take all of it (G1, with some bytes of its own). */
function maximumOf(counters: Counters): number | undefined {
  const young = number(counters, "sun.gc.generation.0.maxCapacity");
  const old = number(counters, "sun.gc.generation.1.maxCapacity");
  const isShared = counters.get("sun.gc.policy.name") === "GarbageFirst";
  const bytes = isShared ? old : young + old;
  return bytes > 0 ? bytes : undefined;
}

const ofCollectors = (counters: Counters, name: string): number[] =>
  [0, 1, 2].map((collector) => number(counters, `sun.gc.collector.${collector}.${name}`));

/** Of the whole heap: the first collector is that of young generations. */
const collections = (counters: Counters): number => {
  const [, full = 0, concurrent = 0] = ofCollectors(counters, "invocations");
  return full + concurrent;
};

/** The first of its capabilities is that others may attach to it (-XX:+DisableAttachMechanism). */
const takesCommands = (counters: Counters): boolean => String(counters.get("sun.rt.jvmCapabilities")).startsWith("1");

/** Ticks since the JVM started, whose Unix time it tells in milliseconds. Before the first it is that start. */
function lastCollection(counters: Counters): number {
  const ticks = Math.max(...ofCollectors(counters, "lastExitTime"));
  const frequency = number(counters, "sun.os.hrt.frequency") || 1e9;
  return number(counters, "sun.rt.createVmBeginTime") / 1000 + ticks / frequency;
}
