// When a life that has ended counts as one that still grew: few thresholds, each relative to the life itself.
// docs/detection.md shows how they were found and what happens when each is moved.

export const endedLife = {
  /** A life is cut into this many equal parts: a third is warm-up, a third the middle, a third the end. */
  parts: 12,
  /** Floors kept of one life; when they are full, pairs merge and each stands for twice the time. */
  historyBuckets: 128,
  /** Width of the first floors, in seconds. */
  firstBucketSeconds: 10,
  /** Shorter lives say nothing: a warm-up looks like a line while it is younger than its time constant. */
  minimumSpanSeconds: 20 * 60,
  /** … but for those that ended at their limit. */
  minimumSpanAtLimitSeconds: 60,
  /** The settled part must gain this share of the level: less is page noise and daily load. */
  minimumGain: 0.03,
  /** … and this multiple of the floor's typical distance from its own line: a wandering floor is not a line. */
  minimumSignal: 4,
  /** The end must stand this share of the gain above all that came before: a daily wave comes back to where it was. */
  minimumNewHigh: 0.15,
  /** The last third must climb at least this share of the middle third's pace: less bends towards a plateau. */
  minimumPace: 0.65,
  /** No part may carry more than this share of the gain: one step is a job or a spike, not a leak. */
  maximumStep: 0.6,
} as const;

/**
 * The heap of V8 ended a process that grew, and of which nobody says how it ended, where it held this share of the heap's limit and of what
 * an empty program holds beside it, in bytes. Measured when it gives up, with limits from 32 to 512 MiB: 9 to 22 MiB more than the limit.
 */
export const heapEnd = { share: 0.93, beside: 8 * 1024 * 1024 } as const;

/** The same names with other numbers: tests and the time-compressed demo use them. */
export type EndedLifeThresholds = { readonly [name in keyof typeof endedLife]: number };
