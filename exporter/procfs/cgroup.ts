// /proc/<pid>/cgroup: one line per hierarchy, `id:controllers:path`; version 2 has id 0 and no controllers.
//   4:memory:/docker/1c0f…
//   0::/system.slice/nginx.service
// Paths are relative to the cgroup namespace of the reader: `/../<id>` is a sibling of the reader's own root.
// https://man7.org/linux/man-pages/man7/cgroups.7.html

/** The cgroup whose memory controller counts the process. */
export interface MemoryCgroup {
  version: 1 | 2;
  path: string;
}

/** Undefined where the kernel has no cgroups. On hybrid hosts the version 1 memory hierarchy is the one that counts. */
export function parseMemoryCgroup(text: string): MemoryCgroup | undefined {
  let unified: MemoryCgroup | undefined;
  for (const line of text.split("\n")) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/s.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers?.split(",").includes("memory")) return { version: 1, path };
    if (id === "0" && controllers === "") unified = { version: 2, path };
  }
  return unified;
}
