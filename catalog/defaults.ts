// Numbers that are the same wherever they are met: in the exporter, in its help text, in manifests and in tests.

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** Where the exporter listens. */
export const defaultPort = 9847;
export const defaultListenAddress = `127.0.0.1:${defaultPort}`;

/** Time between two passes over the processes, in seconds: short enough to count lives of a few seconds. */
export const sampleIntervalSeconds = 5;

/** A scrape takes a new pass only if the last one is older than this, in seconds. */
export const sampleMaxAgeSeconds = 1;

/** The page and the JSON API judge anew when their verdicts are older, in seconds. */
export const verdictMaxAgeSeconds = 15;

/** After this many missed intervals the exporter is not ready: its numbers are stale. */
export const staleAfterIntervals = 3;

/** How often names, cgroups and limits are read again, in seconds; they seldom change. */
export const identityRefreshSeconds = 180;

/** How often Prometheus is told to scrape, in seconds. */
export const scrapeIntervalSeconds = 15;

/** smaps_rollup makes the kernel walk page tables, some 6 µs per MiB of 4 KiB pages, under the target's mmap lock. */
export const smaps = {
  intervalSeconds: 60,
  /** Larger processes are left out. */
  maxResidentBytes: 4 * GiB,
  /** Estimated kernel time that one round may take, in seconds. */
  budgetSeconds: 0.25,
  secondsPerByte: 6e-6 / MiB,
} as const;

/** A pass works for at most about this long, in seconds, before it lets other work run. */
export const sliceSeconds = 0.001;

/** The restart and OOM ledger. */
export const ledger = {
  /** A process that takes a slot within this time of its end restarts it, in seconds; later it is a new start.
   * Longer than the longest back-off of container engines and the kubelet (5 min). */
  restartWithinSeconds: 600,
  /** Ended at or above this share of the limit: near it, so an OOM kill is plausible. */
  nearLimitRatio: 0.9,
  /** A steady cadence needs this many equal intervals between starts … */
  cadenceIntervals: 3,
  /** … that differ by no more than this share of their median … */
  cadenceTolerance: 0.02,
  /** … or this many seconds, and are at least this long, in seconds. */
  cadenceToleranceSeconds: 2,
  cadenceMinimumSeconds: 60,
  /** Groups without a process keep their counters this long, in seconds. */
  keepGoneGroupsSeconds: 24 * 3600,
  /** At most this many groups without a process are kept; the oldest go first. */
  keepGoneGroups: 1000,
} as const;
