// Keeps what the exporter knows over its restarts: read once at the start, written every few minutes and at the end.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { GroupAccount } from "../ledger/ledger.ts";
import type { Logger } from "../log.ts";
import type { Group } from "../model/group.ts";
import { Remembered, saveGroup, saveSlot } from "./saved.ts";
import { type Header, readStateFile, StateFileError, setAside, writeStateFile } from "./state-file.ts";

/** How often it is written, in seconds: what a kill costs is bridged by the windows of the judge. */
export const saveIntervalSeconds = 120;

export interface StorageReport {
  /** Unix time of the last write that succeeded; undefined before any. */
  savedAt: number | undefined;
  failures: number;
}

export class Storage {
  readonly report: StorageReport = { savedAt: undefined, failures: 0 };
  private readonly folder: string;
  private readonly log: Logger;
  private failing: string | undefined;

  constructor(folder: string, log: Logger) {
    this.folder = folder;
    this.log = log;
  }

  /** What was written in this boot of this machine; undefined where there is nothing to be used. */
  async load(boot: string): Promise<Remembered | undefined> {
    const remembered = new Remembered();
    try {
      const header = await readStateFile(this.folder, {
        header: (found) => boot !== "" && found.boot === boot,
        line: (line) => remembered.add(line),
      });
      if (header === undefined) return undefined;
      if (boot === "" || header.boot !== boot) {
        this.log.info("state is of another boot or another host, and is not used", { folder: this.folder });
        return undefined;
      }
      this.log.info("state restored", { folder: this.folder, processes: remembered.size });
      return remembered;
    } catch (error) {
      this.cannotRead(error as Error);
      return undefined;
    }
  }

  /** Writes all of it. A failure is logged once, and stops nothing. */
  async save(
    header: Header,
    groups: ReadonlyMap<string, Group>,
    accountOf: (group: string) => GroupAccount,
  ): Promise<void> {
    try {
      await writeStateFile(this.folder, header, linesOf(groups, accountOf));
      this.report.savedAt = header.savedAt;
      if (this.failing !== undefined) this.log.info("state is saved again", { folder: this.folder });
      this.failing = undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.report.failures++;
      if (this.failing === (code ?? message)) return;
      this.failing = code ?? message;
      this.log.error("state cannot be saved; it is tried again every few minutes, and not logged again", {
        folder: this.folder,
        error: message,
      });
    }
  }

  private cannotRead(error: Error): void {
    if (!(error instanceof StateFileError)) {
      this.log.error("state cannot be read", { folder: this.folder, error: error.message });
      return;
    }
    try {
      const file = setAside(this.folder, error.aside);
      this.log.error("state file cannot be used and was set aside", { file, error: error.message });
    } catch (failure) {
      this.log.error("state file cannot be used", { error: error.message, set_aside: (failure as Error).message });
    }
  }
}

async function* linesOf(
  groups: ReadonlyMap<string, Group>,
  accountOf: (group: string) => GroupAccount,
): AsyncGenerator<object> {
  let started = performance.now();
  for (const group of groups.values()) {
    yield saveGroup(group, accountOf(group.name));
    for (const [index, slot] of group.slots.entries()) {
      yield saveSlot(group, index, slot);
      if (performance.now() - started < 1) continue;
      await nextTurn();
      started = performance.now();
    }
  }
}
