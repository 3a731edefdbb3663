// What cgroups counted of OOM kills since the last look. A counter is told from that of another cgroup under the same path by
// the folder's inode: a container that is started again gets a new folder, whose counters begin at 0.

import type { KernelFiles } from "../kernel/files.ts";
import { readEvents } from "./cgroup-memory.ts";

/** What a cgroup counted since the last look, those below it included (version 2). */
export interface OomRise {
  /** Processes that were killed. Undefined where that is not known: the folder is gone, was made anew, or has no such counter. */
  readonly kills: number | undefined;
  /** Kills that took all processes of a cgroup at once (memory.oom.group; version 2, Linux 5.17 and later). */
  readonly groupKills: number | undefined;
  /** As `kills`, but those in a folder that was made anew count, and what is not known is 0. */
  readonly newKills: number;
}

/** Nothing is known. */
export const unknownRise: OomRise = { kills: undefined, groupKills: undefined, newKills: 0 };

type Events = ReadonlyMap<string, number>;

interface Counted {
  readonly inode: number;
  readonly events: Events;
}

/** Folders whose counts are kept although no process in them is watched: a container comes back under the same path. */
const mostKept = 4096;

export class OomCounters {
  private readonly files: KernelFiles;
  private readonly counted = new Map<string, Counted>();

  constructor(files: KernelFiles) {
    this.files = files;
  }

  /** From here on a folder's kills are news. All of them where it was made anew since it was counted: then it began at 0. */
  begin(version: 1 | 2, folder: string): void {
    if (!this.beginAnew(folder)) this.rise(version, folder);
  }

  /** As `begin`, but only for a folder that was made anew. Was it? */
  beginAnew(folder: string): boolean {
    const before = this.counted.get(folder);
    try {
      if (before === undefined || this.files.inode(folder) === before.inode) return false;
      this.counted.set(folder, { inode: this.files.inode(folder), events: atFirst });
      return true;
    } catch {
      return false; // the folder is gone
    }
  }

  /** Looks at the counters of a folder. */
  rise(version: 1 | 2, folder: string): OomRise {
    const before = this.counted.get(folder);
    try {
      const inode = this.files.inode(folder);
      const events = readEvents(this.files, version, folder);
      this.counted.set(folder, { inode, events });
      if (before === undefined) return unknownRise;
      return before.inode === inode ? riseOf(before.events, events) : { ...unknownRise, newKills: killsIn(events) };
    } catch {
      return unknownRise; // the folder is gone; its last count stays known until it is made anew
    }
  }

  /** Forgets folders that are not in use, as far as too many are known. */
  forget(inUse: ReadonlySet<string>): void {
    for (const folder of this.counted.keys()) {
      if (this.counted.size <= mostKept) return;
      if (!inUse.has(folder)) this.counted.delete(folder);
    }
  }
}

/** What was counted between two readings of the same cgroup's events. */
export function riseOf(before: Events, now: Events): OomRise {
  const kills = difference(before, now, "oom_kill");
  return {
    kills,
    groupKills: difference(before, now, "oom_group_kill"),
    newKills: kills ?? (killsIn(now) < killsIn(before) ? killsIn(now) : 0),
  };
}

const atFirst: Events = new Map([
  ["oom_kill", 0],
  ["oom_group_kill", 0],
]);

const killsIn = (events: Events) => events.get("oom_kill") ?? 0;

/** Undefined where a reading does not have the counter, or the later one is lower: it is another counter then. */
function difference(before: Events, now: Events, name: string): number | undefined {
  const [first, last] = [before.get(name), now.get(name)];
  return first === undefined || last === undefined || last < first ? undefined : last - first;
}
