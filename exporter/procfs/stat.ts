// /proc/<pid>/stat: one line of fields, the second of which is the name in parentheses and can hold anything:
//   4242 (node) S 1 4242 4242 0 -1 4194560 2543 0 0 0 11 3 0 0 20 0 11 0 8812345 1034567680 9876 18446744073709551615 …
// Read once per process: its start time tells one life from the next that has the same pid. The memory fields of
// this file are approximations and are not used.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

import { FormatError } from "../kernel/files.ts";

export interface ProcessStat {
  pid: number;
  /** The name as the kernel keeps it, at most 15 bytes; not to be trusted alone (Node.js says MainThread). */
  comm: string;
  /** One letter: R running, S sleeping, Z zombie, … */
  state: string;
  ppid: number;
  /** Task flags; see `isKernelThread`. */
  flags: number;
  /** A main thread that has ended counts as long as the process is listed. */
  threads: number;
  /** Start time in clock ticks after boot. */
  startTicks: number;
}

/** PF_KTHREAD of the kernel's sched.h. */
const kernelThreadFlag = 0x0020_0000;

/** Clock ticks per second that the kernel shows to programs (USER_HZ): 100 on every architecture that Node.js has. */
export const ticksPerSecond = 100;

export function isKernelThread(stat: ProcessStat): boolean {
  return (stat.flags & kernelThreadFlag) !== 0;
}

/** Has the thread that the file is about ended, also where nobody has asked how (Z)? Of a process this is its main thread. */
export const threadHasEnded = ({ state }: ProcessStat): boolean => state === "Z" || state === "X";

/** Throws FormatError when the line is cut short or has no name. */
export function parseStat(text: string): ProcessStat {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")"); // the name itself may contain parentheses
  if (open < 0 || close < open) throw new FormatError("stat: no name in parentheses");
  const fields = text.slice(close + 2).split(" ");
  const pid = Number.parseInt(text, 10);
  const state = fields[0];
  const [ppid, flags, threads, startTicks] = [1, 6, 17, 19].map((i) => Number(fields[i])) as [
    number,
    number,
    number,
    number,
  ];
  if (!state || [pid, ppid, flags, threads, startTicks].some(Number.isNaN)) throw new FormatError("stat: cut short");
  return { pid, comm: text.slice(open + 1, close), state, ppid, flags, threads, startTicks };
}
