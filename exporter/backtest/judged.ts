// The judge, as a backtest needs it: one of these per service.

import type { LeakSeverity } from "../../catalog/verdicts.ts";
import { type JudgeSettings, judgeSettings } from "../../detection/judge.ts";
import type { Finding } from "../judge/finding.ts";
import { reasonTexts } from "../judge/sentences.ts";
import { ServiceJudge as Shipped } from "../judge/service-judge.ts";
import { Judge } from "../judge/slot-judge.ts";

/** One sample of a process. Seconds on one clock, bytes. */
export interface JudgedSample {
  readonly time: number;
  readonly bytes: number;
  /** NaN when it is not known. */
  readonly limit: number;
  /** Start of the life that the sample is of; NaN when it is not known. */
  readonly startTime: number;
  /** NaN when it is not known. */
  readonly heapLimit?: number;
}

/** 0 (none) to 4 (critical). */
export type SeverityNumber = LeakSeverity;

export interface ServiceFinding {
  readonly word: string;
  readonly severity: SeverityNumber;
}

export interface SlotFinding extends ServiceFinding {
  /** Bytes per second. */
  readonly growth: number | undefined;
  /** 0 to 1. */
  readonly confidence: number | undefined;
  /** Seconds. */
  readonly timeToOom: number | undefined;
  readonly reasons: readonly { readonly text: string }[];
}

/** One service: its slots, and what earlier lives taught. */
export interface ServiceJudge {
  add(slot: string, sample: JudgedSample): void;
  /** What holds of the slot at `time`. */
  slotFinding(slot: string, time: number): SlotFinding;
  /** What holds of the service as a whole. */
  finding(time: number): ServiceFinding;
}

/** The judge that is shipped. Those made by one call share what needs no state. */
export function newJudges(settings: JudgeSettings = judgeSettings): () => ServiceJudge {
  const judge = new Judge(settings);
  return () => new Adapted(new Shipped(settings, judge));
}

class Adapted implements ServiceJudge {
  private readonly shipped: Shipped;
  private readonly said = new Map<string, Finding>();
  private first = Number.NaN;

  constructor(shipped: Shipped) {
    this.shipped = shipped;
  }

  add(slot: string, sample: JudgedSample): void {
    if (Number.isNaN(this.first)) this.first = sample.time;
    // one life, as far as is known, that began before the first sample
    const startTime = Number.isNaN(sample.startTime) ? this.first : sample.startTime;
    this.shipped.add(slot, { ...sample, startTime });
  }

  slotFinding(slot: string, time: number): SlotFinding {
    const finding = this.shipped.slotFinding(slot, time);
    this.said.set(slot, finding);
    return { ...finding, reasons: reasonTexts(finding).map((text) => ({ text })) };
  }

  finding(time: number): ServiceFinding {
    return this.shipped.finding(time, [...this.said.values()]);
  }
}
