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

/** The demo of the compose files, on a clock that runs so many times faster than life. */
export const demo = {
  /** The first is what a newcomer sees; the other is for tests that cannot wait: too few samples to be trusted. */
  speeds: [60, 240],
  scrapeIntervalSeconds: 1,
  /** Port at which each target of the demo serves its own metrics. */
  targetPort: 8080,
} as const;

/** How often the container engine is asked for the names of its containers, in seconds. */
export const engineRefreshSeconds = 30;

/** What `leakwatch doctor` asks of a Prometheus server. */
export const prometheusNeeds = {
  /** The rules use keep_firing_for, which older servers refuse. */
  version: "2.42",
  /** Windows of the rules begin at 10 minutes; with fewer than ten scrapes in them a floor is chance. Seconds. */
  scrapeIntervalSeconds: 60,
  /** Ages and times to OOM compare the server's clock with start times of the machine. Seconds. */
  clockSkewSeconds: 30,
} as const;

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
  /** Ended below this share of the limit: a kill that only a counter above its cgroup shows was another's. Between two
   * passes a process seldom doubles; a higher share would miss those that grew fast, a lower one blame bystanders. */
  farFromLimitRatio: 0.5,
  /** The kernel counts a kill when it sends it, and takes the victim's memory at once; its end may take so many seconds more. */
  victimIsGoneWithinSeconds: 10,
  /** Groups without a process keep their counters this long, in seconds. */
  keepGoneGroupsSeconds: 24 * 3600,
  /** At most this many groups without a process are kept; the oldest go first. */
  keepGoneGroups: 1000,
} as const;
