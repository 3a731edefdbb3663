// Memory of a cgroup that belongs to none of its processes: files in tmpfs, socket buffers, what the kernel holds for it.

import type { CgroupMemory } from "../cgroupfs/cgroup-memory.ts";
import { column, type ProcessTable } from "../memory/process-table.ts";

/**
 * Bytes; undefined where the kernel does not say. Pages that several processes share since a fork count for each of them, so the sum of
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
    owned += known(table.get(row, column.anonymousMemory)) + known(table.get(row, column.swap));
    mapped = Math.max(mapped, known(table.get(row, column.sharedMemory)));
  }
  const unowned = Math.max(0, anonymous + (swap ?? 0) - owned);
  return unowned + Math.max(0, (shared ?? 0) - mapped) + (kernelUnreclaimable ?? 0);
}

const known = (value: number) => (Number.isNaN(value) ? 0 : value);
