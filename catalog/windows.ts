// When growth is a leak: every window and threshold, once, for the rules, the dashboards and the analysis. They are few and
// relative (to the level, the limit and the growth itself), and each has its reason. docs/detection.md shows how they were
// found and what happens when they are moved.

import type { Severity } from "./alerts.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** How often rules are evaluated, in seconds: those that page, those about hours, and those about days. */
export const evaluation = { fast: minute, slow: 5 * minute, rare: 30 * minute } as const;

/**
 * The floor: the least of this stretch, in seconds, of which this share must have been seen. An hour takes out the teeth of garbage
 * collection.
 */
export const floors = { short: 10 * minute, hour, seen: 0.3 } as const;

/** Peaks: of half an hour, since a process dies on a spike; of a day together with the half hour at its far end, in seconds. */
export const peaks = { recent: 30 * minute, day: 23 * hour } as const;

/** A floor is known once the life is older than the stretch it is made from, in seconds. */
export const floorAge = { short: floors.short, hour: floors.short + floors.hour } as const;

/** Growth is recorded over these times, in seconds; up to an hour from the short floor, beyond that from the hour's. */
export const horizons = {
  "15m": { seconds: 15 * minute, floor: "short" },
  "1h": { seconds: hour, floor: "short" },
  "6h": { seconds: 6 * hour, floor: "hour" },
  "12h": { seconds: 12 * hour, floor: "hour" },
  "1d": { seconds: day, floor: "hour" },
  "7d": { seconds: 7 * day, floor: "hour" },
} as const;

/**
 * A window claims a leak when every stretch of it grew. The less time is left, the shorter the evidence may be; without
 * a limit in sight it must be long and even.
 */
interface LeakWindow {
  readonly severity: Severity;
  /** The window's growth, as a share of the level: less is page noise and load. Slow growth has time for a longer window. */
  readonly gain: number;
  /** The slowest stretch has at least this share of the mean pace: a leak grows in every stretch. */
  readonly slowest: number;
  /** The claim must hold this long, in seconds: chunks of a growing heap cannot fake it for minutes in a row. */
  readonly for: number;
}

/** Where the limit is hours away. The shorter the window, the nearer the limit and the more even the growth must be. */
interface UrgentWindow extends LeakWindow {
  /** Its name, in the label `window` of the exporter's new high. */
  readonly window: string;
  /** The window's length in seconds. */
  readonly over: number;
  /** No stretch carries more than this share of the growth: that would be a step, or growth that has stopped. Where there are
   * but two stretches, the slowest says the same. */
  readonly biggest?: number;
  /** Only when the limit is this near at the window's pace, in seconds. */
  readonly timeLeft: number;
  /**
   * Growth whose last stretch is slower than the mean is taken for an exponential curve on its way to a plateau. What such a
   * curve still has to go must be this multiple of the headroom: then it is no plateau that stops before the limit.
   */
  readonly beyondLimit: number;
  /** It grew over the stretch at this share of the moments in the window; missing scrapes are the rest. */
  readonly present: number;
}

/** Stretches of 15 minutes in 40. A real leak is even within that time; the tail of a heap's growth and its teeth are not. */
const fortyMinutes = {
  window: "40m",
  severity: "critical",
  over: 40 * minute,
  gain: 0.04,
  slowest: 0.65,
  biggest: 0.6, // two equal halves and a little: 15 of 40 minutes are 0.38
  timeLeft: 1.5 * hour,
  beyondLimit: 1, // at 0.7 leaks are found ten minutes sooner, and heaps that grow to just below the limit page more often
  for: minute, // evenness has done what a longer wait would do
  present: 0.95,
} as const satisfies UrgentWindow;

/** Stretches of an hour in two. */
const twoHours = {
  window: "2h",
  severity: "critical",
  over: 2 * hour,
  gain: 0.04,
  slowest: 0.4,
  timeLeft: 2 * hour,
  beyondLimit: 2,
  for: 10 * minute,
  present: 0.95,
} as const satisfies UrgentWindow;

/** Stretches of six hours in twelve: work for today, not for tonight. */
const twelveHours = {
  window: "12h",
  severity: "warning",
  over: 12 * hour,
  gain: 0.04,
  slowest: 0.2,
  biggest: 0.7,
  timeLeft: 12 * hour,
  beyondLimit: 2,
  for: 10 * minute,
  present: 0.95,
  /** The last hour grew at this share of the pace or more: growth that has just stopped is over. */
  stillGrowing: 0.5,
} as const satisfies UrgentWindow & Record<string, unknown>;

