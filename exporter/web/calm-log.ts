// Log lines that clients can cause as often as they like.

import { web } from "../../catalog/defaults.ts";
import type { Logger } from "../log.ts";

type Fields = Parameters<Logger["warn"]>[1];

/** Logs each cause once a minute; the next line says how many were left out. The number of causes is bounded too. */
export class CalmLog {
  private readonly log: Logger;
  private readonly now: () => number;
  /** In the order of their last line. */
  private readonly causes = new Map<string, { loggedAt: number; repeated: number }>();

  /** `now` in seconds. */
  constructor(log: Logger, now: () => number = () => performance.now() / 1000) {
    this.log = log;
    this.now = now;
  }

  warn(cause: string, message: string, fields?: Fields): void {
    this.write("warn", cause, message, fields);
  }

  error(cause: string, message: string, fields?: Fields): void {
    this.write("error", cause, message, fields);
  }

  private write(level: "warn" | "error", cause: string, message: string, fields: Fields): void {
    const loggedAt = this.now();
    const before = this.causes.get(cause);
    if (before !== undefined && this.isRecent(before)) {
      before.repeated++;
      return;
    }
    this.causes.delete(cause);
    if (!this.hasRoom()) return;
    this.causes.set(cause, { loggedAt, repeated: 0 });
    const repeated = before === undefined || before.repeated === 0 ? {} : { repeated: before.repeated };
    this.log[level](message, { ...fields, ...repeated });
  }

  /** Forgets the oldest cause when there are too many, unless even that one is recent. */
  private hasRoom(): boolean {
    if (this.causes.size < web.logCauses) return true;
    const [oldest] = this.causes;
    if (oldest === undefined || this.isRecent(oldest[1])) return false;
    return this.causes.delete(oldest[0]);
  }

  private isRecent({ loggedAt }: { loggedAt: number }): boolean {
    return this.now() - loggedAt < web.logAgainAfter;
  }
}
