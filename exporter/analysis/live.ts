// The verdict without Prometheus: the shipped rules themselves, evaluated at one moment over what the exporter remembers. There
// is one definition of a leak, and this is not a second one. What the rules record and the exporter does not keep is
// computed when a rule asks for it.

import type { AlertRule, RecordingRule, RuleGroup } from "../../alerts/rule.ts";
import { isAlert } from "../../alerts/rule.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import { type Verdict, verdicts } from "../../catalog/verdicts.ts";
import type { Severity } from "../../catalog/windows.ts";
import type { Expr } from "../promql/ast.ts";
import { evaluate, type Source } from "../promql/evaluate.ts";
import { parsePromql } from "../promql/parse.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import { recorded } from "../rules/engine.ts";

/** What can be said of a slot now; undefined where nothing can. */
export interface SlotVerdict {
  readonly verdict: Verdict;
  /** Bytes per second. */
  readonly growth: number | undefined;
  /** 0 to 1. */
  readonly confidence: number | undefined;
  /** Seconds. */
  readonly timeToOom: number | undefined;
  /** Alerts that fire, by name, the gravest severity of each. */
  readonly firing: ReadonlyMap<string, Severity>;
}

/** Series of one slot (or group) as far as they are kept. */
export interface Kept {
  series(name: string): readonly Samples[] | undefined;
}

/** Since when an alert is active, fires, and is gone again; in seconds. */
export interface AlertState {
  active: number | undefined;
  firing: number | undefined;
  gone: number | undefined;
}

interface Recorded {
  readonly expr: Expr;
  readonly interval: number;
}

export class LiveRules {
  private readonly recorded = new Map<string, Recorded>();
  /** How far back each recorded series was asked for, in seconds: it is computed once per look, as far as that. */
  private readonly reach = new Map<string, number>();
  private readonly alerts: readonly { rule: AlertRule; expr: Expr; key: string }[];

  /** `isWanted` picks the alerts that are evaluated. */
  constructor(groups: readonly RuleGroup[], isWanted: (rule: AlertRule) => boolean) {
    for (const { rules, interval } of groups) {
      for (const rule of rules) {
        if (!isAlert(rule))
          this.recorded.set((rule as RecordingRule).record, { expr: parsePromql(rule.expr), interval });
      }
    }
    this.alerts = groups
      .flatMap(({ rules }) => rules.filter(isAlert))
      .filter(isWanted)
      .map((rule) => ({ rule, expr: parsePromql(rule.expr), key: `${rule.alert} ${rule.labels["window"] ?? ""}` }));
  }

  /** Evaluates everything for one slot at `now`; `states` are the alerts' states from one time to the next. */
  judge(kept: Kept, states: Map<string, AlertState>, now: number): SlotVerdict {
    const firing = new Map<string, Severity>();
    const alertSamples: Samples[] = [];
    const source = this.source(kept, alertSamples, now);
    const at = Float64Array.of(now);
    for (const { rule, expr, key } of this.alerts) {
      const isActive = evaluate(expr, source, at).some(({ values }) => !Number.isNaN(values[0] as number));
      const state = nextState(rule, states.get(key), isActive, now);
      if (state === undefined) states.delete(key);
      else states.set(key, state);
      if (state?.firing === undefined) continue;
      firing.set(rule.alert, gravest(firing.get(rule.alert), rule.labels.severity));
      const labels: LabelSet = {
        ...rule.labels,
        ...slotLabels(kept),
        __name__: "ALERTS",
        alertname: rule.alert,
        alertstate: "firing",
      };
      alertSamples.push({ labels, times: [now], values: [1] });
    }
    const value = (name: string) => {
      const found = source.series(name, now, now)[0];
      const last = found?.values[found.values.length - 1];
      return last === undefined || Number.isNaN(last) ? undefined : last;
    };
    const code = value(slotRecordings.verdict.name);
    return {
      verdict: verdicts.find((verdict) => verdict.code === code)?.word ?? "insufficient_data",
      growth: value(slotRecordings.growth.name),
      confidence: value(slotRecordings.confidence.name),
      timeToOom: value(slotRecordings.timeToOom.name),
      firing,
    };
  }

  /** What is kept, and what rules record, computed on the grid of their interval as far back as it is asked for. */
  private source(kept: Kept, alerts: readonly Samples[], now: number): Source {
    const computed = new Map<string, { samples: readonly Samples[]; reach: number }>();
    const source: Source = {
      series: (name, from) => {
        if (name === "ALERTS") return alerts;
        const own = kept.series(name);
        if (own !== undefined) return own;
        const rule = this.recorded.get(name);
        if (rule === undefined) return [];
        const reach = Math.max(this.reach.get(name) ?? 0, now - from);
        const known = computed.get(name);
        if (known !== undefined && known.reach >= reach) return known.samples;
        this.reach.set(name, reach);
        const times = gridUpTo(rule.interval, now - reach, now);
        const samples = recorded(name, {}, evaluate(rule.expr, source, times), times);
        computed.set(name, { samples, reach });
        return samples;
      },
    };
    return source;
  }
}

/** Steps back from `to`, so that the last value is of that very moment. */
function gridUpTo(interval: number, from: number, to: number): Float64Array {
  const count = Math.floor((to - from) / interval) + 1;
  return Float64Array.from({ length: count }, (_, i) => to - (count - 1 - i) * interval);
}

function nextState(
  rule: AlertRule,
  before: AlertState | undefined,
  isActive: boolean,
  now: number,
): AlertState | undefined {
  const state = before ?? { active: undefined, firing: undefined, gone: undefined };
  if (isActive) {
    const active = state.active ?? now;
    return { active, firing: state.firing ?? (now - active >= rule.for ? now : undefined), gone: undefined };
  }
  if (state.firing === undefined) return undefined;
  const gone = state.gone ?? now;
  return now - gone >= (rule.keepFiringFor ?? 0) ? undefined : { active: undefined, firing: state.firing, gone };
}

function slotLabels(kept: Kept): LabelSet {
  const { __name__: _, ...labels } = kept.series(slotRecordings.floor.name)?.[0]?.labels ?? {};
  return labels;
}

const order: readonly Severity[] = ["info", "warning", "critical"];

const gravest = (a: Severity | undefined, b: Severity): Severity =>
  a !== undefined && order.indexOf(a) > order.indexOf(b) ? a : b;
