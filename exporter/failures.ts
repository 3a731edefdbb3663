// What could not be read, counted by file and reason, and logged once per cause and hour: a log line per scrape helps nobody.

import { type FailureReason, failureReason } from "./kernel/files.ts";
import type { Logger } from "./log.ts";

/** Causes that are logged within an hour. A process' name is part of a cause, so there must be an end to it. */
const mostCauses = 1000;

/** Milliseconds after which a cause is logged again. */
const forgetAfter = 3_600_000;

export class Failures {
  private readonly counts = new Map<string, { file: string; reason: FailureReason; count: number }>();
  private readonly logged = new Set<string>();
  private loggedSince = performance.now();
  private readonly log: Logger;

  constructor(log: Logger) {
    this.log = log;
  }

  /** Counts a failed reading and says why, the first time that `what` fails for this reason. Nothing of a file's text is logged. */
  add(file: string, error: unknown, what: string): FailureReason {
    const reason = failureReason(error);
    const key = `${file} ${reason}`;
    const entry = this.counts.get(key) ?? { file, reason, count: 0 };
    entry.count++;
    this.counts.set(key, entry);
    this.warnOnce(`${key} ${what}`, `cannot read ${file}`, { of: what, reason, error: (error as Error).message });
    return reason;
  }

  /** A warning that is given once in an hour. */
  warnOnce(cause: string, message: string, fields: Record<string, string>): void {
    if (performance.now() - this.loggedSince > forgetAfter) {
      this.logged.clear();
      this.loggedSince = performance.now();
    }
    if (this.logged.has(cause) || this.logged.size > mostCauses) return;
    this.logged.add(cause);
    if (this.logged.size > mostCauses) this.log.warn("too many different warnings; no more of them within this hour");
    else this.log.warn(message, fields);
  }

  /** Failures since the start. */
  *[Symbol.iterator](): Iterator<{ file: string; reason: FailureReason; count: number }> {
    yield* this.counts.values();
  }
}
