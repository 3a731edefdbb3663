// The files of the memory controller in one cgroup's folder.
// Version 2, https://docs.kernel.org/admin-guide/cgroup-v2.html:
//   memory.current  12345678        memory.max  67108864 | max
//   memory.events   low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0
//   memory.stat     anon 8192\nfile 0\nkernel 4096\n…\ninactive_file 0
//   memory.pressure some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=…
// Version 1, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html:
//   memory.usage_in_bytes 12345678   memory.limit_in_bytes 9223372036854771712 (no limit)
//   memory.oom_control    oom_kill_disable 0\nunder_oom 0\noom_kill 1

import { FormatError } from "../kernel/files.ts";
import { counter, parseCounters } from "../procfs/lines.ts";

/** Version 1 writes "no limit" as the largest multiple of the page size that fits; nothing real comes near it. */
const unlimitedFrom = 2 ** 60;

/** A limit file: bytes, or undefined for `max` and version 1's huge number. */
export function parseLimit(text: string): number | undefined {
  const value = text.trim();
  if (value === "max") return undefined;
  const bytes = parseBytes(value);
  return bytes >= unlimitedFrom ? undefined : bytes;
}

/** A file that holds one number of bytes. */
export function parseBytes(text: string): number {
  const value = text.trim();
  if (!/^\d+$/.test(value)) throw new FormatError(`expected a number of bytes, got "${value.slice(0, 40)}"`);
  return Number(value);
}

/** Time lost to lack of memory, in seconds since the cgroup was made. */
export interface MemoryPressure {
  /** At least one task waited (`some`). */
  waiting: number | undefined;
  /** All tasks waited (`full`). */
  stalled: number | undefined;
}

/** https://docs.kernel.org/accounting/psi.html; totals are in microseconds. */
export function parsePressure(text: string): MemoryPressure {
  const total = (kind: RegExp) => {
    const microseconds = kind.exec(text)?.[1];
    return microseconds === undefined ? undefined : Number(microseconds) / 1e6;
  };
  return { waiting: total(/^some .*total=(\d+)$/m), stalled: total(/^full .*total=(\d+)$/m) };
}

/** Parts of a cgroup's memory, in bytes, those of its descendants included. */
export interface MemoryStat {
  anonymous: number | undefined;
  file: number | undefined;
  kernel: number | undefined;
  inactiveFile: number | undefined;
  swap: number | undefined;
}

export function parseMemoryStatV2(text: string): MemoryStat {
  return {
    anonymous: counter(text, "anon"),
    file: counter(text, "file"),
    kernel: counter(text, "kernel") ?? kernelBefore518(text),
    inactiveFile: counter(text, "inactive_file"),
    swap: undefined, // a file of its own: memory.swap.current
  };
}

/** The field `kernel` came with Linux 5.18; before it, its known parts are summed. */
function kernelBefore518(text: string): number | undefined {
  const parts = ["kernel_stack", "slab", "percpu"].map((name) => counter(text, name));
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, part) => sum + part, 0);
}

export function parseMemoryStatV1(text: string): MemoryStat {
  return {
    anonymous: counter(text, "total_rss"),
    file: counter(text, "total_cache"),
    kernel: undefined, // a file of its own: memory.kmem.usage_in_bytes
    inactiveFile: counter(text, "total_inactive_file"),
    swap: counter(text, "total_swap"),
  };
}

/** Version 1's `memory.stat` also tells the least limit of the cgroup and of all above it. */
export function parseHierarchicalLimit(text: string): number | undefined {
  const bytes = counter(text, "hierarchical_memory_limit");
  return bytes === undefined || bytes >= unlimitedFrom ? undefined : bytes;
}

/** Event counters by name. */
export const parseEvents = parseCounters;
