// One process from its start to its end. The pid alone does not name it: the kernel gives pids out again.

import type { RuntimeFacts } from "../discovery/heap-setting.ts";
import type { Identity } from "../discovery/identity.ts";
import type { Origin } from "../discovery/origin.ts";
import type { HeapLimit } from "../discovery/runtimes/heap-limit.ts";
import type { FailureReason } from "../kernel/files.ts";
import type { LifeHistory } from "../memory/life-history.ts";
import type { RecentHigh } from "../memory/recent-high.ts";
import type { WatchedCgroup } from "../samplers/cgroups.ts";
import type { ProcessHandle } from "../samplers/process-reader.ts";
import type { Group } from "./group.ts";

export interface Life {
  readonly pid: number;
  readonly handle: ProcessHandle;
  /** Row of its numbers in the process table. */
  readonly row: number;
  /** When it started, in seconds since boot: all ages are counted from here. */
  readonly bornAt: number;
  /** Unix time of its start, in seconds; NaN while the machine does not say when it was booted. */
  startTime: number;
  /** When it was first seen, by this exporter or by the one before it, in seconds since boot. */
  firstSeen: number;
  /** Undefined while it runs. In seconds since boot. */
  endedAt: number | undefined;
  readonly history: LifeHistory;
  /** Of its resident memory. */
  readonly recentHigh: RecentHigh;
  /** Whose share of all places it takes. */
  readonly owner: string;
  origin: Origin;
  parentPid: number;
  /** The process of the same group that started it, which makes it a worker; undefined for a root. */
  parent: Life | undefined;
  /** Has it started processes of the same group? */
  hasWorkers: boolean;
  /** Some of the sockets of a process that has workers, by descriptor, as far as we may see them. */
  sockets: ReadonlyMap<number, string>;
  /** Of all its arguments; tells the same command from another. */
  commandHash: string;
  identity: Identity;
  /** An ended process has none, and may still be listed. */
  hadArguments: boolean;
  /** It may start threads beyond its user's limit. */
  ignoresProcessesLimit: boolean;
  group: Group;
  slot: number;
  cgroup: WatchedCgroup | undefined;
  /** Limit from the configuration, in bytes. */
  configuredLimit: number | undefined;
  limitSource: LimitSource;
  /** What its environment, its program and its threads show of its runtime; nothing until they were read. */
  runtime: Omit<RuntimeFacts, "exe">;
  /** Of which command that was read; undefined while it was not, or may not be. */
  runtimeReadOf: string | undefined;
  /** Until when its environment is not asked for, since it holds up its reading. In seconds since boot. */
  environmentAsideUntil: number;
  /** Its runtime's own limit, as the memory that it sees makes it; undefined where none is known. */
  heapLimit: HeapLimit | undefined;
  /** When its identity is read again, in seconds since boot. */
  refreshAt: number;
  /** Until when its arguments are not asked for, since it holds up their reading. In seconds since boot. */
  argumentsAsideUntil: number;
  /** Has it held up their reading before? */
  heldUp: boolean;
  /** The pass in which it was last listed. */
  seenInPass: number;
  /** Files that cannot be read now, and why. */
  readonly unreadable: Map<string, FailureReason>;
  /** Changes with everything that its labels show, so that texts made from them can be kept. */
  labelVersion: number;
}

/** `node`: there is no limit but the machine's memory. `unknown`: there may be one that cannot be seen from here. */
export type LimitSource = "cgroup" | "ancestor" | "config" | "node" | "unknown";

/** The process that the service stands and falls with: the first of its ancestors in the group. It may have ended before its workers. */
export function rootOf(life: Life): Life {
  let root = life;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

/** Does its end matter to anybody, or is it a command that has done its work? Seconds. */
export function isService({ origin, hasWorkers }: Life, lifetime: number, helperLives: number): boolean {
  return hasWorkers || (origin === "helper" ? lifetime >= helperLives : origin !== "job");
}
