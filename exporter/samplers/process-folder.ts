// Where a process shows what it has. A main thread can end (pthread_exit) while the others go on: the process then looks like a zombie,
// with state Z and no arguments, and is none.

import type { KernelFiles, ProcFolder } from "../kernel/files.ts";
import { type ProcessStat, parseStat, threadHasEnded } from "../procfs/stat.ts";

/** Threads that are looked at for one that goes on. Those of a traced process may all have ended. */
export const mostThreads = 64;

/**
 * The folder of its main thread, or where that has ended of another; undefined where the whole process has. `stat` is what its stat
 * file says now. Throws the file system's error when the process is gone.
 */
export function processFolder(
  files: KernelFiles,
  pid: number,
  stat: ProcessStat = parseStat(files.text(files.proc(pid, "stat"))),
): ProcFolder | undefined {
  if (!threadHasEnded(stat)) return pid;
  if (stat.threads <= 1) return undefined; // it counts itself as long as others go on
  for (const thread of otherThreads(files, pid)) {
    const folder = `${pid}/task/${thread}` as const;
    try {
      if (!threadHasEnded(parseStat(files.text(files.proc(folder, "stat"))))) return folder;
    } catch {
      // ended meanwhile
    }
  }
  return undefined;
}

/** Ids of the threads beside the main one, as far as they are looked at. Throws when the process is gone. */
export function otherThreads(files: KernelFiles, pid: number): number[] {
  return files
    .listUpTo(files.proc(pid, "task"), mostThreads)
    .map(Number)
    .filter((thread) => thread !== pid);
}
