// /proc/<pid>/cgroup: one line per hierarchy, `id:controllers:path`; version 2 has id 0 and no controllers.
//   4:memory:/docker/1c0f…
//   0::/system.slice/nginx.service
// Paths are relative to the cgroup namespace of the reader: `/../<id>` is a sibling of the reader's own root.
// https://man7.org/linux/man-pages/man7/cgroups.7.html

/** What is counted, and limited: version 1 may have a hierarchy for each, in which the process sits elsewhere. */
export type Controller = "memory" | "pids";

/** A cgroup by the name that the kernel gives it. */
export interface CgroupPath {
  version: 1 | 2;
  path: string;
}

/** The cgroup whose memory controller counts the process. */
export type MemoryCgroup = CgroupPath;

export const parseMemoryCgroup = (text: string): MemoryCgroup | undefined => parseCgroup(text, "memory");

/** Undefined where the kernel has no cgroups. On hybrid hosts the version 1 hierarchy of the controller is the one that counts. */
export function parseCgroup(text: string, controller: Controller): CgroupPath | undefined {
  let unified: CgroupPath | undefined;
  for (const line of text.split("\n")) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/s.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers?.split(",").includes(controller)) return { version: 1, path };
    if (id === "0" && controllers === "") unified = { version: 2, path };
  }
  return unified;
}
