// What a run of minutes calls a leak (`leakwatch detect`). So short a time has no days to compare with, so the decision is one that a person can
// repeat: cut into five parts, and from the minimum of each to that of the next memory must rise, each time by at least half as much as on average;
// then the same once more in as much time again. test/accuracy/detect.test.ts measures it on real programs.

import { KiB, MiB } from "../catalog/defaults.ts";

export const shortRun = {
  /** `--for`, in seconds: caches of most services have filled within twice as much. */
  seconds: 180,
  /** Shorter ones have a few samples in each part only; longer ones are what the exporter is for. In seconds. */
  shortest: 10,
  longest: 24 * 3600,
  /** This share of `--for` is left to a process to start, from its birth on. */
  startUp: 1 / 9,
  /** Minima of so many equal parts, which makes one step less. */
  parts: 5,
  /** The smallest step has at least this share of the mean one. Real leaks have .74 and more, healthy growth .01 and less. */
  slowest: 0.5,
  /** What grew in the first time grows at least at this share of its pace in the second: what fills or warms up slows down. */
  lasting: 0.5,
  /** The same where only the end of the first time counts, since it warmed up before: two steps say less than four. */
  lastingAfterWarmUp: 0.75,
  /** The growth of a process is in its heap where memory in use has this share of the pace. */
  inUse: 0.5,
  /** Samples in one time, and readings of what the runtime has in use. */
  samples: 180,
  readings: 24,
  /** When the first one is, as a share of `--for`. */
  firstReading: 1 / 60,
  /** Readings where each takes long: three in each part. */
  fewestReadings: 15,
  /** A collection stops the program: no more than this share of the time, as long as that leaves enough readings. */
  collecting: 0.05,
} as const;

/** The least growth that counts in one time: the larger of a number and a share of the level; and the least in each step. */
export interface Least {
  /** Samples without which a part is not known. */
  readonly samples: number;
  readonly total: number;
  readonly share: number;
  readonly step: number;
}

/** What is asked about; in bytes, or as a count. */
export const least = {
  /** In use by the runtime's word, after a collection: almost without noise. */
  live: { samples: 1, total: 0.5 * MiB, share: 0.01, step: 100 * KiB },
  /** By the kernel: allocators keep pages, and touch new ones for a while. */
  memory: { samples: 2, total: 0.5 * MiB, share: 0.02, step: 64 * KiB },
  /** The same beside a level heap: collections move things about. */
  outside: { samples: 2, total: 1 * MiB, share: 0.03, step: 128 * KiB },
  descriptors: { samples: 2, total: 16, share: 0.1, step: 1 },
  threads: { samples: 2, total: 8, share: 0.1, step: 1 },
} as const satisfies Record<string, Least>;

/** Under `--load`: loads, and what follows each. */
export const loadRounds = {
  /** Two show growth that is more than warming up, the third confirms it. */
  most: 3,
  /** Time to finish and forget after each, as a share of `--for`, and at least so many seconds. */
  drain: 1 / 9,
  shortestDrain: 3,
} as const;
