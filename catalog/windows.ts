// When growth is a leak: every window and threshold, once, for the rules, the dashboards and the analysis. They are few and
// relative (to the level, the limit and the growth itself), and each has its reason. docs/detection.md shows how they were
// found and what happens when they are moved.

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** How often the two kinds of rules are evaluated, in seconds. */
export const evaluation = { fast: minute, slow: 5 * minute } as const;

/** The floor: the least of this stretch, in seconds. An hour takes out the teeth of garbage collection. */
export const floors = { short: 10 * minute, hour } as const;

/** A floor is known once the life is older than the stretch it is made from, in seconds. */
export const floorAge = { short: floors.short, hour: floors.short + floors.hour } as const;

/** The horizons at which growth is recorded, by the floor that each reads. */
export const horizons = [
  { name: "15m", seconds: 15 * minute, floor: "short" },
  { name: "1h", seconds: hour, floor: "short" },
  { name: "6h", seconds: 6 * hour, floor: "hour" },
  { name: "12h", seconds: 12 * hour, floor: "hour" },
  { name: "1d", seconds: day, floor: "hour" },
  { name: "7d", seconds: 7 * day, floor: "hour" },
] as const;

export type Horizon = (typeof horizons)[number]["name"];

/** The severities of alerts, and what they ask for. */
export const severities = ["info", "warning", "critical"] as const;
export type Severity = (typeof severities)[number];

/**
 * A window claims a leak when every stretch of it grew. The less time is left, the shorter the evidence may be; without
 * a limit in sight it must be long and even.
 */
export interface LeakWindow {
  readonly kind: "urgent" | "steady" | "slow";
  readonly severity: Severity;
  /** Growth over this horizon is looked at … */
  readonly stretch: Horizon;
  /** … at every moment of this many seconds, so the window is as long as both together. */
  readonly over: number;
  /** The slowest stretch has at least this share of the window's pace: a leak grows in every stretch. */
  readonly slowest: number;
  /** Look at the stretches only at these ages, in seconds: a few that cover the window, for windows that must be very even. */
  readonly lookedAt?: readonly number[];
  /** No stretch carries more than this share of the growth: that would be a step, or growth that has stopped. */
  readonly biggest?: number;
  /** The window's growth, as a share of the level: less is page noise and load. Slow growth has time for a longer window. */
  readonly gain: number;
  /** The second half grew at least this share of the first: less is a curve that bends to a plateau. */
  readonly pace?: number;
  /** Only when the limit is this near at the window's pace, in seconds. Then it must also pass the tests of `urgent`. */
  readonly timeLeft?: number;
  /** The last hour grew at this share of the window's pace or more: growth that has just stopped is over. */
  readonly stillGrowing?: number;
  /** Only for processes younger than this, in seconds. */
  readonly maximumAge?: number;
  /** The claim must hold this long, in seconds: chunks of a growing heap cannot fake it for minutes in a row. */
  readonly for: number;
}

export const leakWindows: readonly LeakWindow[] = [
  {
    kind: "urgent",
    severity: "critical",
    stretch: "15m",
    over: 20 * minute,
    slowest: 0.4,
    biggest: 0.7,
    gain: 0.04,
    timeLeft: 2 * hour,
    for: 3 * minute,
  },
  {
    kind: "urgent",
    severity: "critical",
    stretch: "15m",
    over: 25 * minute,
    slowest: 0.4,
    biggest: 0.6,
    gain: 0.04,
    timeLeft: 6 * hour,
    maximumAge: 6 * hour,
    for: 10 * minute,
  },
  {
    kind: "urgent",
    severity: "critical",
    stretch: "1h",
    over: hour,
    slowest: 0.2,
    biggest: 0.7,
    gain: 0.04,
    timeLeft: 2 * hour,
    for: 10 * minute,
  },
  {
    kind: "urgent",
    severity: "warning",
    stretch: "6h",
    over: 6 * hour,
    slowest: 0.2,
    biggest: 0.7,
    gain: 0.04,
    timeLeft: 12 * hour,
    stillGrowing: 0.5,
    for: 10 * minute,
  },
  {
    kind: "steady",
    severity: "warning",
    stretch: "6h",
    over: 16 * hour,
    slowest: 0.7,
    lookedAt: [0, 320 * minute, 640 * minute, 960 * minute],
    gain: 0.045,
    pace: 0.8,
    stillGrowing: 0.3,
    for: 30 * minute,
  },
  {
    kind: "steady",
    severity: "warning",
    stretch: "12h",
    over: day,
    slowest: 0.05,
    biggest: 0.65,
    gain: 0.03,
    pace: 0.7,
    for: 30 * minute,
  },
  {
    kind: "slow",
    severity: "info",
    stretch: "1d",
    over: 2 * day,
    slowest: 0.2,
    biggest: 0.6,
    gain: 0.015,
    for: 30 * minute,
  },
];

