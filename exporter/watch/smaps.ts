// PSS and USS from smaps_rollup, for those who ask for them. The kernel walks every page table entry of the process for
// it, under the lock that the process needs to map memory: some 6 ms for a gigabyte of 4 KiB pages. So it is read seldom,
// within a budget, off the event loop, and not at all for processes that are too large. The file is opened anew each
// time: one that is kept open fails after the process calls exec.

import { smaps as costs } from "../../catalog/defaults.ts";
import type { Config } from "../config/config.ts";
import type { Failures } from "../failures.ts";
import { failureReason } from "../kernel/files.ts";
import type { TargetFiles } from "../kernel/target-files.ts";
import { column } from "../memory/process-table.ts";
import type { Life } from "../model/life.ts";
import { parseSmapsRollup } from "../procfs/smaps-rollup.ts";
import { folderOf } from "../samplers/process-reader.ts";
import type { Watcher } from "./watcher.ts";

export class SmapsSampler {
  /** Processes that the last round left out because of their size or its budget. */
  skipped = 0;
  private readonly files: TargetFiles;
  private readonly failures: Failures;
  private readonly watcher: Pick<Watcher, "watched" | "table" | "reader">;
  private nextRound = Number.NEGATIVE_INFINITY;
  private readonly readInRound = new WeakMap<Life, number>();
  private round = 0;

  constructor(files: TargetFiles, failures: Failures, watcher: Pick<Watcher, "watched" | "table" | "reader">) {
    this.files = files;
    this.failures = failures;
    this.watcher = watcher;
  }

  /** One round, if the interval has passed. `now` is on the monotonic clock, in seconds. */
  async sampleIfDue(options: Config["smaps"], now: number): Promise<void> {
    if (now < this.nextRound) return;
    this.nextRound = now + options.interval;
    this.round++;
    this.skipped = 0;
    let budget = options.budget;
    for (const life of this.longestUnreadFirst()) {
      const resident = this.watcher.table.get(life.row, column.residentMemory);
      const cost = resident * costs.secondsPerByte;
      if (resident > options.maxResident) this.forget(life);
      // what only this round cannot afford keeps its last value, and comes first in the next one
      if (Number.isNaN(resident) || resident > options.maxResident || cost > budget) {
        this.skipped++;
        continue;
      }
      budget -= cost;
      await this.read(life);
      this.readInRound.set(life, this.round);
    }
  }

  /** So that a budget that does not suffice for all goes round. */
  private longestUnreadFirst(): Life[] {
    return [...this.watcher.watched.values()].sort(
      (a, b) => (this.readInRound.get(a) ?? 0) - (this.readInRound.get(b) ?? 0),
    );
  }

  private async read(life: Life): Promise<void> {
    const { table, reader } = this.watcher;
    try {
      const { pss, uss } = parseSmapsRollup(await this.files.procText(folderOf(life.handle), "smaps_rollup"));
      if (!reader.isSameLife(life.handle)) return this.forget(life); // the pid was given to another process
      table.set(life.row, column.proportionalMemory, pss);
      table.set(life.row, column.uniqueMemory, uss);
      life.unreadable.delete("smaps_rollup");
    } catch (error) {
      this.forget(life);
      const reason = failureReason(error);
      if (reason === "gone" || reason === "absent") return;
      life.unreadable.set("smaps_rollup", this.failures.add("smaps_rollup", error, life.group.name));
    }
  }

  private forget(life: Life): void {
    this.watcher.table.set(life.row, column.proportionalMemory, Number.NaN);
    this.watcher.table.set(life.row, column.uniqueMemory, Number.NaN);
  }
}
