// How many threads a cgroup may hold, by its pids controller: `pids.max`, the same in both versions of the interface.
//   pids.max  4915 | max
// Every thread in the cgroup and below it counts, of all processes. Only what we can see limits: no file, no limit.
// https://docs.kernel.org/admin-guide/cgroup-v2.html (PID)

import type { TextFiles } from "../kernel/kept-files.ts";
import type { CgroupFolder } from "./layout.ts";
import { parseLimit } from "./memory-files.ts";

/** The file with a cgroup's own limit. */
export const threadsLimitFile = "pids.max";

/** The least pids.max of the cgroup and all above it that we can see; undefined when none of them has one. */
export function readThreadsLimit(files: TextFiles, at: CgroupFolder): number | undefined {
  let least: number | undefined;
  for (let folder = at.folder; ; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    const text = files.textIfPresent(`${folder}/${threadsLimitFile}`);
    const limit = text === undefined ? undefined : parseLimit(text);
    if (limit !== undefined && (least === undefined || limit < least)) least = limit;
    if (folder.length <= at.top.length) return least;
  }
}
