// The kernel's files, showing only one process and what descends from it.

import { KernelFiles, type KernelRoots } from "../kernel/files.ts";
import { parseStat } from "../procfs/stat.ts";

export class ProcessTree extends KernelFiles {
  /** Pids of the tree, and all others of the last listing. One that lost its parent stays where it was. */
  private members: ReadonlySet<number>;
  private others: ReadonlySet<number> = new Set();

  constructor(roots: KernelRoots, root: number) {
    super(roots);
    this.members = new Set([root]);
  }

  override async pids(): Promise<number[]> {
    const listed = await super.pids();
    const members = new Set(this.members);
    const others = new Set<number>();
    const parents = new Map<number, number | undefined>();
    for (const pid of listed) {
      if (this.others.has(pid)) others.add(pid);
      else if (!members.has(pid)) parents.set(pid, this.parentOf(pid));
    }
    // pids do not tell who came first: they begin anew
    for (let found = true; found; ) {
      found = false;
      for (const [pid, parent] of parents) {
        if (parent === undefined || !members.has(parent)) continue;
        members.add(pid);
        parents.delete(pid);
        found = true;
      }
    }
    for (const pid of parents.keys()) others.add(pid);
    this.others = others;
    const alive = listed.filter((pid) => members.has(pid));
    this.members = new Set(alive);
    return alive;
  }

  /** Pids of the tree at the last listing. */
  get pidsSeen(): readonly number[] {
    return [...this.members];
  }

  private parentOf(pid: number): number | undefined {
    try {
      return parseStat(this.text(this.proc(pid, "stat"))).ppid;
    } catch {
      return undefined; // ended since
    }
  }
}
