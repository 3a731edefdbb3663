// One cgroup's memory controller as values: the same for both versions of the interface.

import type { TextFiles } from "../kernel/kept-files.ts";
import type { CgroupFolder } from "./layout.ts";
import {
  type MemoryPressure,
  type MemoryStat,
  parseBytes,
  parseEvents,
  parseHierarchicalLimit,
  parseLimit,
  parseMemoryStatV1,
  parseMemoryStatV2,
  parsePressure,
  sum,
} from "./memory-files.ts";

/** The files that are read of a cgroup, beside the limits of those above it. */
export const memoryFiles: Readonly<Record<1 | 2, readonly string[]>> = {
  1: [
    "memory.stat",
    "memory.usage_in_bytes",
    "memory.kmem.usage_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.limit_in_bytes",
    "memory.failcnt",
    "memory.oom_control",
  ],
  2: [
    "memory.stat",
    "memory.current",
    "memory.swap.current",
    "memory.peak",
    "memory.max",
    "memory.high",
    "memory.pressure",
    "memory.events",
  ],
};

/** The file with a cgroup's own limit. */
export const limitFile: Readonly<Record<1 | 2, string>> = { 1: "memory.limit_in_bytes", 2: "memory.max" };

/** Bytes, each undefined where the kernel does not say. */
export interface CgroupMemory {
  usage: number | undefined;
  workingSet: number | undefined;
  anonymous: number | undefined;
  file: number | undefined;
  kernel: number | undefined;
  swap: number | undefined;
  shared: number | undefined;
  kernelUnreclaimable: number | undefined;
  /** What cannot be given back: anonymous and shared memory, swap, and the kernel's share where that is told. */
  unreclaimable: number | undefined;
  /** The part of it that belongs to none of the watched processes; set by whoever knows these. */
  outside: number | undefined;
  peak: number | undefined;
  limit: number | undefined;
  /** The least limit of the cgroup and of all above it, where one file tells it (version 1). */
  leastLimit: number | undefined;
  high: number | undefined;
  pressure: MemoryPressure | undefined;
  /** Counters since the cgroup was made, by event. */
  events: Map<string, number>;
}

/** Reads everything. Throws when the folder is gone or may not be read. */
export function readCgroupMemory(files: TextFiles, version: 1 | 2, folder: string): CgroupMemory {
  return version === 2 ? readV2(files, folder) : readV1(files, folder);
}

function readV2(files: TextFiles, folder: string): CgroupMemory {
  // The root cgroup has memory.stat, and none of the others.
  const number = (name: string) => optional(files, `${folder}/${name}`, parseBytes);
  const stat = parseMemoryStatV2(files.text(`${folder}/memory.stat`));
  const usage = number("memory.current");
  const swap = number("memory.swap.current");
  return {
    ...stat,
    usage,
    workingSet: workingSet(usage, stat.inactiveFile),
    swap,
    unreclaimable: unreclaimable({ ...stat, swap }),
    outside: undefined,
    peak: readPeak(files, 2, folder),
    limit: optional(files, `${folder}/memory.max`, parseLimit),
    leastLimit: undefined,
    high: optional(files, `${folder}/memory.high`, parseLimit),
    pressure: optional(files, `${folder}/memory.pressure`, parsePressure),
    events: readEvents(files, 2, folder),
  };
}

function readV1(files: TextFiles, folder: string): CgroupMemory {
  const number = (name: string) => optional(files, `${folder}/${name}`, parseBytes);
  const text = files.text(`${folder}/memory.stat`);
  const stat = parseMemoryStatV1(text);
  const usage = number("memory.usage_in_bytes");
  return {
    ...stat,
    usage,
    workingSet: workingSet(usage, stat.inactiveFile),
    kernel: number("memory.kmem.usage_in_bytes"),
    unreclaimable: unreclaimable(stat),
    outside: undefined,
    peak: readPeak(files, 1, folder),
    limit: optional(files, `${folder}/memory.limit_in_bytes`, parseLimit),
    leastLimit: parseHierarchicalLimit(text),
    high: undefined, // version 1's soft limit is another thing: it matters only when the whole machine is short
    pressure: undefined,
    events: readEvents(files, 1, folder),
  };
}

/** Of the parts that the kernel tells: at least so much. Undefined where it tells no anonymous memory. */
function unreclaimable({ anonymous, shared, swap, kernelUnreclaimable }: MemoryStat): number | undefined {
  return anonymous === undefined ? undefined : sum([anonymous, shared, swap, kernelUnreclaimable]);
}

