// The verdict without Prometheus: the shipped rules themselves, evaluated now over what the exporter remembers. There is one
// definition of a leak, and this is not a second one. What the rules record and the exporter does not keep is computed when a
// rule asks for it; nothing runs between two verdicts.

import type { AlertRule, RecordingRule, RuleGroup } from "../../alerts/rule.ts";
import { isAlert } from "../../alerts/rule.ts";
import {
  type DeclaredAlert,
  alerts as declared,
  leakAlerts,
  loopAlerts,
  type Severity,
  severities,
} from "../../catalog/alerts.ts";
import { type Detection, detection } from "../../catalog/detection.ts";
import { groupMetrics } from "../../catalog/metrics.ts";
import { groupRecordings, slotRecordings } from "../../catalog/recordings.ts";
import { type Verdict, verdictCode, verdicts } from "../../catalog/verdicts.ts";
import type { Expr } from "../promql/ast.ts";
import { evaluate, type Source } from "../promql/evaluate.ts";
import { parsePromql } from "../promql/parse.ts";
import type { LabelSet, Samples } from "../promql/series.ts";
import { runAlert } from "../rule-engine/alert-state.ts";
import { recorded } from "../rule-engine/engine.ts";

/** Series of one slot, or of one group, as far as the exporter remembers them. */
export interface RememberedSeries {
  readonly labels: LabelSet;
  series(name: string): readonly Samples[] | undefined;
}

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

interface ParsedAlert {
  readonly rule: AlertRule;
  readonly expr: Expr;
  readonly interval: number;
}

export class LiveRules {
  private readonly recordings = new Map<string, { expr: Expr; interval: number }>();
  private readonly slotAlerts: readonly ParsedAlert[];
  private readonly groupAlerts: readonly ParsedAlert[];
  /** How far back each recorded series was asked for, in seconds: it is computed once per verdict, as far as that. */
  private readonly reach = new Map<string, number>();

  constructor(groups: readonly RuleGroup[]) {
    const alerts: ParsedAlert[] = [];
    for (const { rules, interval } of groups) {
      for (const rule of rules) {
        if (isAlert(rule)) alerts.push({ rule, expr: parsePromql(rule.expr), interval });
        else this.recordings.set((rule as RecordingRule).record, { expr: parsePromql(rule.expr), interval });
      }
    }
    const those = (...wanted: readonly DeclaredAlert[]) =>
      alerts.filter(({ rule }) => wanted.some(({ name }) => name === rule.alert));
    this.slotAlerts = those(...leakAlerts);
    this.groupAlerts = those(declared.memoryLeakMasked, ...loopAlerts);
  }

  /** The verdict of one slot. Times are Unix seconds. */
  judgeSlot(remembered: RememberedSeries, now: number): SlotVerdict {
    const evaluated = this.evaluateAlerts(remembered, this.slotAlerts, now);
    const code = evaluated.value(slotRecordings.verdict.name);
    return {
      verdict: verdicts.find((verdict) => verdict.code === code)?.word ?? "insufficient_data",
      growth: evaluated.value(slotRecordings.growth.name),
      confidence: evaluated.value(slotRecordings.confidence.name),
      timeToOom: evaluated.value(slotRecordings.timeToOom.name),
      firing: evaluated.firing,
    };
  }

  /** The gravest verdict of a group's slots, or what holds for the group as a whole. */
  judgeGroup(remembered: RememberedSeries, slots: readonly Verdict[], now: number): Verdict {
    const { firing } = this.evaluateAlerts(remembered, this.groupAlerts, now);
    if (loopAlerts.some(({ name }) => firing.has(name))) return "restart_loop";
    if (firing.has(declared.memoryLeakMasked.name)) return "masked_leak";
    return slots.reduce<Verdict>((a, b) => (verdictCode[b] > verdictCode[a] ? b : a), "insufficient_data");
  }

  private evaluateAlerts(remembered: RememberedSeries, alerts: readonly ParsedAlert[], now: number) {
    const firing = new Map<string, Severity>();
    const alertSamples: Samples[] = [];
    const source = this.source(remembered, alertSamples, now);
    for (const { rule, expr, interval } of alerts) {
      // long enough to know whether it has held, and whether it keeps firing
      const times = gridUpTo(interval, now - rule.for - (rule.keepFiringFor ?? 0), now);
      for (const { labels, values } of runAlert(rule, evaluate(expr, source, times), times).series) {
        if (Number.isNaN(values[values.length - 1] as number)) continue;
        firing.set(rule.alert, gravest(firing.get(rule.alert), rule.labels.severity));
        alertSamples.push({ labels: { ...remembered.labels, ...labels }, times: [now], values: [1] });
      }
    }
    // one series for each word of a verdict, and only one of them has a value now
    const value = (name: string) =>
      source
        .series(name, now, now)
        .map(({ values }) => values[values.length - 1])
        .find((last) => last !== undefined && !Number.isNaN(last));
    return { firing, value };
  }

