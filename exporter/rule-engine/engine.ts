// Evaluates rule groups over a stretch of the past, as a Prometheus server would have evaluated them: recorded series on
// the grid of their group's interval, alerts with `for` and `keep_firing_for`. Rules are taken in the order of what they
// read, each for the whole stretch at once, so a week costs little more than a minute.

import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import type { Expr } from "../promql/ast.ts";
import { PromqlError } from "../promql/error.ts";
import { evaluate, type Source } from "../promql/evaluate.ts";
import { type LabelSet, mergeSame, type Samples, type Vector } from "../promql/series.ts";
import { type Episode, runAlert } from "./alert-state.ts";
import { nameOf, type PlannedRule, planRules } from "./plan.ts";

export type { Episode } from "./alert-state.ts";

export interface Evaluated {
  readonly episodes: readonly Episode[];
  /** All series by name: those that were given, those that were recorded, and ALERTS. */
  readonly series: ReadonlyMap<string, readonly Samples[]>;
}

/** Planned once, used for many stretches. */
export class RuleEngine {
  private readonly plan: readonly PlannedRule[];

  /** Throws PromqlError for a rule that uses what is not understood here. */
  constructor(groups: readonly RuleGroup[]) {
    this.plan = planRules(groups);
  }

  /** `base` are the exporter's series; from and to are seconds. */
  evaluate(base: ReadonlyMap<string, readonly Samples[]>, from: number, to: number): Evaluated {
    const series = new Map<string, Samples[]>([...base].map(([name, samples]) => [name, [...samples]]));
    const source: Source = { series: (name) => series.get(name) ?? [] };
    const grids = new Map<number, Float64Array>();
    const episodes: Episode[] = [];
    for (const { rule, expr, interval } of this.plan) {
      const times = grids.get(interval) ?? gridOf(interval, from, to);
      grids.set(interval, times);
      const columns = evaluateRule(rule, expr, source, times);
      if (isAlert(rule)) {
        const outcome = runAlert(rule, columns, times);
        episodes.push(...outcome.episodes);
        append(series, "ALERTS", outcome.series);
      } else {
        append(series, rule.record, recorded(rule.record, rule.labels ?? {}, columns, times));
      }
    }
    return { episodes, series };
  }
}

/** The times at which rules of this interval are evaluated: its multiples, the ends included. All in seconds. */
export function gridOf(interval: number, from: number, to: number): Float64Array {
  const first = Math.ceil(from / interval);
  const count = Math.max(0, Math.floor(to / interval) - first + 1);
  return Float64Array.from({ length: count }, (_, i) => (first + i) * interval);
}

/** Elements that differ only in the name that they had are one series now. */
export function recorded(name: string, labels: LabelSet, columns: Vector, times: Float64Array): Samples[] {
  const renamed = columns.map(({ labels: own, values }) => ({ labels: { ...own, ...labels, __name__: name }, values }));
  return mergeSame(renamed, times).map((column) => ({ ...column, times }));
}

function evaluateRule(rule: Rule, expr: Expr, source: Source, times: Float64Array) {
  try {
    return evaluate(expr, source, times);
  } catch (error) {
    if (error instanceof PromqlError) throw new PromqlError(`${nameOf(rule)}: ${error.message}`, { cause: error });
    throw error;
  }
}

function append(series: Map<string, Samples[]>, name: string, more: readonly Samples[]): void {
  if (more.length > 0) series.set(name, [...(series.get(name) ?? []), ...more]);
}
