// /proc/meminfo:
//   MemTotal:       24653672 kB
// https://man7.org/linux/man-pages/man5/proc_meminfo.5.html

import { parseKibFields, required } from "./lines.ts";

/** Memory of the machine in bytes. Throws FormatError when the field is missing. */
export function parseMemTotal(text: string): number {
  return required(parseKibFields(text), "MemTotal");
}
