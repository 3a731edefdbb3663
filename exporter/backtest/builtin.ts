// The rules over traces without any other program.

import type { RuleGroup } from "../../alerts/rule.ts";
import type { Detection } from "../../catalog/detection.ts";
import { RuleEngine } from "../rule-engine/engine.ts";
import { exposedSeries } from "./exposed.ts";
import { type TraceReport, traceReport } from "./report.ts";
import type { Trace } from "./traces.ts";

/** Rules about the bundle itself have nothing to look at in a trace. */
export const tracedGroups = (groups: readonly RuleGroup[]) => groups.filter(({ name }) => name !== "leakwatch-health");

/** Evaluates one trace after another; with the windows of the rules, where these run on a faster clock. */
export function builtinEngine(groups: readonly RuleGroup[], windows?: Detection): (trace: Trace) => TraceReport {
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
