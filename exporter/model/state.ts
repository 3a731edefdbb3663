// What is known of everything that is watched, as exposition, page and verdicts read it. Written by the watch alone.

import type { BoundName } from "../discovery/bounds.ts";
import type { Finding } from "../judge/finding.ts";
import type { FailureReason } from "../kernel/files.ts";
import type { ProcessTable } from "../memory/process-table.ts";
import type { Cgroups, WatchedCgroup } from "../samplers/cgroups.ts";
import type { Group } from "./group.ts";
import type { Life } from "./life.ts";

/** A file that cannot be read of processes which for that reason are not watched. */
export interface Closed {
  readonly file: string;
  readonly reason: FailureReason;
}

export interface State<Account> {
  readonly table: ProcessTable;
  readonly groups: ReadonlyMap<string, Group>;
  readonly cgroups: Cgroups;
  readonly ledger: Iterable<[string, Account]>;
  /** By pid. */
  readonly watched: ReadonlyMap<number, Life>;
  /** Memory of the machine in bytes, and its OOM kills since boot; undefined where the kernel does not say. */
  readonly nodeMemory: number | undefined;
  readonly nodeOomKills: number | undefined;
  /** What holds of memory outside the processes of a cgroup; undefined where that cannot be told. */
  outsideFinding(cgroup: WatchedCgroup): Finding | undefined;
  /** What is watched at most, and the processes that each of these bounds leaves out now. */
  leftOut(): Iterable<{ bound: BoundName; limit: number; processes: number }>;
}