/** The kubelet's and cAdvisor's definition; usage is read a moment later than the stat, so it can come out below 0. */
function workingSet(usage: number | undefined, inactiveFile: number | undefined): number | undefined {
  return usage === undefined || inactiveFile === undefined ? undefined : Math.max(0, usage - inactiveFile);
}

/** The file with a cgroup's highest usage since it was made. */
const peakFile: Readonly<Record<1 | 2, string>> = { 1: "memory.max_usage_in_bytes", 2: "memory.peak" };

/** Highest usage since the cgroup was made, in bytes; undefined where the folder is gone or the kernel does not say (before 5.19). */
function readPeak(files: TextFiles, version: 1 | 2, folder: string): number | undefined {
  return optional(files, `${folder}/${peakFile[version]}`, parseBytes);
}

/** Event counters only: cheap enough for every pass. Empty where the folder is gone. */
export function readEvents(files: TextFiles, version: 1 | 2, folder: string): Map<string, number> {
  if (version === 2) return optional(files, `${folder}/memory.events`, parseEvents) ?? new Map();
  const events = new Map<string, number>();
  const oomKill = optional(files, `${folder}/memory.oom_control`, parseEvents)?.get("oom_kill");
  const limitHit = optional(files, `${folder}/memory.failcnt`, parseBytes);
  if (limitHit !== undefined) events.set("max", limitHit); // version 2's name for the same: usage met the limit
  if (oomKill !== undefined) events.set("oom_kill", oomKill);
  return events;
}

/**
 * What a machine with so much memory, swap and so many OOM kills can have. A target's view of its cgroup may be another
 * than the kernel's; what is beyond that is not a value.
 */
export function withinMachine(
  memory: CgroupMemory,
  machine: { bytes: number | undefined; swap: number | undefined; oomKills: number | undefined },
): CgroupMemory {
  const { bytes = 0, swap: swapBytes = 0, oomKills = 0 } = machine;
  const within = (value: number | undefined, most = bytes) =>
    value !== undefined && value <= most ? value : undefined;
  const { usage, workingSet, anonymous, file, kernel, swap, peak, unreclaimable, shared } = memory;
  const kills = memory.events.get("oom_kill") ?? 0;
  return {
    ...memory,
    usage: within(usage),
    workingSet: within(workingSet),
    anonymous: within(anonymous),
    file: within(file),
    kernel: within(kernel),
    swap: within(swap, swapBytes),
    shared: within(shared),
    unreclaimable: within(unreclaimable, bytes + swapBytes),
    peak: within(peak),
    events: kills <= oomKills ? memory.events : new Map(),
  };
}

/** Where a memory limit stands. */
export interface EffectiveLimit {
  bytes: number;
  source: "cgroup" | "ancestor";
}

/** What need not be read again for an effective limit. */
export interface KnownLimits {
  /** Own limits by folder; those that are read are added. */
  own: Map<string, number | undefined>;
  /** What was read of the cgroup itself a moment ago. */
  memory?: CgroupMemory;
}

/** The least limit of the cgroup and all above it that we can see; undefined when none of them has one. */
export function readEffectiveLimit(
  files: TextFiles,
  version: 1 | 2,
  at: CgroupFolder,
  { own, memory }: KnownLimits = { own: new Map() },
): EffectiveLimit | undefined {
  const name = limitFile[version];
  let least: EffectiveLimit | undefined;
  for (let folder = at.folder; ; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    if (!own.has(folder)) own.set(folder, optional(files, `${folder}/${name}`, parseLimit));
    const bytes = own.get(folder);
    if (bytes !== undefined && (least === undefined || bytes < least.bytes)) {
      least = { bytes, source: folder === at.folder ? "cgroup" : "ancestor" };
    }
    if (folder.length <= at.top.length) break;
  }
  const above = version === 1 ? (memory ?? readLeastLimit(files, at.folder)).leastLimit : undefined;
  return above !== undefined && (least === undefined || above < least.bytes)
    ? { bytes: above, source: "ancestor" }
    : least;
}

/** Version 1 tells the least limit of the cgroup and all ancestors, also of those that our mount does not show. */
function readLeastLimit(files: TextFiles, folder: string): { leastLimit: number | undefined } {
  return { leastLimit: optional(files, `${folder}/memory.stat`, parseHierarchicalLimit) };
}

function optional<T>(files: TextFiles, file: string, parse: (text: string) => T): T | undefined {
  const text = files.textIfPresent(file);
  return text === undefined ? undefined : parse(text);
}
