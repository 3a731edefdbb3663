// Which cgroup counts the memory of a process: its own, or the nearest above it that has the memory controller. Version 2 has
// cgroups without one: threaded ones, whose memory stays with the domain that they belong to (libvirt puts a virtual machine into
// …/libvirt/emulator), and those below a parent that does not hand the controller down (units without memory accounting).
//   /machine.slice/vm.scope/libvirt             cgroup.type: domain threaded    memory.stat, memory.current, …
//   /machine.slice/vm.scope/libvirt/emulator    cgroup.type: threaded           no memory.* files
// In version 1 the controller has a hierarchy in which every cgroup counts, also where others are mounted with it.
// https://docs.kernel.org/admin-guide/cgroup-v2.html (Enabling and Disabling, Threads)

import path from "node:path";
import type { CgroupPath } from "../procfs/cgroup.ts";
import type { CgroupFolder } from "./layout.ts";

/** Every cgroup with the memory controller has it, the root included, and none without (which `memory.pressure` has too). */
export const countingFile = "memory.stat";

/** A cgroup by its path in our namespace, and where its files are. */
export interface LocatedCgroup extends CgroupPath {
  readonly at: CgroupFolder;
}

/**
 * The cgroup that counts the memory of those in `cgroup`: itself also where none up to the top of the mount does, and where its folder
 * is gone.
 */
export function countingCgroup(isPresent: (file: string) => boolean, cgroup: LocatedCgroup): LocatedCgroup {
  if (cgroup.version === 1 || isPresent(`${cgroup.at.folder}/${countingFile}`)) return cgroup;
  if (!isPresent(cgroup.at.folder)) return cgroup;
  for (let above = parentOf(cgroup); above !== undefined; above = parentOf(above)) {
    if (isPresent(`${above.at.folder}/${countingFile}`)) return above;
  }
  return cgroup;
}

/** The cgroup above, as far as the mount shows it. */
export function parentOf({ version, path: name, at }: LocatedCgroup): LocatedCgroup | undefined {
  if (at.folder.length <= at.top.length) return undefined;
  const folder = at.folder.slice(0, at.folder.lastIndexOf("/"));
  return { version, path: parentPath(name), at: { folder, top: at.top } };
}

/** Above our namespace's root `/` the kernel names cgroups `/..`, `/../..` and so on. */
function parentPath(name: string): string {
  if (name === "/") return "/..";
  return path.posix.basename(name) === ".." ? `${name}/..` : path.posix.dirname(name);
}
