// The exporter's verdict on itself, by the same judge.

import type { LeakSeverity } from "../catalog/verdicts.ts";
import type { JudgeSettings } from "../detection/judge.ts";
import { ServiceJudge } from "./judge/service-judge.ts";

export class OwnMemory {
  severity: LeakSeverity = 0;
  private readonly judge: ServiceJudge;
  private readonly minute: number;
  private judgedAt = Number.NEGATIVE_INFINITY;
  private startTime: number | undefined;

  constructor(settings: JudgeSettings) {
    this.judge = new ServiceJudge(settings);
    this.minute = 60 / settings.speed;
  }

  /** Looks at its own memory; `now` is in seconds on the monotonic clock. */
  add(now: number): void {
    this.startTime ??= now;
    const limit = process.constrainedMemory();
    const sample = { time: now, bytes: process.memoryUsage.rss(), startTime: this.startTime };
    this.judge.add("own", { ...sample, limit: limit > 0 && limit < Number.MAX_SAFE_INTEGER ? limit : Number.NaN });
    if (now - this.judgedAt < this.minute) return;
    this.judgedAt = now;
    this.severity = this.judge.slotFinding("own", now).severity;
  }
}
