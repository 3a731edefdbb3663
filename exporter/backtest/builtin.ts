// The rules over traces without any other program: for the tests and scores of the rules themselves. The command does not use it.

import type { RuleGroup } from "../../alerts/rule.ts";
import type { Detection } from "../../catalog/detection.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import { type Evaluated, RuleEngine } from "../rule-engine/engine.ts";
import { exposedSeries } from "./exposed.ts";
import type { ScoredTrace } from "./score.ts";
import type { Trace } from "./traces.ts";

/** Rules about the bundle itself have nothing to look at in a trace. */
export const tracedGroups = (groups: readonly RuleGroup[]) => groups.filter(({ name }) => name !== "leakwatch-health");

/** Evaluates one trace after another; with the windows of the rules, where these run on a faster clock. */
export function builtinEngine(groups: readonly RuleGroup[], windows?: Detection): (trace: Trace) => ScoredTrace {
  const engine = new RuleEngine(tracedGroups(groups));
  return (trace) => {
    const [from, to] = extentOf(trace);
    return traceReport(trace.id, engine.evaluate(exposedSeries(trace, windows), from, to));
  };
}

/** First and last time of any member, in seconds. */
export function extentOf({ members }: Trace): [from: number, to: number] {
  const ends = members.filter(({ times }) => times.length > 0);
  return [
    Math.min(...ends.map(({ times }) => times[0] as number)),
    Math.max(...ends.map(({ times }) => times[times.length - 1] as number)),
  ];
}

function traceReport(id: string, { episodes, series }: Evaluated): ScoredTrace {
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
function nearest(slots: readonly { times: ArrayLike<number>; values: ArrayLike<number> }[]): [number, number][] {
  const least = new Map<number, number>();
  for (const { times, values } of slots) {
    for (let i = 0; i < times.length; i++) {
      const [t, seconds] = [times[i] as number, values[i] as number];
      if (!Number.isNaN(seconds)) least.set(t, Math.min(seconds, least.get(t) ?? Number.POSITIVE_INFINITY));
    }
  }
  return [...least].sort(([a], [b]) => a - b);
}
