// What a backtest found, as JSON: times on the trace's own clock.

import { slotRecordings } from "../../catalog/recordings.ts";
import type { Evaluated } from "../rule-engine/engine.ts";

export interface Report {
  step_seconds: number;
  engine: "builtin" | "prometheus";
  traces: TraceReport[];
}

export interface TraceReport {
  id: string;
  /** By start. */
  episodes: EpisodeReport[];
  /** The estimate over time, `[t, seconds]`; of a group, that of the slot that is nearest to its limit. */
  time_to_oom: [t: number, seconds: number][];
}

export interface EpisodeReport {
  alert: string;
  severity: string;
  class: string;
  /** Null for alerts about a group as a whole. */
  slot: string | null;
  start: number;
  /** Null when it still fires at the end of the trace. */
  end: number | null;
}

export function traceReport(id: string, { episodes, series }: Evaluated): TraceReport {
  return {
    id,
    episodes: episodes
      .map(({ alert, labels, start, end }) => ({
        alert,
        severity: labels["severity"] ?? "",
        class: labels["class"] ?? "",
        slot: labels["slot"] ?? null,
        start,
        end: end ?? null,
      }))
      .sort((a, b) => a.start - b.start || (a.alert < b.alert ? -1 : 1)),
    time_to_oom: nearest(series.get(slotRecordings.timeToOom.name) ?? []),
  };
}

/** The least estimate of all slots at each time. */
export function nearest(slots: readonly { times: ArrayLike<number>; values: ArrayLike<number> }[]): [number, number][] {
  const least = new Map<number, number>();
  for (const { times, values } of slots) {
    for (let i = 0; i < times.length; i++) {
      const [t, seconds] = [times[i] as number, values[i] as number];
      if (!Number.isNaN(seconds)) least.set(t, Math.min(seconds, least.get(t) ?? Number.POSITIVE_INFINITY));
    }
  }
  return [...least].sort(([a], [b]) => a - b);
}
