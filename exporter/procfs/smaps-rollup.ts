// /proc/<pid>/smaps_rollup: one header line, then one field per line, in kB.
//   Rss:               40404 kB
//   Pss:               12636 kB
//   Private_Clean:       872 kB
//   Private_Dirty:      6328 kB
// https://docs.kernel.org/filesystems/proc.html

import { parseKibFields, required } from "./lines.ts";

/** Memory of one process, summed over its mappings, in bytes. */
export interface SmapsRollup {
  /** Resident memory, shared pages counted in full. */
  rss: number;
  /** Resident memory, shared pages divided among their users. */
  pss: number;
  /** Unshared memory: what the machine would gain if the process ended. */
  uss: number;
}

/** Throws FormatError when a field is missing. */
export function parseSmapsRollup(text: string): SmapsRollup {
  const fields = parseKibFields(text);
  return {
    rss: required(fields, "Rss"),
    pss: required(fields, "Pss"),
    uss: required(fields, "Private_Clean") + required(fields, "Private_Dirty") + (fields.get("Private_Hugetlb") ?? 0),
  };
}
