// /proc/<pid>/mountinfo: one mount a line; a variable number of optional fields ends with a lone dash.
//   36 25 0:31 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
//   42 36 0:38 /docker/1c0f… /sys/fs/cgroup/memory ro,nosuid master:17 - cgroup cgroup rw,memory
// The fourth field is the folder of the file system that the mount shows, relative to the reader's cgroup namespace.
// https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html

import type { Controller } from "./cgroup.ts";

/** One mount of a cgroup hierarchy that has, or may have, the controller. */
export interface CgroupMount {
  version: 1 | 2;
  /** The cgroup that the mount shows as its top, as the reader's namespace sees it. */
  root: string;
  /** Where it is mounted. */
  mountPoint: string;
}

/** Mounts of cgroup version 2, and of the controller's version 1 hierarchy. */
export function parseCgroupMounts(text: string, controller: Controller = "memory"): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ");
    if (left === undefined || right === undefined) continue;
    const [, , , root, mountPoint] = left.split(" ").map(unescapeOctal);
    const [type, , superOptions] = right.split(" ");
    if (root === undefined || mountPoint === undefined) continue;
    if (type === "cgroup2") mounts.push({ version: 2, root, mountPoint });
    if (type === "cgroup" && superOptions?.split(",").includes(controller)) {
      mounts.push({ version: 1, root, mountPoint });
    }
  }
  return mounts;
}

/** Blanks and backslashes in paths are written as `\040`. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
