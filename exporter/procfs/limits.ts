// /proc/<pid>/limits: a table with one resource a line.
//   Limit                     Soft Limit           Hard Limit           Units
//   Max processes             96365                96365                processes
//   Max open files            1024                 1048576              files
// https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html

import { FormatError } from "../kernel/files.ts";

export interface ResourceLimit {
  /** What the process may have now; undefined when unlimited. */
  soft: number | undefined;
  /** Up to where it may raise that itself; undefined when unlimited. */
  hard: number | undefined;
}

/** The limit of open files. Throws FormatError when the line is missing. */
export function parseOpenFilesLimit(text: string): ResourceLimit {
  return parseResourceLimit(text, "Max open files");
}

/** The limit of processes, of which every thread counts as one, over all that the user runs. */
export function parseProcessesLimit(text: string): ResourceLimit {
  return parseResourceLimit(text, "Max processes");
}

function parseResourceLimit(text: string, resource: string): ResourceLimit {
  const match = new RegExp(`^${resource} +(\\d+|unlimited) +(\\d+|unlimited) `, "m").exec(text);
  if (!match) throw new FormatError(`limits: no line ${resource}`);
  const [soft, hard] = match.slice(1).map((value) => (value === "unlimited" ? undefined : Number(value)));
  return { soft, hard };
}
