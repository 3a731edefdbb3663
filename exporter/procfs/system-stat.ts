// /proc/stat:
//   btime 1763670000
// https://man7.org/linux/man-pages/man5/proc_stat.5.html

import { FormatError } from "../kernel/files.ts";

/** Unix time of the boot, in seconds. Throws FormatError when the line is missing. */
export function parseBootTime(text: string): number {
  const seconds = /^btime (\d+)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new FormatError("stat: no line btime");
  return Number(seconds);
}
