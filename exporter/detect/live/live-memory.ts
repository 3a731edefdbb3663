// Memory that is in use, as the runtime of a process says itself: garbage that is not collected yet, and pages that an allocator keeps, are not in
// it. Only a leak and a cache that fills make it grow. Node.js says it through its inspector, a JVM in a file; Python, Go and PHP do not say it.

import path from "node:path";
import { KernelFiles } from "../../kernel/files.ts";
import { JvmMemory } from "./jvm.ts";
import { NodeMemory } from "./node.ts";

export interface LiveMemory {
  readonly runtime: "node" | "jvm";
  /** All that is known to be in use: the heap, and beside it buffers (Node.js) or metaspace (JVM). */
  readonly bytes: number;
  /** Of that the part in the heap. */
  readonly heap: number;
  /** What the runtime holds of the system for all of that, garbage and free room included; not all of it needs to be resident. */
  readonly held: number;
  /** What the heap can hold at most, in bytes; undefined where that is not told. */
  readonly maximum: number | undefined;
  /** Unix time of the collection after which it was so, in seconds. */
  readonly time: number;
  /** Was all garbage collected just before? Else some may still be counted. */
  readonly isCollected: boolean;
}

/** Why there is no such number; for the user. */
export interface NoLiveMemory {
  readonly unavailable: string;
}

export interface LiveOptions {
  /** Collect all garbage first: exact, and it stops the program for about a millisecond for each MiB in use. */
  readonly collect: boolean;
}

/** One process whose live memory is read again and again. */
export interface LiveSource {
  read(options: LiveOptions): Promise<LiveMemory | NoLiveMemory>;
  /** Leaves the process as it was found. */
  close(): Promise<void>;
}

export interface LiveTarget {
  readonly pid: number;
  /**
   * May Node.js be sent SIGUSR1, which opens its inspector? A program that handles this signal itself cannot be told from one that does not, and
   * would do whatever it does then. Not needed for a command that was started with `withInspector`.
   */
  readonly maySignal: boolean;
}

const roots = { procfs: "/proc", cgroupfs: "/sys/fs/cgroup" };

/** Undefined where the process has no runtime that says it, and why. */
export function liveSourceOf(target: LiveTarget, files = new KernelFiles(roots)): LiveSource | NoLiveMemory {
  let program: string;
  try {
    program = path.basename(files.link(files.proc(target.pid, "exe")));
  } catch {
    return { unavailable: "its program cannot be seen: another user's, or it has exited" };
  }
  if (/^(node|nodejs)( \(deleted\))?$/.test(program)) return new NodeMemory(target, files);
  if (/^java( \(deleted\))?$/.test(program)) return new JvmMemory(target.pid, files);
  return { unavailable: `${program} does not say how much of its memory is in use` };
}

/** Once, for who does not want to read it again. */
export async function liveMemoryOf(target: LiveTarget, options: LiveOptions): Promise<LiveMemory | NoLiveMemory> {
  const source = liveSourceOf(target);
  if ("unavailable" in source) return source;
  try {
    return await source.read(options);
  } finally {
    await source.close();
  }
}
