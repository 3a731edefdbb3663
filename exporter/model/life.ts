// One process from its start to its end. The pid alone does not name it: the kernel gives pids out again.

import type { Identity } from "../discovery/identity.ts";
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
  /** Unix time of its start, in seconds. */
  readonly startTime: number;
  /** When we first saw it, on the monotonic clock. */
  readonly firstSeen: number;
  readonly history: LifeHistory;
  /** Of its resident memory. */
  readonly recentHigh: RecentHigh;
  /** Whose share of all places it takes. */
  readonly owner: string;
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
  /** When its identity is read again, on the monotonic clock. */
  refreshAt: number;
  /** Until when its arguments are not asked for, since it holds up their reading. On the monotonic clock. */
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
