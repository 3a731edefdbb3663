// The judge, as a backtest needs it: one of these per service.

import { detection } from "../../catalog/detection.ts";
import { RulesJudge } from "./rules-judge.ts";

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

/** NONE, LOW, MEDIUM, HIGH, CRITICAL. */
export type SeverityNumber = 0 | 1 | 2 | 3 | 4;

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

/** The judge that is shipped. */
export const newJudge = (): ServiceJudge => new RulesJudge(detection);
