// /proc/<pid>/cmdline: the arguments, each ended by a NUL byte. A process may overwrite them with a title
// (`gunicorn: master [app]`), often without a NUL, and may have as many as it likes, empty ones included. Kernel threads and zombies
// have none.
// https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html

import { sizes } from "../../catalog/defaults.ts";

/** The first arguments, or the title as the only one. */
export function parseCmdline(text: string): string[] {
  let end = text.length; // no pattern such as /\0+$/, which takes half a minute for 128 KiB of empty arguments
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return end === 0 ? [] : text.slice(0, end).split("\0", sizes.argumentCount);
}
