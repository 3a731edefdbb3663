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
  /** Its events files leave out what happens in the cgroups below (version 2, mounted with memory_localevents). */
  localEvents?: true;
}

/** Any mount of a process. */
export interface Mount {
  id: number;
  /** The mount that this one stands on. */
  parent: number;
  /** `st_dev` of the files that it shows. */
  device: number;
  root: string;
  mountPoint: string;
  type: string;
  superOptions: string;
}

/** All mounts, in the kernel's order. Lines of another shape are skipped. */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ");
    if (left === undefined || right === undefined) continue;
    const [id, parent, device = "", root, mountPoint] = left.split(" ").map(unescapeOctal);
    const [type = "", , superOptions = ""] = right.split(" ");
    if (root === undefined || mountPoint === undefined) continue;
    mounts.push({
      id: Number(id),
      parent: Number(parent),
      device: deviceOf(device),
      root,
      mountPoint,
      type,
      superOptions,
    });
  }
  return mounts;
}

/** The version of the hierarchy that a mount shows; undefined where it is none, or one of other controllers. */
export function cgroupVersionOf({ type, superOptions }: Mount, controller: Controller): 1 | 2 | undefined {
  if (type === "cgroup2") return 2;
  return type === "cgroup" && superOptions.split(",").includes(controller) ? 1 : undefined;
}

/** Mounts of cgroup version 2, and of the controller's version 1 hierarchy. */
export function parseCgroupMounts(text: string, controller: Controller = "memory"): CgroupMount[] {
  return parseMounts(text).flatMap((mount) => {
    const version = cgroupVersionOf(mount, controller);
    if (version === undefined) return [];
    const { root, mountPoint, superOptions } = mount;
    const isLocal = superOptions.split(",").includes("memory_localevents");
    return [{ version, root, mountPoint, ...(isLocal && { localEvents: true }) }];
  });
}

/** `0:31` as `st_dev` has it. Source: gnu_dev_makedev of glibc, for devices below 2^32. */
function deviceOf(text: string): number {
  const [major = Number.NaN, minor = Number.NaN] = text.split(":").map(Number);
  return (minor & 0xff) + ((major & 0xfff) << 8) + (minor >>> 8) * 2 ** 20;
}

/** Blanks and backslashes in paths are written as `\040`. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