/** Further tests of an urgent claim, which has little evidence. */
export const urgent = {
  /** Half of the growth lies above the highest peak of the day before the window: what was reached before is no news. */
  aboveDayPeak: 0.5,
  /**
   * If growth slows from g1 to g2 per half window, an exponential curve still has g2² / (g1 - g2) to go. This share of it must
   * reach past the limit: then it is no plateau that stops before.
   */
  plateau: 0.5,
} as const;

/** Alerts of a leak go on for this long after the claim, in seconds, so that one fault is one episode. */
export const keepFiring = {
  urgent: hour,
  steady: 6 * hour,
  slow: 6 * hour,
  masked: 6 * hour,
  oomPredicted: 15 * minute,
} as const;

/** Growth over the longest window that fits, for the rate and the time to OOM. */
export const lifeGrowth = {
  /** From these many seconds on the growth is the plain difference, if the limit is further away than half of the window. */
  plain: [4 * day, 2 * day],
  /** Stretches of shorter windows, the middle ones weighted more: the floor at either end is the least certain. */
  weights: [0.2, 0.3, 0.3, 0.2],
  /** No time to OOM from less than this age, in seconds. */
  minimumAge: 25 * minute,
} as const;

/** Headroom is limit less peak: of the last hour, and of the last day from this age on, in seconds. */
export const dayPeakAge = 30 * hour;

/** Time to OOM below which an alert predicts it, with the level that the peak must have reached: level and trend. */
export const oomPredicted = [
  { within: hour, level: 0.7, severity: "critical" },
  { within: 6 * hour, level: 0.5, severity: "warning" },
  { within: day, level: 0.3, severity: "info" },
] as const satisfies readonly { within: number; level: number; severity: Severity }[];

/** A prediction wants growth that is at least this even. */
export const minimumConfidence = 0.3;

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
  /** Not those that a clock ordered. */
  loop: { over: hour, count: 4, for: 5 * minute },
  /** Now and then, week after week: on this many days of the last seven. */
  recurring: { over: 7 * day, count: 3 },
} as const;

/** High and level. */
export const capacity = { nearLimit: 0.9, for: 30 * minute } as const;

/** A peak of this many times the floor is a spike. */
export const spike = 1.5;

/** The verdict before anything may be said, in seconds of age. */
export const verdictAge = 45 * minute;

/** The verdict's plain words for growth that no alert claims, as a share of the level per day. */
export const dailyGrowth = { warmingUp: 0.05, bounded: 0.02 } as const;

/** Descriptors and threads: growth in every hour of half a day, and the limit within a week at this pace. */
export const countLeak = {
  over: 12 * hour,
  stretch: hour,
  gain: 0.1,
  minimum: 32,
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
  /** A group that ran at each of these moments before is missed when it is gone. */
  ranBefore: [hour, 6 * hour, day],
  targetGone: 10 * minute,
  /** A rule group is late after so many intervals. */
  rulesLate: 3,
  ownGrowth: { over: 12 * hour, bytes: 32 * 1024 * 1024, for: hour },
} as const;
