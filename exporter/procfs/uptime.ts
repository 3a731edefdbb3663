// /proc/uptime: seconds since boot, and idle seconds of all CPUs:
//   350735.47 234388.90
// https://man7.org/linux/man-pages/man5/proc_uptime.5.html

import { FormatError } from "../kernel/files.ts";

/** Seconds since boot, those included in which the machine slept. */
export function parseUptime(text: string): number {
  const seconds = /^(\d+\.\d+) /.exec(text)?.[1];
  if (seconds === undefined) throw new FormatError("uptime: no seconds since boot");
  return Number(seconds);
}
