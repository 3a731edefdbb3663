// /proc/meminfo:
//   MemTotal:       24653672 kB
//   MemAvailable:   24227788 kB
// https://man7.org/linux/man-pages/man5/proc_meminfo.5.html

import { parseKibFields, required } from "./lines.ts";

export interface MachineMemory {
  /** Bytes. */
  total: number;
  /** Bytes that programs could still get without swapping; undefined before Linux 3.14. */
  available: number | undefined;
  /** Bytes of all swap. */
  swap: number | undefined;
}

/** Throws FormatError when the total is missing. */
export function parseMeminfo(text: string): MachineMemory {
  const fields = parseKibFields(text);
  return { total: required(fields, "MemTotal"), available: fields.get("MemAvailable"), swap: fields.get("SwapTotal") };
}
