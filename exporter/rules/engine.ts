// Evaluates rule groups over a stretch of the past, as a Prometheus server would have evaluated them: recorded series on
// the grid of their group's interval, alerts with `for` and `keep_firing_for`. Rules are taken in the order of what they
// read, each for the whole stretch at once, so a week costs little more than a minute.

import type { AlertRule, Rule, RuleGroup } from "../../alerts/rule.ts";
import { isAlert } from "../../alerts/rule.ts";
import { type Expr, selectorsOf } from "../promql/ast.ts";
import { PromqlError } from "../promql/error.ts";
import { evaluate, type Source } from "../promql/evaluate.ts";
import { parsePromql } from "../promql/parse.ts";
import { type Column, type LabelSet, mergeSame, type Samples, type Vector, withoutName } from "../promql/series.ts";

/** A stretch in which an alert fired. Seconds on the clock of the samples. */
export interface Episode {
  readonly alert: string;
  readonly labels: LabelSet;
  readonly start: number;
  /** Undefined when it still fires at the end. */
  readonly end: number | undefined;
}

export interface Evaluated {
  readonly episodes: readonly Episode[];
  /** All series by name: those that were given, those that were recorded, and ALERTS. */
  readonly series: ReadonlyMap<string, readonly Samples[]>;
}

interface PlannedRule {
  readonly rule: Rule;
  readonly expr: Expr;
  readonly interval: number;
}

/** Rules in an order in which each finds what it reads. Made once, used for many stretches. */
export class RuleEngine {
  private readonly plan: readonly PlannedRule[];

  /** Throws PromqlError for a rule that uses what is not understood here. */
  constructor(groups: readonly RuleGroup[]) {
    const rules = groups.flatMap(({ rules: all, interval }) =>
      all.map((rule) => ({ rule, expr: parsePromql(rule.expr), interval })),
    );
    this.plan = inOrder(rules);
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
      if (!isAlert(rule)) {
        append(series, rule.record, recorded(rule.record, rule.labels ?? {}, columns, times));
        continue;
      }
      const elements = columns.map(({ labels, values }) => ({ labels: withoutName(labels), values }));
      for (const column of mergeSame(elements, times)) {
        const { labels, firing, found } = runAlert(rule, column, times);
        if (found.length === 0) continue;
        episodes.push(...found);
        append(series, "ALERTS", [
          {
            labels: { __name__: "ALERTS", ...labels, alertname: rule.alert, alertstate: "firing" },
            times,
            values: firing,
          },
        ]);
      }
    }
    return { episodes, series };
  }
}

function evaluateRule(rule: Rule, expr: Expr, source: Source, times: Float64Array) {
  try {
    return evaluate(expr, source, times);
  } catch (error) {
    if (error instanceof PromqlError) throw new PromqlError(`${nameOf(rule)}: ${error.message}`, { cause: error });
    throw error;
  }
}

function gridOf(interval: number, from: number, to: number): Float64Array {
  const first = Math.ceil(from / interval);
  const count = Math.max(0, Math.floor(to / interval) - first + 1);
  return Float64Array.from({ length: count }, (_, i) => (first + i) * interval);
}

function append(series: Map<string, Samples[]>, name: string, more: readonly Samples[]): void {
  series.set(name, [...(series.get(name) ?? []), ...more]);
}

/** Elements that differ only in the name that they had are one series now. */
function recorded(name: string, labels: LabelSet, columns: Vector, times: Float64Array): Samples[] {
  const renamed = columns.map(({ labels: own, values }) => ({ labels: { ...own, ...labels, __name__: name }, values }));
  return mergeSame(renamed, times).map((column) => ({ ...column, times }));
}

/** Pending until the condition held for `for`, firing from then on, and for `keep_firing_for` after it ended. */
function runAlert(rule: AlertRule, { labels: own, values }: Column, times: Float64Array) {
  const labels: LabelSet = { ...own, ...rule.labels };
  const firing = new Float64Array(times.length).fill(Number.NaN);
  const found: Episode[] = [];
  const keep = rule.keepFiringFor ?? 0;
  let activeSince: number | undefined;
  let firedAt: number | undefined;
  let goneSince: number | undefined;
  for (let i = 0; i < times.length; i++) {
    const t = times[i] as number;
    if (!Number.isNaN(values[i] as number)) {
      goneSince = undefined;
      activeSince ??= t;
      if (firedAt === undefined && t - activeSince >= rule.for) firedAt = t;
    } else {
      activeSince = undefined;
      goneSince ??= t;
      if (firedAt !== undefined && t - goneSince >= keep) {
        found.push({ alert: rule.alert, labels, start: firedAt, end: t });
        firedAt = undefined;
      }
    }
    if (firedAt !== undefined) firing[i] = 1;
  }
  if (firedAt !== undefined) found.push({ alert: rule.alert, labels, start: firedAt, end: undefined });
  return { labels, firing, found };
}

/** Depth first by what each rule reads. Throws for rules that read each other in a circle. */
function inOrder(rules: readonly PlannedRule[]): PlannedRule[] {
  const ordered: PlannedRule[] = [];
  const state = new Map<PlannedRule, "visiting" | "done">();
  const visit = (planned: PlannedRule) => {
    if (state.get(planned) === "done") return;
    if (state.get(planned) === "visiting") {
      throw new Error(`the rule ${nameOf(planned.rule)} reads itself, directly or through others`);
    }
    state.set(planned, "visiting");
    for (const other of rules) if (reads(planned, other)) visit(other);
    state.set(planned, "done");
    ordered.push(planned);
  };
  for (const planned of rules) visit(planned);
  return ordered;
}

const nameOf = (rule: Rule) => (isAlert(rule) ? rule.alert : rule.record);

function reads({ expr }: PlannedRule, { rule: other }: PlannedRule): boolean {
  for (const { name, matchers } of selectorsOf(expr)) {
    if (!isAlert(other)) {
      if (name === other.record) return true;
    } else if (name === "ALERTS") {
      const labels: LabelSet = { ...other.labels, alertname: other.alert, alertstate: "firing" };
      const excluded = matchers.some(({ label, op, value }) => {
        const text = labels[label];
        if (text === undefined) return false; // a label of the series, not of the alert
        if (op === "=" || op === "!=") return (text === value) !== (op === "=");
        return new RegExp(`^(?:${value})$`).test(text) !== (op === "=~");
      });
      if (!excluded) return true;
    }
  }
  return false;
}
