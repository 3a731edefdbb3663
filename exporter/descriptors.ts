// How many descriptors this process may have, and what for.

import { KernelFiles } from "./kernel/files.ts";
import { parseOpenFilesLimit } from "./procfs/limits.ts";

/** Share of the limit that may be held on watched processes; the rest is for sockets and for reading. */
const heldShare = 0.8;

/** How many connections an exporter here may have: half of what watched processes leave of its descriptors. */
export const maxConnections = () => Math.max(8, Math.floor((ownDescriptorLimit() * (1 - heldShare)) / 2));

/** How many descriptors an exporter here may hold on watched processes. */
export const maxHeldDescriptors = () => Math.floor(ownDescriptorLimit() * heldShare);

/** The limit of this very process, whatever procfs is watched. Node.js has raised it as far as it goes. */
function ownDescriptorLimit(): number {
  try {
    const own = new KernelFiles({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup" });
    return parseOpenFilesLimit(own.text("/proc/self/limits")).soft ?? 1_048_576;
  } catch {
    return 1024;
  }
}
