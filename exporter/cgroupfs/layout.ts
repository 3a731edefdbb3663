// Where the files of a cgroup are. A path from /proc/<pid>/cgroup is relative to our cgroup namespace, and so is the
// root that /proc/self/mountinfo gives for each mount; joining the two is all that is needed, except when a host mount
// reaches above our namespace's root. Then the names between have to be found, which our own pid allows.

import path from "node:path";
import type { KernelFiles } from "../kernel/files.ts";
import type { CgroupPath, Controller } from "../procfs/cgroup.ts";
import { type CgroupMount, cgroupVersionOf, type Mount, parseCgroupMounts } from "../procfs/mountinfo.ts";

/** A cgroup's folder, and the highest folder above it that we can read limits from. */
export interface CgroupFolder {
  folder: string;
  top: string;
}

/** A mount, and for one that reaches above our namespace's root (`/../..`) the path from its top down to that root. */
interface LocatedMount extends CgroupMount {
  namespaceRoot?: string;
}

/** How many folders are looked at to find our own cgroup in a host mount; a node has some thousands at most. */
const searchLimit = 20_000;

export class CgroupLayout {
  readonly mounts: readonly LocatedMount[];

  private constructor(mounts: readonly LocatedMount[]) {
    this.mounts = mounts;
  }

  /** Reads our own mounts below `--path.cgroupfs`. `pid` is our id in our own pid namespace. */
  static detect(files: KernelFiles, pid: number = process.pid, controller: Controller = "memory"): CgroupLayout {
    const text = files.textIfPresent(files.proc("self/mountinfo")) ?? "";
    const mounts = parseCgroupMounts(text, controller).filter((mount) => isBelow(mount.mountPoint, files.cgroupfs));
    return new CgroupLayout(mounts.map((mount) => withNamespaceRoot(files, mount, pid)));
  }

  /** The folder of a cgroup, or undefined when no mount shows it. The folder itself may be gone by now. */
  locate(cgroup: CgroupPath): CgroupFolder | undefined {
    return locateIn(this.mounts, cgroup);
  }

  /** Do the events of a cgroup there count those of the cgroups below it? */
  countsBelow({ top }: CgroupFolder): boolean {
    return this.mounts.find(({ mountPoint }) => mountPoint === top)?.localEvents !== true;
  }
}

/** A cgroup's folder as a target's mounts show it, and the device that its files must be on. */
export interface ForeignFolder extends CgroupFolder {
  device: number;
}

/**
 * The cgroup's folder in the mounts of another process, as a path below its root; undefined where none shows it. A target
 * mounts what it likes where it likes: only a mount of the kernel's cgroups counts, and none on whose way to the folder something
 * else is mounted (`covered`).
 */
export function locateInMounts(
  mounts: readonly Mount[],
  cgroup: CgroupPath,
  controller: Controller = "memory",
): ForeignFolder | "covered" | undefined {
  let found: "covered" | undefined;
  for (const mount of mounts) {
    if (cgroupVersionOf(mount, controller) !== cgroup.version) continue;
    const below = pathBelow(mount, cgroup.path);
    if (below === undefined) continue;
    const top = withoutTrailingSlash(mount.mountPoint);
    const at = { folder: top + below, top, device: mount.device };
    if (!isCovered(at.folder, mount, mounts)) return at;
    found = "covered";
  }
  return found;
}

/** Does another mount than those that this one stands on lie on the way to the folder? */
function isCovered(folder: string, mount: Mount, mounts: readonly Mount[]): boolean {
  const byId = new Map(mounts.map((one) => [one.id, one]));
  const below = new Set<Mount>();
  for (let at: Mount | undefined = mount; at !== undefined && !below.has(at); at = byId.get(at.parent)) below.add(at);
  return mounts.some((other) => !below.has(other) && isBelow(folder, other.mountPoint));
}

function locateIn(mounts: readonly LocatedMount[], cgroup: CgroupPath): CgroupFolder | undefined {
  for (const mount of mounts) {
    if (mount.version !== cgroup.version) continue;
    const below = pathBelow(mount, cgroup.path);
    if (below !== undefined) return { folder: mount.mountPoint + below, top: mount.mountPoint };
  }
  return undefined;
}

/** The cgroup's place below the mount's top, "" or "/…"; undefined when the mount does not show it. */
function pathBelow(mount: Pick<LocatedMount, "root" | "namespaceRoot">, cgroup: string): string | undefined {
  if (mount.namespaceRoot !== undefined) return withoutTrailingSlash(path.posix.join(mount.namespaceRoot, cgroup));
  if (mount.root === "/") return cgroup.startsWith("/..") ? undefined : withoutTrailingSlash(cgroup);
  if (cgroup === mount.root) return "";
  return cgroup.startsWith(`${mount.root}/`) ? cgroup.slice(mount.root.length) : undefined;
}

function withNamespaceRoot(files: KernelFiles, mount: CgroupMount, pid: number): LocatedMount {
  if (!/^(\/\.\.)+$/.test(mount.root)) return mount;
  const namespaceRoot = findFolderOf(files, mount.mountPoint, mount.root.split("/..").length - 1, pid);
  return namespaceRoot === undefined ? mount : { ...mount, namespaceRoot };
}

/** The folder `depth` levels below `top` that holds the process, as a path below `top`. */
function findFolderOf(files: KernelFiles, top: string, depth: number, pid: number): string | undefined {
  const queue = [{ below: "", depth: 0 }];
  for (let looked = 0; looked < searchLimit; looked++) {
    const next = queue.shift();
    if (next === undefined) return undefined;
    if (next.depth === depth) {
      if (holds(files, top + next.below, pid)) return next.below;
      continue;
    }
    for (const name of subfolders(files, top + next.below)) {
      queue.push({ below: `${next.below}/${name}`, depth: next.depth + 1 });
    }
  }
  return undefined;
}

function holds(files: KernelFiles, folder: string, pid: number): boolean {
  try {
    return files.text(`${folder}/cgroup.procs`).split("\n").includes(String(pid));
  } catch {
    return false; // removed meanwhile
  }
}

function subfolders(files: KernelFiles, folder: string): string[] {
  try {
    return files.listFolders(folder);
  } catch {
    return []; // removed meanwhile
  }
}

function isBelow(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

const withoutTrailingSlash = (text: string) => (text.endsWith("/") ? text.slice(0, -1) : text);
