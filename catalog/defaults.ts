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

/** Readings that a target can hold up: off the event loop, few at once, and within a time. */
export const targetReads = {
  /** The pool has four threads, and the listing of /proc and gzip need some of them. */
  atOnce: 2,
  /** No kernel takes so long; a longer wait is the target's doing. Seconds. */
  seconds: 1,
  /** A reading takes less than this even where the CPU is scarce. Seconds. */
  ordinarySeconds: 0.005,
  /** In one pass all of them together wait for about this long beyond that; the rest waits for the next pass. Seconds. */
  secondsInPass: 1,
  /** Of one file: as long as a single argument can be (MAX_ARG_STRLEN). */
  mostBytes: 128 * KiB,
  /** Of a process' list of mounts, of which a user can make a hundred thousand. */
  mountsBytes: 256 * KiB,
  /** Of a file of a cgroup; the largest, memory.stat, has some 2 KiB. */
  cgroupFileBytes: 16 * KiB,
  /** A target that was slow, or that has something else in place of the kernel's files, is left alone for so long. Seconds. */
  asideSeconds: 600,
  /** One that took longer than this for all of its files counts as slow. Seconds. */
  slowSeconds: 0.1,
  /** One that was not asked because others hold up readings is asked again after so long. Seconds. */
  againSeconds: 30,
  /** Folders above a cgroup of which limits are read. */
  mostAncestors: 32,
} as const;

/** What a target says of itself is cut, so that it cannot make the exporter large. */
export const sizes = {
  /** Of a group's name, in bytes. */
  name: 128,
  /** Of a path in a label: program, cgroup. Bytes. */
  path: 512,
  /** Of all arguments that patterns are matched against: the first and the last half of this are kept. Characters. */
  arguments: 16 * KiB,
  /** Of a single one. Characters. */
  argument: 4 * KiB,
  /** Arguments that are looked at. */
  argumentCount: 4096,
  /** Of one field of a log line, in bytes. */
  logField: 1024,
  /** Series of one process, those of a cgroup of its own and all labels included, in bytes. */
  expositionOfProcess: 48 * KiB,
} as const;

/** How much is watched at most, so that nobody can fill the exporter's memory with processes. */
export const bounds = {
  /** Processes, where the exporter's own memory limit allows as many. */
  processes: 20_000,
  /** With less memory: what is left above `reservedBytes`, by the bytes that a process takes. */
  bytesPerProcess: 24 * KiB,
  reservedBytes: 64 * MiB,
  leastProcesses: 500,
  /** No group, and no container or user, takes more than this share of the processes; and there are no more groups than that. */
  share: 0.5,
} as const;

/** The restart and OOM ledger. */
export const ledger = {
  /** What starts this soon after an end restarts it, in seconds; later it is a new start. */
  restart: {
    /** In the same container or pod: longer than the longest back-off of container engines and the kubelet (5 min). */
    inContainerSeconds: 600,
    /** In the same systemd unit: RestartSec is some seconds, and timers that start a command run once in a minute or less often. */
    inUnitSeconds: 50,
    /** Anywhere else: supervisors start again at once, or after some seconds … */
    promptSeconds: 30,
    /** … where nobody is known to be one, sooner … */
    unsureSeconds: 10,
    /** … or after this share of the time that it ran: a deploy takes its time. */
    lifetimeShare: 0.25,
    /** What a program starts, and nobody starts again, was a service of its own when it ran this long; jobs are shorter. */
    helperLivesSeconds: 1200,
  },
  /** The end of a worker counts when its master has outlived it for so long, in seconds; else it was part of the master's end. */
  masterOutlivesSeconds: 10,
  /** Time within which an engine or the Kubernetes API is expected to say how a container ended, in seconds. */
  stateWithinSeconds: 30,
  /** Ended at or above this share of the limit: near it, so an OOM kill is plausible. */
  nearLimitRatio: 0.9,
  /** Ended below this share of the limit: a kill that only a counter above its cgroup shows was another's. Between two
   * passes a process seldom doubles; a higher share would miss those that grew fast, a lower one blame bystanders. */
  farFromLimitRatio: 0.5,
  /** The kernel counts a kill when it sends it, and takes the victim's memory at once; its end may take so many seconds more. */
  victimIsGoneWithinSeconds: 10,
  /** Groups without a process keep their counters this long, in seconds. */
  keepGoneGroupsSeconds: 24 * 3600,
  /** Those to which nothing happened, such as commands that have done their work, this long. */
  keepGoneJobsSeconds: 900,
  /** At most this many groups without a process are kept; the oldest go first. */
  keepGoneGroups: 1000,
} as const;

/** What clients may cost the HTTP server. Times in seconds, sizes in bytes. Prometheus and browsers stay far below all of it. */
export const web = {
  /** Prometheus sends some 500 bytes of headers, a browser with cookies 2 KiB. */
  maxHeaderBytes: 8 * KiB,
  maxHeaders: 100,
  /** Time to send the headers of a request: one packet, which a lossy network may have to repeat some times. */
  headersTimeout: 10,
  /** Time to send all of a request. */
  requestTimeout: 30,
  /** How often these two are checked. */
  timeoutCheckInterval: 2,
  /** Time for a TLS handshake. */
  handshakeTimeout: 10,
  /** A client that neither reads nor sends for this long while it is answered is cut off. */
  inactivityTimeout: 30,
  /** Time to read one whole answer: six times Prometheus' default scrape_timeout. */
  responseTimeout: 60,
  /** A client that still sends a body, which nobody reads, has so long to read the answer before the connection is closed. */
  unreadBodyWait: 1,
  /** Longer than any scrape interval in use, so that a scraper never meets a connection that is just being closed. */
  keepAlive: 130,
  /** Scrapers, probes and browsers are some ten together. */
  maxConnections: 128,
  /** Requests that may wait on one connection for the answer before them. Neither Prometheus nor browsers send ahead. */
  waitingRequests: 8,
  /** Texts that clients may keep in memory until they have read them, for each of the two formats: 8 in all. */
  heldExpositions: 4,
  /** Pages and JSON answers that clients may keep in memory until they have read them: some 1 KiB for each process. */
  unfinishedPages: { answers: 8, bytes: 32 * MiB },
  /** The same problem is logged again after this time. */
  logAgainAfter: 60,
  /** Different problems logged within that time. */
  logCauses: 100,
  /** Characters of a request or of an error that are shown in answers and in the log. */
  shownCharacters: 200,
  passwords: {
    /** bcryptjs takes 0.1 s for the usual cost of 10, 7 s for 16, and days for the highest, 31. */
    maxBcryptCost: 16,
    /** Longest user name and password that are looked at; bcrypt itself uses 72 bytes of the password. */
    maxCredentialsBytes: 1 * KiB,
    /** Attempts with unknown credentials, per client address: typing is never refused, guessing is. */
    attemptsPerSecond: 1,
    attemptsBurst: 5,
    /** Client addresses whose attempts are counted. */
    countedAddresses: 1000,
    /** Comparisons that may wait for the one that runs: at the usual cost the last waits about a second. */
    waitingComparisons: 4,
    /** Right credentials that are remembered: one for each user, and nobody configures more. */
    remembered: 100,
    /** Wrong credentials that are remembered, and for how long: a scraper with an old password tries again every 15 s or so. */
    rememberedWrong: 1000,
    rememberWrongFor: 60,
  },
} as const;
