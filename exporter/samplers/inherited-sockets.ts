// A master that executes itself again and goes into the background once more has another process id, another parent and other workers: all
// that a restart changes. But its sockets stay open throughout, and nobody else holds them.

import { failureReason, type KernelFiles } from "../kernel/files.ts";

/** Descriptors that are looked at: servers open their sockets first. 0 to 2 are inherited by everybody. */
const [firstFd, lastFd] = [3, 34];

/** Some sockets of a process by their descriptors, called as the kernel calls them while they are open. Empty where we may not see them. */
export function socketsOf(files: KernelFiles, pid: number): ReadonlyMap<number, string> {
  const sockets = new Map<number, string>();
  for (let fd = firstFd; fd <= lastFd; fd++) {
    try {
      const target = files.link(files.proc(pid, `fd/${fd}`));
      if (target.startsWith("socket:")) sockets.set(fd, target);
    } catch (error) {
      if (failureReason(error) === "permission") break; // for one of them means for all
    }
  }
  return sockets;
}

/**
 * Did a process get sockets straight from one that has ended, whose sockets `before` are? Those that its parent holds prove nothing: a
 * supervisor gives them to each process that it starts.
 */
export function tookOverSockets(
  files: KernelFiles,
  before: ReadonlyMap<number, string>,
  { pid, parentPid }: { readonly pid: number; readonly parentPid: number },
): boolean {
  if (before.size === 0) return false;
  const known = new Set(before.values());
  const shared = new Map([...socketsOf(files, pid)].filter(([, socket]) => known.has(socket)));
  if (shared.size === 0) return false;
  const ofParent = socketsAmong(files, parentPid, new Set(shared.values()));
  if (ofParent !== undefined) return ofParent.size < new Set(shared.values()).size;
  return parentPid === 1 && shared.size > activated(shared);
}

/** Of a parent; one with more is no supervisor. */
const mostDescriptors = 4096;

/** Which of the sockets a process holds; undefined where we may not see that. It may hold more than the first few descriptors: systemd does. */
function socketsAmong(files: KernelFiles, pid: number, sockets: ReadonlySet<string>): Set<string> | undefined {
  if (pid === 0) return undefined; // outside our view
  const found = new Set<string>();
  try {
    const folder = files.proc(pid, "fd");
    for (const fd of files.listUpTo(folder, mostDescriptors)) {
      const target = linkOrNothing(files, `${folder}/${fd}`);
      if (sockets.has(target)) found.add(target);
    }
    return found;
  } catch {
    return undefined;
  }
}

function linkOrNothing(files: KernelFiles, file: string): string {
  try {
    return files.link(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ""; // closed meanwhile
    throw error;
  }
}

/** How many may come from socket activation, which passes them as descriptors 3, 4, … https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html */
function activated(shared: ReadonlyMap<number, string>): number {
  let fd = firstFd;
  while (shared.has(fd)) fd++;
  return fd - firstFd;
}
