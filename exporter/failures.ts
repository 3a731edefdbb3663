// What could not be read, counted by file and reason, and told once per cause and hour: a log line per scrape helps nobody.

import { type FailureReason, failureReason } from "./kernel/files.ts";
import type { Logger } from "./log.ts";

/** Causes that are told within an hour. A process' name is part of a cause, so there must be an end to it. */
const toldLimit = 1000;

/** Milliseconds after which a cause is told again. */
const forgetAfter = 3_600_000;

export class Failures {
  private readonly counts = new Map<string, { file: string; reason: FailureReason; count: number }>();
  private readonly told = new Set<string>();
  private toldSince = performance.now();
  private readonly log: Logger;

  constructor(log: Logger) {
    this.log = log;
  }

  /** Counts a failed reading and says why, the first time that `what` fails for this reason. Nothing of a file's text is told. */
  add(file: string, error: unknown, what: string): FailureReason {
    const reason = failureReason(error);
    const key = `${file} ${reason}`;
    const entry = this.counts.get(key) ?? { file, reason, count: 0 };
    entry.count++;
    this.counts.set(key, entry);
    this.tell(`${key} ${what}`, `cannot read ${file}`, { of: what, reason, error: (error as Error).message });
    return reason;
  }

  /** A warning that is given once in an hour. */
  tell(cause: string, message: string, fields: Record<string, string>): void {
    if (performance.now() - this.toldSince > forgetAfter) {
      this.told.clear();
      this.toldSince = performance.now();
    }
    if (this.told.has(cause) || this.told.size > toldLimit) return;
    this.told.add(cause);
    if (this.told.size > toldLimit) this.log.warn("too many different warnings; no more of them within this hour");
    else this.log.warn(message, fields);
  }

  /** Failures since the start. */
  *[Symbol.iterator](): Iterator<{ file: string; reason: FailureReason; count: number }> {
    yield* this.counts.values();
  }
}
