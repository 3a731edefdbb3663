// The thresholds of Prometheus' rules: they compare what the exporter has judged, or counted, with plain numbers. `leakwatch rules` can
// change each of them. Times in seconds.

import type { Severity } from "../catalog/alerts.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const shipped = {
  /** How often rules are evaluated: those that page, those about hours, and those about days. */
  evaluation: { fast: minute, slow: 5 * minute, rare: 30 * minute },

  /** The exporter has waited before it says so. */
  leak: { for: 0 },

  /** Alerts go on for this long after their condition, so that one fault is one episode. */
  keepFiring: { leak: 15 * minute, masked: 6 * hour, oomPredicted: 15 * minute, oomLoop: hour, restartLoop: hour },

  /** A leak of at least this severity that reaches its limit within this time: nobody is woken by the time alone. */
  oomPredicted: [
    { within: hour, leakSeverity: 4, severity: "critical", for: 5 * minute },
    { within: 6 * hour, leakSeverity: 2, severity: "warning", for: 30 * minute },
    { within: day, leakSeverity: 1, severity: "info", for: hour },
  ] as readonly {
    readonly within: number;
    readonly leakSeverity: number;
    readonly severity: Severity;
    readonly for: number;
  }[],

  /**
   * Leaks that restarts of whole pods mask, where each has an exporter that ends with it: so many times within this time most of those
   * that ended still grew, by at least this share, and as often as `earlier` before the last `lately`, so that one deploy is not enough.
   */
  maskedPods: { over: day, count: 4, share: 0.8, lately: 3 * hour, earlier: 2 },

  /** Growth that nothing calls a leak: this share of the limit in a day, at the pace of this window. */
  growthRate: { window: "6h", limitPerDay: 0.5, for: hour },

  /** High and flat, and growing without a limit. */
  capacity: { for: 30 * minute, noLimitFor: 6 * hour },

  /** Anonymous memory to the heap's maximum. */
  heap: { nearLimit: 0.95, for: 10 * minute },

  /** Descriptors and threads that reach their limit within this time. */
  countLimit: { within: 7 * day, for: 30 * minute },

  /** Restarts. Certain and suspected OOM kills count alike here. */
  restarts: {
    oomLoop: { over: 6 * hour, count: 2 },
    /**
     * Not those that a clock ordered, nor OOM kills, which are an alert of their own. More than one for each process that runs, or so
     * many of one slot: a deploy restarts every replica once.
     */
    loop: { over: hour, count: 4, perSlot: 2 },
    /** Gains are counted by this step. */
    step: hour,
    /** Now and then: on this many days of the last seven, and of the last thirty-five. */
    recurring: [
      { over: 7 * day, count: 3, step: day, for: hour },
      { over: 35 * day, count: 4, step: 7 * day, for: hour },
    ] as readonly { readonly over: number; readonly count: number; readonly step: number; readonly for: number }[],
  },

  /** The bundle itself. */
  health: {
    down: 5 * minute,
    absent: 15 * minute,
    /** A target that was an exporter within this time, and is down, is an exporter that is down. */
    rememberExporter: hour,
    /** Samples older than this are stale. */
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
    /** The exporter's own leak. */
    ownLeak: 0,
  },
};

type Frozen<T> = T extends number | string ? T : { readonly [key in keyof T]: Frozen<T[key]> };

export type Rules = Frozen<typeof shipped>;

/** As shipped. */
export const rules: Rules = shipped;

/** Shares, counts and bytes, by their name: all other numbers are times, which a faster clock shortens. */
const timeless = new Set([
  "limitPerDay",
  "nearLimit",
  "count",
  "perSlot",
  "share",
  "together",
  "rulesLate",
  "ownLeak",
  "leakSeverity",
]);

/** The same on a clock that runs so many times faster than life. */
export function rulesAtSpeed(from: Rules, speed: number): Rules {
  const faster = (value: unknown, name: string): unknown => {
    if (typeof value === "number") return timeless.has(name) ? value : value / speed;
    if (Array.isArray(value)) return value.map((one) => faster(one, name));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, faster(one, key)]));
  };
  return faster(from, "") as Rules;
}