/** What all urgent windows ask for, and the young process that may be asked for less. */
export const urgent = {
  fortyMinutes,
  twoHours,
  twelveHours,
  /** Half of the growth lies above the highest peak of the day before the window: what was reached before is no news. */
  aboveDayPeak: 0.5,
  /**
   * In the first hours of a life no longer window fits into it, and a third of the fast leaks has hours to go. So has a cache
   * that fills; nobody is woken for what may be one, as long as there are two hours left. Later the claim would take a
   * cache that fills for eight hours for a leak.
   */
  young: { maximumAge: 6 * hour, timeLeft: 9 * hour, for: 14 * minute },
} as const;

/** Without a limit in sight: four stretches of six hours in 22, overlapping, each as fast as the others. */
export const steady = {
  severity: "warning",
  /** Where the stretches end, in seconds before now. */
  lookedAt: [0, 320 * minute, 640 * minute, 960 * minute],
  gain: 0.049, // of the four together, which is 0.045 of the window
  slowest: 0.7,
  /** The second half grew at least this share of the first: less is a curve that bends to a plateau. */
  pace: 0.85,
  stillGrowing: 0.3,
  for: 30 * minute,
} as const satisfies LeakWindow & Record<string, unknown>;

/** Three stretches of twelve hours: uneven growth, by day more than by night. */
export const uneven = {
  severity: "warning",
  gain: 0.03,
  slowest: 0.05,
  biggest: 0.65,
  pace: 0.8,
  present: 0.95,
  for: 30 * minute,
} as const satisfies LeakWindow & Record<string, unknown>;

/** Three stretches of a day in 58 hours, overlapping: too slow for any chart of a day. */
export const slow = {
  severity: "info",
  /** Where the stretches end, in seconds before now. */
  lookedAt: [0, 17 * hour, 34 * hour],
  gain: 0.015, // of the three together
  slowest: 0.6,
  present: 0.95,
  for: 30 * minute,
  /**
   * The same of the lowest of each day, for a leak under a daily wave: no hour is like the same hour of the day before, but the
   * lows rise. They rise by chance more easily, so it takes three days of which nothing overlaps, and half a day more.
   */
  lows: { lookedAt: [0, day, 2 * day], longer: 12 * hour },
} as const satisfies LeakWindow & Record<string, unknown>;

/** Alerts of a leak go on for this long after the claim, in seconds, so that one fault is one episode. */
export const keepFiring = {
  urgent: hour,
  steady: 6 * hour,
  slow: 6 * hour,
  masked: 6 * hour,
  oomPredicted: 15 * minute,
  oomLoop: hour,
  restartLoop: hour,
} as const;

/**
 * The one growth of a process, for the rate and the time to OOM: over the longest of 1 d, 6 h, 1 h and 15 m that fits its
 * life. Over two days, if the limit is further away than `far`; over two hours, if it is nearer than `near` and the
 * life has not seen six. Nothing before the first of these fits. Seconds.
 */
export const lifeGrowth = {
  far: day,
  near: 30 * minute,
  minimumAge: horizons["15m"].seconds + floorAge.short,
} as const;

/**
 * Confidence looks at the slowest stretch of the longest window that grew all the time: stretches by name, windows in seconds, and
 * the share of the moments in them at which the stretch must have grown; missing scrapes are the rest.
 */
export const confidence = {
  windows: {
    low: { over: Math.max(...slow.lows.lookedAt) + slow.lows.longer },
    "1d": { over: 2 * day },
    "6h": { over: 16 * hour },
    "1h": { over: 20 * minute },
    "15m": { over: 20 * minute },
  },
  present: 0.95,
} as const;

/** Headroom is limit less peak: of half an hour, and of the last day from this age on, in seconds. */
export const dayPeakAge = 30 * hour;

/** Lives are young up to this age, in seconds: until a day can be compared with the day before. Most rules ask no more than that. */
export const youngLife = 2 * day + floorAge.hour;

/** Time to OOM below which an alert predicts it, with the level that the peak must have reached: level and trend. The more time
 * is left, the longer it must hold: the leak itself has been told by then. */
