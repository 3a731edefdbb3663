// The files of the memory controller in one cgroup's folder.
// Version 2, https://docs.kernel.org/admin-guide/cgroup-v2.html:
//   memory.current  12345678        memory.max  67108864 | max
//   memory.events   low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0
//   memory.stat     anon 8192\nfile 0\nkernel 4096\n…\ninactive_file 0   (before 5.18: kernel_stack, slab, … without kernel)
//   memory.pressure some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=…
// Version 1, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html:
//   memory.usage_in_bytes 12345678   memory.limit_in_bytes 9223372036854771712 (no limit)
//   memory.oom_control    oom_kill_disable 0\nunder_oom 0\noom_kill 1

import { FormatError } from "../kernel/files.ts";
import { counter, parseCounters } from "../procfs/lines.ts";

/**
 * Nothing real comes near it, in bytes or as a count. A counter of the kernel's that fell below 0 shows as almost 2^64, and
 * version 1 writes "no limit" as the largest multiple of the page size below 2^63.
 */
const beyondReal = 2 ** 60;

const real = (value: number | undefined) => (value !== undefined && value < beyondReal ? value : undefined);

/** A limit file: bytes, or undefined for `max` and version 1's huge number. A limit of 0 is one. */
export function parseLimit(text: string): number | undefined {
  return text.trim() === "max" ? undefined : parseBytes(text);
}

/** A file that holds one number, of bytes or of events; undefined where it fell below 0. */
export function parseBytes(text: string): number | undefined {
  const value = text.trim();
  if (!/^\d+$/.test(value)) throw new FormatError(`expected a number of bytes, got "${value.slice(0, 40)}"`);
  return real(Number(value));
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
    const digits = kind.exec(text)?.[1];
    const microseconds = real(digits === undefined ? undefined : Number(digits));
    return microseconds === undefined ? undefined : microseconds / 1e6;
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
  /** tmpfs, System V and shared anonymous memory: part of `file`, and not reclaimable. */
  shared: number | undefined;
  /** What the kernel holds for the cgroup and cannot give back, socket buffers included; undefined on version 1, which does not tell. */
  kernelUnreclaimable: number | undefined;
}

export function parseMemoryStatV2(text: string): MemoryStat {
  return {
    anonymous: real(counter(text, "anon")),
    file: real(counter(text, "file")),
    kernel: real(counter(text, "kernel") ?? kernelBefore518(text)),
    inactiveFile: real(counter(text, "inactive_file")),
    swap: undefined, // a file of its own: memory.swap.current
    shared: real(counter(text, "shmem")),
    kernelUnreclaimable: kernelUnreclaimable(text),
  };
}

/** Kernel memory without the slab caches that it can shrink, such as those of file names; network buffers are counted apart. */
function kernelUnreclaimable(text: string): number | undefined {
  const kernel = real(counter(text, "kernel") ?? kernelBefore518(text));
  const reclaimable = real(counter(text, "slab_reclaimable"));
  if (kernel === undefined || reclaimable === undefined) return undefined;
  return sum([Math.max(0, kernel - reclaimable), real(counter(text, "sock"))]);
}

/**
 * The field `kernel` came with Linux 5.18. Before it, the parts that a kernel shows are summed: stacks and slab since 4.6, percpu
 * since 5.9, page tables since 5.11, vmalloc in 5.17. What has no part of its own (io_uring, KVM, BPF) is missing, and
 * network buffers (`sock`) are left out: `kernel` does not count them either.
 */
function kernelBefore518(text: string): number | undefined {
  const slab =
    counter(text, "slab") ?? sum(["slab_reclaimable", "slab_unreclaimable"].map((name) => counter(text, name)));
  return sum([slab, ...["kernel_stack", "percpu", "pagetables", "vmalloc"].map((name) => counter(text, name))]);
}

/** Of those that are known; undefined where none is. */
export function sum(parts: (number | undefined)[]): number | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, part) => total + part, 0);
}

export function parseMemoryStatV1(text: string): MemoryStat {
  return {
    anonymous: real(counter(text, "total_rss")),
    file: real(counter(text, "total_cache")),
    kernel: undefined, // a file of its own: memory.kmem.usage_in_bytes
    inactiveFile: real(counter(text, "total_inactive_file")),
    swap: real(counter(text, "total_swap")),
    shared: real(counter(text, "total_shmem")),
    kernelUnreclaimable: undefined,
  };
}

/** Version 1's `memory.stat` also tells the least limit of the cgroup and of all above it. */
export function parseHierarchicalLimit(text: string): number | undefined {
  return real(counter(text, "hierarchical_memory_limit"));
}

/** Event counters by name. */
export function parseEvents(text: string): Map<string, number> {
  return new Map([...parseCounters(text)].filter(([, count]) => real(count) !== undefined));
}
