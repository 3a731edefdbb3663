// What the exporter would expose about a process, a group, or itself.

import { evidenceWords, reasonWords } from "../../catalog/last-exit.ts";
import {
  groupMetrics,
  judgeMetrics as judge,
  processInfo,
  processMetrics,
  type RestartReason,
  restartReasons,
} from "../../catalog/metrics.ts";
import { type LeakSeverity, type Verdict, verdictCode } from "../../catalog/verdicts.ts";
import { gap, level, notation, type Stretch } from "./shape.ts";

export type Labels = Readonly<Record<string, string>>;

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

export const series = (name: string, labels: Labels, ...stretches: readonly Stretch[]): InputSeries => ({
  series: `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(",")}}`,
  values: notation(stretches),
});

/** What an exporter makes of one slot for some minutes. */
export interface Judged {
  readonly minutes: number;
  readonly verdict: Verdict;
  readonly severity?: LeakSeverity;
  /** Bytes per hour. */
  readonly growth?: number;
  readonly confidence?: number;
  /** Seconds at its beginning; each minute takes sixty. */
  readonly timeToOom?: number;
  /** Resident memory in bytes. */
  readonly memory?: number;
}

/** One slot, judged as one thing after another; its memory and its limit beside it. */
export function slotOf(labels: Labels, limit: number, ...stretches: readonly Judged[]): InputSeries[] {
  const slot = { ...labels, slot: labels["slot"] ?? "0" };
  const of = (name: string, more: Labels, value: (judged: Judged) => number | undefined, step = 0): InputSeries[] =>
    stretches.some((judged) => value(judged) !== undefined)
      ? [
          series(
            name,
            { ...slot, ...more },
            ...stretches.map((one) => ({ minutes: one.minutes, from: value(one), step })),
          ),
        ]
      : [];
  const words = [...new Set(stretches.map(({ verdict }) => verdict))];
  const perSecond = ({ growth }: Judged) => (growth === undefined ? undefined : growth / 3600);
  return [
    ...of(processMetrics.memoryLimit.name, {}, () => limit),
    ...of(processMetrics.residentMemory.name, {}, ({ memory }) => memory),
    ...words.flatMap((word) =>
      of(judge.verdict.name, { verdict: word }, ({ verdict }) => (verdict === word ? verdictCode[word] : undefined)),
    ),
    ...of(judge.severity.name, {}, ({ severity = 0 }) => severity),
    ...["1h", "6h"].flatMap((window) => of(judge.growth.name, { window }, perSecond)),
    ...of(judge.leakGrowth.name, {}, (one) => (one.severity === undefined ? undefined : perSecond(one))),
    ...of(judge.confidence.name, {}, ({ confidence }) => confidence),
    ...of(judge.timeToOom.name, {}, ({ timeToOom }) => timeToOom, -60),
  ];
}

/** Where the limit of a slot comes from. */
export const limitSource = (labels: Labels, source: "cgroup" | "node", minutes: number): InputSeries =>
  series(processInfo.memoryLimit.name, { ...labels, slot: "0", source }, level(1, minutes));

/** The end of a life, in minutes after the test begins. */
export interface End {
  readonly at: number;
  readonly reason: RestartReason;
  readonly growing?: boolean;
}

const evidence: Record<RestartReason, keyof typeof evidenceWords> = {
  oom: "cgroup_oom_kill",
  suspected_oom: "near_limit",
  scheduled: "steady_cadence",
  exit: "none",
  unknown: "not_watched",
};

/** The counters of a group. They start again from 0 when the exporter itself is restarted, at these times. */
export function ledgerOf(
  labels: Labels,
  minutes: number,
  ends: readonly End[],
  exporterRestarts: readonly number[] = [],
): InputSeries[] {
  const counted = (name: string, more: Labels, counts: (end: End) => boolean) => {
    const changes = [...ends.filter(counts).map(({ at }) => at), ...exporterRestarts].sort((a, b) => a - b);
    const stretches: Stretch[] = [];
    let value = 0;
    let from = 0;
    for (const at of changes) {
      if (at > from) stretches.push(level(value, at - from));
      value = exporterRestarts.includes(at) ? 0 : value + 1;
      from = at;
    }
    return series(name, { ...labels, ...more }, ...stretches, level(value, minutes - from));
  };
  const [first] = ends;
  return [
    counted(groupMetrics.livesEnded.name, {}, () => true),
    counted(groupMetrics.livesEndedGrowing.name, {}, ({ growing }) => growing === true),
    counted(groupMetrics.oomKills.name, {}, ({ reason }) => reason === "oom"),
    ...restartReasons.map((reason) => counted(groupMetrics.restarts.name, { reason }, (end) => end.reason === reason)),
    ...restartReasons
      .filter((reason) => ends.some((end) => end.reason === reason))
      .map((reason) =>
        series(
          groupMetrics.lastEnd.name,
          { ...labels, reason, evidence: evidence[reason] },
          gap(first?.at ?? 0),
          ...ends.map((end, i) => {
            const until = (ends[i + 1]?.at ?? minutes) - end.at;
            return end.reason === reason ? level(1, until) : gap(until);
          }),
        ),
      ),
    ...(first === undefined
      ? []
      : [series(groupMetrics.lastEndMemoryLimit.name, labels, gap(first.at), level(0.97, minutes - first.at))]),
  ];
}

/** How the text of an alert says it. */
export const lastExit = (reason: RestartReason) =>
  `Last exit: ${reasonWords[reason]} (${evidenceWords[evidence[reason]]}), at 97% of its limit.`;

/** A value that changes at these minutes; undefined where there is no sample. */
export function changing(
  minutes: number,
  ...points: readonly (readonly [from: number, value: number | undefined])[]
): Stretch[] {
  const ends = [...points.slice(1).map(([from]) => from), minutes];
  const stretches = points.map(
    ([from, value], i): Stretch => ({ minutes: (ends[i] ?? minutes) - from, from: value, step: 0 }),
  );
  const [first] = points;
  return [...(first !== undefined && first[0] > 0 ? [gap(first[0])] : []), ...stretches];
}

/** Ends at these times, all alike. */
export const endsAt = (at: readonly number[], reason: RestartReason, growing = false): End[] =>
  at.map((time) => ({ at: time, reason, growing }));

/** `from`, `from + step`, … before `to`. */
export const every = (step: number, from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