export const oomPredicted = [
  { within: hour, level: 0.7, severity: "critical", for: 10 * minute },
  { within: 6 * hour, level: 0.5, severity: "warning", for: hour },
  { within: day, level: 0.3, severity: "info", for: 2 * hour },
] as const satisfies readonly { within: number; level: number; severity: Severity; for: number }[];

/** A prediction wants growth that is at least this even. */
export const minimumConfidence = 0.3;

/** What the ledger counts is summed by this step, in seconds. */
export const ledgerStep = { step: hour } as const;

/**
 * A masked leak: so many lives ended while they still grew, as a share of all that ended. The ledger must be known for long
 * enough to cover the rising and the falling half of a day, for in the morning healthy lives grow to their end too.
 */
export const maskedLeak = [
  { over: day, known: 11 * hour, lives: 4, share: 0.8 },
  { over: day, known: 23 * hour, lives: 4, share: 0.6 },
  { over: 7 * day, known: 71 * hour, lives: 3, share: 0.6 },
] as const;

/** Two OOM kills of lives that grew to their end need no further wait. */
export const maskedByOom = { over: day, lives: 2, share: 0.6 } as const;

/** Restarts. Certain and suspected OOM kills count alike here. */
export const restarts = {
  oomLoop: { over: 6 * hour, count: 2 },
  /**
   * Not those that a clock ordered, nor OOM kills, which are an alert of their own. More than one for each process that runs,
   * or so many of one slot: a deploy restarts every replica once.
   */
  loop: { over: hour, count: 4, perSlot: 2 },
  /**
   * `increase` extrapolates: by less than an eighth once a counter has been scraped for so long, every minute or more often. Until
   * then, gains are differences.
   */
  settled: 20 * minute,
  /** Now and then, week after week: on this many days of the last seven. */
  recurring: { over: 7 * day, count: 3, step: day, for: hour },
} as const;

/** A restart that a clock orders: the last starts keep a beat. */
export const cadence = {
  /** So many equal intervals between starts … */
  intervals: 3,
  /** … that differ by no more than this share of their median … */
  tolerance: 0.02,
  /** … or this many seconds, and are at least this long, in seconds: shorter ones are a crash loop. */
  toleranceSeconds: 2,
  minimumSeconds: 60,
} as const;

/** High and level. */
export const capacity = { nearLimit: 0.9, for: 30 * minute, noLimitFor: 6 * hour } as const;

/** A peak of this many times the floor is a spike. */
export const spike = 1.5;

/** The verdict before anything may be said, in seconds of age. */
export const verdictAge = 45 * minute;

/** The verdict's plain words for growth that no alert claims, as a share of the level per day. Warming up is for the young. */
export const dailyGrowth = { warmingUp: 0.05, bounded: 0.02, per: day, maximumAge: day } as const;

/** Descriptors and threads: growth in every quarter of half a day, and the limit within a week at this pace. */
export const countLeak = {
  over: 12 * hour,
  quarters: 4,
  /** The least count of this stretch: what is opened and closed again is no growth. */
  stretch: 10 * minute,
  gain: 0.1,
  minimum: 32,
  /** The slowest quarter has more than this share of the mean pace of the least leak. */
  slowest: 0.2,
  within: 7 * day,
  for: 30 * minute,
} as const;

/** The bundle itself. */
export const health = {
  down: 5 * minute,
  absent: 15 * minute,
  /** A target that was an exporter within this time, and is down, is an exporter that is down. */
  rememberExporter: hour,
  /** Samples older than this are stale, in seconds. */
  staleSample: 2 * minute,
  /** Longer than the first hour: what an installation lacks from its start on is no news, and its page says it at once. */
  unreadable: 70 * minute,
  /** A group that ran for this share of this time is missed when it is gone: it is no job that comes and goes. */
  ran: { over: day, share: 0.75 },
  /** It is missed after this time. */
  targetGone: 10 * minute,
  /** … and for so long, unless it comes back. */
  missed: 6 * hour,
  /** So many that go from one target at the same time were stopped on purpose: a drain, a shutdown, a stack that is taken down. */
  together: 3,
  /** What Kubernetes calls the pods of a node is older than this: a dozen lists were missed. */
  podsStale: 10 * minute,
  /** A rule group is late after so many intervals. */
  rulesLate: 3,
  /** More failed evaluations than this within the time are no accident. */
  rulesFail: { over: 15 * minute, count: 1 },
  ownGrowth: { over: 12 * hour, stretch: hour, bytes: 32 * 1024 * 1024, for: hour },
} as const;
