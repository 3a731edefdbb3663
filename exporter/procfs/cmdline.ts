// /proc/<pid>/cmdline: the arguments, each ended by a NUL byte. A process may overwrite them with a title
// (`gunicorn: master [app]`), often without a NUL. Kernel threads and zombies have an empty one.
// https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html

/** The arguments, or the title as the only one. */
export function parseCmdline(text: string): string[] {
  const trimmed = text.replace(/\0+$/, "");
  return trimmed === "" ? [] : trimmed.split("\0");
}
