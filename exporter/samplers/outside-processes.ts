// Memory of a cgroup that belongs to none of its processes: files in tmpfs, socket buffers, what the kernel holds for it.

import type { CgroupMemory } from "../cgroupfs/cgroup-memory.ts";
import { sum } from "../cgroupfs/memory-files.ts";
import { column, type ProcessTable } from "../memory/process-table.ts";

/**
 * Bytes; undefined where the kernel does not say, or what one of the processes holds is not known. Pages that several processes share since a fork count for each of them, so the sum of
 * processes may exceed the cgroup's. A shared mapping counts once: for the process that maps the most of it.
 */
export function outsideProcesses(
  memory: CgroupMemory,
  rows: Iterable<number>,
  table: ProcessTable,
): number | undefined {
  const { anonymous, shared, swap, kernelUnreclaimable } = memory;
  if (anonymous === undefined) return undefined;
  let owned = 0;
  let mapped = 0;
  for (const row of rows) {
    const own = table.get(row, column.anonymousMemory) + (swap === undefined ? 0 : table.get(row, column.swap));
    if (Number.isNaN(own)) return undefined; // what one of them holds is not known, so neither is the rest
    owned += own;
    const map = table.get(row, column.sharedMemory);
    if (map > mapped) mapped = map;
  }
  const unowned = Math.max(0, (sum([anonymous, swap]) as number) - owned);
  return sum([unowned, shared === undefined ? undefined : Math.max(0, shared - mapped), kernelUnreclaimable]);
}
