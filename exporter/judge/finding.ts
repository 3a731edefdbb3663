// What the judge says of a process, with its reasons as numbers. Texts are made from them where they are shown (sentences.ts).

import type { LeakSeverity, Verdict } from "../../catalog/verdicts.ts";
import type { growthWindows } from "../../detection/windows.ts";

export type GrowthWindow = keyof typeof growthWindows;

/** A number that speaks for or against a leak. Times in seconds, memory in bytes. */
export type Reason =
  | { readonly kind: "grew"; readonly bytes: number; readonly seconds: number; readonly window: string }
  | { readonly kind: "steady"; readonly slowest: number; readonly deviation: number }
  | { readonly kind: "slowing"; readonly bend: number }
  | { readonly kind: "stopped"; readonly last: number }
  | { readonly kind: "uneven"; readonly deviation: number }
  | { readonly kind: "newHigh"; readonly bytes: number }
  | { readonly kind: "belowEarlierHigh"; readonly bytes: number }
  | { readonly kind: "aboveEarlierLives"; readonly level: number; readonly earlier: number }
  | { readonly kind: "withinEarlierLives"; readonly level: number; readonly earlier: number }
  | { readonly kind: "timeLeft"; readonly seconds: number; readonly headroom: number; readonly limit: number }
  | { readonly kind: "sharedLimit"; readonly others: number }
  | { readonly kind: "heapMaximum"; readonly bytes: number; readonly below: boolean }
  | { readonly kind: "points"; readonly points: number; readonly threshold: number }
  | {
      readonly kind: "endedGrowing";
      readonly growing: number;
      readonly ended: number;
      readonly seconds: number;
      readonly killed: boolean;
    }
  | {
      readonly kind: "replicas";
      readonly leaking: number;
      readonly of: number;
      readonly median: number;
      readonly highest: number;
    }
  | { readonly kind: "version"; readonly version: string; readonly growing: number; readonly ended: number }
  | { readonly kind: "tooYoung"; readonly watched: number; readonly needed: number };

export interface Finding {
  readonly word: Verdict;
  readonly severity: LeakSeverity;
  /** Bytes per second: of the leak where there is one, else over the longest window that fits the life. */
  readonly growth: number | undefined;
  /** Bytes per second over the last so much time. */
  readonly growthBy: Readonly<Partial<Record<GrowthWindow, number>>>;
  /** 0 to 1: how sure it is that this is a leak. */
  readonly confidence: number | undefined;
  /** Seconds until the limit at this pace; undefined while it does not grow, or has no limit. */
  readonly timeToOom: number | undefined;
  /** Bytes that are left of the limit, from the highest peak of late. */
  readonly headroom: number | undefined;
  /** Lowest memory of the last ten minutes, in bytes. */
  readonly floor: number | undefined;
  /** Seconds that it has been watched, and that a first judgement needs. */
  readonly watched: number;
  readonly needed: number;
  /** Which rule calls it a leak, and since when, on the clock of the samples. */
  readonly rule: string | undefined;
  readonly since: number | undefined;
  readonly reasons: readonly Reason[];
}

/** What holds of a service as a whole. */
export interface ServiceFinding {
  readonly word: Verdict;
  readonly severity: LeakSeverity;
  readonly reasons: readonly Reason[];
}

/** Nothing is known yet. */
export const nothingKnown = (watched: number, needed: number): Finding => ({
  word: "collecting",
  severity: 0,
  growth: undefined,
  growthBy: {},
  confidence: undefined,
  timeToOom: undefined,
  headroom: undefined,
  floor: undefined,
  watched,
  needed,
  rule: undefined,
  since: undefined,
  reasons: [{ kind: "tooYoung", watched, needed }],
});
