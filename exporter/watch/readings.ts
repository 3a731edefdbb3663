// What is read of a watched process at every pass, and what is made from it at once.

import type { Failures } from "../failures.ts";
import { failureReason, type KernelFiles } from "../kernel/files.ts";
import { column, type ProcessTable } from "../memory/process-table.ts";
import type { Life } from "../model/life.ts";
import { type ExitStatus, parseExitStatus } from "../procfs/stat.ts";
import type { ProcessReader } from "../samplers/process-reader.ts";

export type StatusOutcome = "read" | "renamed" | "no memory" | "zombie" | "gone" | "failed";

export class Readings {
  readonly table: ProcessTable;
  readonly reader: ProcessReader;
  private readonly files: KernelFiles;
  private readonly failures: Failures;

  constructor(options: { files: KernelFiles; table: ProcessTable; reader: ProcessReader; failures: Failures }) {
    this.files = options.files;
    this.table = options.table;
    this.reader = options.reader;
    this.failures = options.failures;
  }

  /** `zombie` and `gone` say that it has ended; after `failed` nothing of it is known. */
  readStatus(life: Life): StatusOutcome {
    try {
      return this.reader.readStatus(life.handle, this.table, life.row);
    } catch (error) {
      return this.statusFailed(life, error);
    }
  }

  statusFailed(life: Life, error: unknown): "gone" | "failed" {
    if (isGone(error)) return "gone";
    this.notReadable(life, "status", error);
    this.table.clearReadings(life.row);
    return "failed";
  }

  /** What is made from the status that was read last, and the descriptors. `now` is in seconds since boot. */
  take(life: Life, outcome: "read" | "renamed" | "no memory", now: number): void {
    this.readable(life, "status");
    if (outcome === "no memory") {
      // it gave its memory back: it is ending, however long that takes
      this.table.clearReadings(life.row);
      return;
    }
    this.remember(life, now);
    this.readFds(life);
    this.rememberCounts(life, now);
  }

  /** Notes the memory for the judgements to come. `now` is in seconds since boot. */
  remember({ row, history, recentHigh, bornAt, group, slot }: Life, now: number): void {
    const { table } = this;
    const resident = table.get(row, column.residentMemory);
    const bytes = unreclaimable(table, row);
    history.add(now, bytes);
    recentHigh.add(now, resident);
    // the peak is told of resident memory, which has file pages beside what is judged
    const highest = bytes + Math.max(0, table.get(row, column.peakResidentMemory) - resident);
    group.slots[slot]?.state.history.add({ time: now, bytes, startTime: bornAt, highest });
  }

  readFds(life: Life): void {
    try {
      this.reader.readFdCount(life.handle, this.table, life.row);
      this.readable(life, "fd");
    } catch (error) {
      if (!isGone(error)) this.notReadable(life, "fd", error);
    }
  }

  rememberCounts({ row, bornAt, group, slot }: Life, now: number): void {
    const { descriptors, threads } = group.slots[slot] ?? {};
    descriptors?.add(now, this.table.get(row, column.openFds), bornAt);
    threads?.add(now, this.table.get(row, column.threads), bornAt);
  }

  /** How a zombie ended, as long as its parent has not asked. */
  exitStatusOf({ pid }: Life): ExitStatus | undefined {
    try {
      return parseExitStatus(this.files.text(this.files.proc(pid, "stat")));
    } catch {
      return undefined; // its parent was faster
    }
  }

  readable(life: Life, file: string): void {
    if (life.unreadable.size > 0) life.unreadable.delete(file);
  }

  notReadable(life: Life, file: string, error: unknown): void {
    life.unreadable.set(file, this.failures.add(file, error, life.group.name));
  }
}

/** The process ended between two readings, or its folder is no longer there. */
export function isGone(error: unknown): boolean {
  const reason = failureReason(error);
  return reason === "gone" || reason === "absent";
}

/** What a process cannot give back, in bytes: anonymous, shared and swapped memory. All of VmRSS where the kernel does not tell its parts. */
export function unreclaimable(table: ProcessTable, row: number): number {
  const anonymous = table.get(row, column.anonymousMemory);
  if (Number.isNaN(anonymous)) return table.get(row, column.residentMemory);
  return anonymous + or0(table.get(row, column.sharedMemory)) + or0(table.get(row, column.swap));
}

const or0 = (value: number) => (Number.isNaN(value) ? 0 : value);