  /** What is remembered, and what rules record, computed on the grid of their interval as far back as it is asked for. */
  private source(remembered: RememberedSeries, alerts: readonly Samples[], now: number): Source {
    const computed = new Map<string, { samples: readonly Samples[]; reach: number }>();
    const source: Source = {
      series: (name, from) => {
        if (name === "ALERTS") return alerts;
        const own = remembered.series(name);
        if (own !== undefined) return own;
        const rule = this.recordings.get(name);
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

function gravest(a: Severity | undefined, b: Severity): Severity {
  return a !== undefined && severities.indexOf(a) > severities.indexOf(b) ? a : b;
}

/** Recorded series of a group, from the times of what happened to it. */
export class GroupSeries implements RememberedSeries {
  readonly labels: LabelSet;
  private readonly history: GroupHistory;
  private readonly now: number;
  private readonly windows: { readonly hour: number; readonly loop: number };

  /** `now` is Unix time, the windows' lengths are seconds. */
  constructor(
    group: string,
    history: GroupHistory,
    now: number,
    { ledgerStep, restarts }: Pick<Detection, "ledgerStep" | "restarts"> = detection,
  ) {
    this.labels = { group };
    this.history = history;
    this.now = now;
    this.windows = { hour: ledgerStep.step, loop: restarts.oomLoop.over };
  }

  series(name: string): readonly Samples[] | undefined {
    const { knownSince, processes } = this.history;
    // what the rules ask it is since when it is known
    if (name === groupMetrics.livesEnded.name) return this.held(name, knownSince, 0);
    if (name === groupMetrics.processes.name) return this.held(name, this.now, processes);
    const counted = counts[name];
    if (counted === undefined) return undefined;
    const times = this.hoursAndNow();
    return counted.map(({ window, of, labels }) => ({
      labels: { ...this.labels, ...labels, __name__: name },
      times,
      values: times.map((t) => this.eventsIn(t - this.windows[window], t).filter(of).length),
    }));
  }

  private held(name: string, since: number, value: number): readonly Samples[] {
    return [{ labels: { ...this.labels, __name__: name }, times: [since], values: [value], holds: true }];
  }

  private eventsIn(from: number, to: number): GroupEvent[] {
    return this.history.events.filter(({ time }) => time > from && time <= to);
  }

  private hoursAndNow(): number[] {
    const { now } = this;
    const { hour } = this.windows;
    const first = Math.ceil(Math.max(this.history.knownSince, now - 8 * 24 * hour) / hour);
    const times: number[] = [];
    for (let i = first; i * hour <= now; i++) times.push(i * hour);
    return [...times, now];
  }
}

/** Also those of workers whose root lives on. */
const isOom = ({ reason }: GroupEvent) => reason === "oom" || reason === "suspected_oom";
const isUnplanned = ({ restart }: GroupEvent) => restart !== undefined && restart !== "scheduled";

interface Counted {
  readonly window: "hour" | "loop";
  readonly of: (event: GroupEvent) => boolean;
  readonly labels?: LabelSet;
}

const incidents = (window: Counted["window"]): Counted[] => [
  { window, of: isOom, labels: { kind: "oom_restart" } },
  { window, of: (event) => isUnplanned(event) && !isOom(event), labels: { kind: "restart" } },
];

/** What the rules record of a group, as counts of events. */
const counts: Readonly<Record<string, readonly Counted[]>> = {
  [groupRecordings.livesEnded.name]: [{ window: "hour", of: () => true }],
  [groupRecordings.livesEndedGrowing.name]: [{ window: "hour", of: ({ growing }) => growing }],
  [groupRecordings.restarts.name]: [{ window: "hour", of: isUnplanned }],
  [groupRecordings.oomKills.name]: [{ window: "hour", of: isOom }],
  [groupRecordings.incidentsInHour.name]: incidents("hour"),
  [groupRecordings.incidentsForLoop.name]: incidents("loop"),
};

/** What the exporter remembers of a group. */
export interface GroupHistory {
  readonly events: readonly GroupEvent[];
  /** Unix time from which on nothing was missed, in seconds. */
  readonly knownSince: number;
  /** Processes that run now. */
  readonly processes: number;
}

/** The end of a life, and what followed. Unix seconds. */
export interface GroupEvent {
  readonly time: number;
  /** Why it ended. */
  readonly reason: string;
  readonly growing: boolean;
  /** Undefined when no other process took the slot. */
  restart: string | undefined;
}
