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
  /** Number of its controlling terminal; 0 for none. */
  terminal: number;
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
  const number = (index: number) => Number(fields[index]);
  const [state, ppid, terminal, flags] = [fields[0], number(1), number(4), number(6)];
  const [threads, startTicks] = [number(17), number(19)];
  if (!state || [pid, ppid, terminal, flags, threads, startTicks].some(Number.isNaN)) {
    throw new FormatError("stat: cut short");
  }
  return { pid, comm: text.slice(open + 1, close), state, ppid, terminal, flags, threads, startTicks };
}

/** How a process ended, as its parent would be told (wait(2)). */
export interface ExitStatus {
  /** Undefined where a signal ended it. */
  code: number | undefined;
  /** The signal that ended it; undefined where it exited by itself. */
  signal: number | undefined;
}

/**
 * The last field of the stat file of a zombie: how it ended, until its parent has asked. Undefined where it is not shown: the kernel says
 * 0 to those who may not trace the process, so a 0 says nothing.
 */
export function parseExitStatus(text: string): ExitStatus | undefined {
  const status = Number(text.slice(text.lastIndexOf(" ") + 1));
  if (!Number.isInteger(status) || status === 0) return undefined;
  const signal = status & 0x7f;
  return signal === 0 ? { code: status >> 8, signal: undefined } : { code: undefined, signal };
}
