// How good the alerts were on traces of which the truth is known. A leak counts as found when an alert of class leak starts
// at or after its onset; every alert of that class on a healthy trace is false.

import { MiB } from "../../catalog/defaults.ts";
import { median } from "../memory/statistics.ts";
import type { TraceReport } from "./report.ts";
import type { Trace } from "./traces.ts";

/** `labels.json` beside the traces, as far as it is used. Seconds and bytes. */
export interface TraceLabels {
  id: string;
  family: string;
  label: "leak" | "healthy";
  onset: number | null;
  leak_rate_bytes_per_s: number | null;
  oom_times: number[];
  tto?: { start: number; oom: number; end: number } | null;
}

export interface Score {
  leaks: number;
  healthy: number;
  precision: number;
  recall: number;
  f1: number;
  worstFamily: { family: string; recall: number };
  /** Per healthy process and week. */
  falseAlerts: { all: number; critical: number };
  /** Share of the leaks that end in an OOM kill of which half an hour's warning was given, before the first one. */
  warnedBeforeOom: number;
  /** Median hours from onset to the first alert, by pace; a leak that is missed counts as endless. */
  delayHours: Record<Pace, number>;
  /** Median relative error of the time to OOM at these shares of the way. */
  timeToOomError: Record<"50" | "75" | "90", number>;
  families: FamilyScore[];
}

export interface FamilyScore {
  family: string;
  label: "leak" | "healthy";
  traces: number;
  /** Leaks found, or healthy traces with a false alert. */
  hit: number;
  medianDelayHours: number | undefined;
}

/** A report, as far as it is scored. */
export type ScoredTrace = Omit<TraceReport, "found">;

export type Pace = "fast" | "medium" | "slow";

const warning = 1800;
const week = 7 * 86_400;
/** An estimate that is older than this is none, in seconds. */
const estimateAge = 600;

/** A leak's pace: at least 1 MiB a minute, at least 5 MiB an hour, or slower. */
export function paceOf(bytesPerSecond: number): Pace {
  const perHour = (bytesPerSecond * 3600) / MiB;
  return perHour >= 60 ? "fast" : perHour >= 5 ? "medium" : "slow";
}

/** `seen` is the time in which the processes of each trace were really seen, in seconds. */
export function score(
  report: { traces: readonly ScoredTrace[] },
  seen: ReadonlyMap<string, number>,
  labels: readonly TraceLabels[],
): Score {
  const reports = new Map(report.traces.map((trace) => [trace.id, trace]));
  const known = labels.flatMap((label) => {
    const found = reports.get(label.id);
    return found === undefined ? [] : [{ label, found }];
  });
  const leaks = known.filter(({ label }) => label.label === "leak").map(({ label, found }) => judgeLeak(label, found));
  const healthy = known.filter(({ label }) => label.label === "healthy");
  const falseOnes = healthy.map(({ label, found }) => ({ label, alerts: leakAlerts(found) }));

  const truePositives = leaks.filter(({ first }) => first !== undefined).length;
  const falsePositives = falseOnes.filter(({ alerts }) => alerts.length > 0).length;
  const precision = truePositives / (truePositives + falsePositives);
  const recall = truePositives / leaks.length;
  const weeks = healthy.reduce((sum, { label }) => sum + (seen.get(label.id) ?? Number.NaN), 0) / week;
  const alerts = falseOnes.flatMap((one) => one.alerts);
  const warned = leaks.filter(({ warned }) => warned !== undefined);
  const families = [
    ...byFamily(leaks, ({ first }) => first !== undefined),
    ...byFamily(falseOnes, (one) => one.alerts.length > 0),
  ];
  const worst = families
    .filter(({ label }) => label === "leak")
    .map(({ family, hit, traces: count }) => ({ family, recall: hit / count }))
    .sort((a, b) => a.recall - b.recall)[0];
  return {
    leaks: leaks.length,
    healthy: healthy.length,
    precision,
    recall,
    f1: (2 * precision * recall) / (precision + recall),
    worstFamily: worst ?? { family: "none", recall: Number.NaN },
    falseAlerts: {
      all: alerts.length / weeks,
      critical: alerts.filter(({ severity }) => severity === "critical").length / weeks,
    },
    warnedBeforeOom: warned.filter((leak) => leak.warned).length / warned.length,
    delayHours: {
      fast: median(leaks.filter(({ pace }) => pace === "fast").map(({ delayHours }) => delayHours)),
      medium: median(leaks.filter(({ pace }) => pace === "medium").map(({ delayHours }) => delayHours)),
      slow: median(leaks.filter(({ pace }) => pace === "slow").map(({ delayHours }) => delayHours)),
    },
    timeToOomError: {
      "50": timeToOomError(known, 0.5),
      "75": timeToOomError(known, 0.75),
      "90": timeToOomError(known, 0.9),
    },
    families,
  };
}

interface JudgedLeak {
  label: TraceLabels;
  first: number | undefined;
  delayHours: number;
  pace: Pace;
  /** Undefined when no OOM kill followed. */
  warned: boolean | undefined;
}

function judgeLeak(label: TraceLabels, found: ScoredTrace): JudgedLeak {
  const onset = label.onset ?? 0;
  const starts = leakAlerts(found).map(({ start }) => start);
  const first = starts.find((start) => start >= onset);
  const firstOom = label.oom_times[0];
  return {
    label,
    first,
    delayHours: first === undefined ? Number.POSITIVE_INFINITY : (first - onset) / 3600,
    pace: paceOf(label.leak_rate_bytes_per_s ?? 0),
    warned: firstOom === undefined ? undefined : first !== undefined && first <= firstOom - warning,
  };
}

const leakAlerts = ({ episodes }: ScoredTrace) => episodes.filter((episode) => episode.class === "leak");

function byFamily<T extends { label: TraceLabels }>(judged: readonly T[], hit: (one: T) => boolean): FamilyScore[] {
  const names = [...new Set(judged.map(({ label }) => label.family))];
  return names.map((family) => {
    const members = judged.filter(({ label }) => label.family === family);
    const delays = members.flatMap((one) => ("delayHours" in one && hit(one) ? [one.delayHours as number] : []));
    return {
      family,
      label: (members[0] as T).label.label,
      traces: members.length,
      hit: members.filter(hit).length,
      medianDelayHours: delays.length === 0 ? undefined : median(delays),
    };
  });
}

/** Seconds in which the processes of a trace were really seen: one step per sample. */
export const seenSeconds = ({ members }: Trace): number =>
  members.reduce((sum, { times }) => sum + times.length * medianStep(times), 0);

export function medianStep(times: ArrayLike<number>): number {
  const steps = Array.from(
    { length: Math.min(times.length - 1, 1000) },
    (_, i) => (times[i + 1] as number) - (times[i] as number),
  );
  return steps.length === 0 ? 0 : median(steps);
}

function timeToOomError(known: readonly { label: TraceLabels; found: ScoredTrace }[], share: number): number {
  const errors = known.flatMap(({ label: { tto }, found }) => {
    if (!tto) return [];
    const t = tto.start + (tto.oom - tto.start) * share;
    if (t > tto.end) return []; // the life ended before
    const estimate = found.time_to_oom.findLast(([at]) => at <= t);
    if (estimate === undefined || t - estimate[0] > estimateAge) return [Number.POSITIVE_INFINITY];
    const left = tto.oom - t;
    return [Math.abs(estimate[1] - left) / left];
  });
  return median(errors);
}
