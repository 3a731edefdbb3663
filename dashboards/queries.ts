// What the panels ask. Every selector carries the variables of the bar at the top, and identity labels are reduced before
// anything is summed: a second Prometheus that scrapes the same exporter must not double the memory.

import { inSight as inSightOfLife } from "../catalog/appearance.ts";
import { exporterLabels, listed, serviceLabels, slotLabels } from "../catalog/labels.ts";
import {
  cgroupMetrics,
  groupMetrics,
  type growthLabels,
  judgeMetrics,
  outsideMetrics,
  processInfo,
  processMetrics,
  selfMetrics,
} from "../catalog/metrics.ts";
import { groupRecordings } from "../catalog/recordings.ts";
import { verdictCode } from "../catalog/verdicts.ts";
import type { Clock } from "./clock.ts";

/** A group is one row, wherever its processes run. */
export { exporterLabels, serviceLabels as groupLabels, slotLabels };
export const byGroup = `by (${listed(serviceLabels)})`;

export const bySlot = `by (${listed(slotLabels)})`;
/** For lines named by group and slot: the highest of the instances that have both. */
export const byLine = `by (${listed(serviceLabels)}, slot)`;
export const onSlot = `on (${listed(slotLabels)})`;

interface Named {
  readonly name: string;
}

/** A series of the catalogue with matchers. */
type Scope = (series: Named | string, ...more: readonly string[]) => string;

const scope =
  (...matchers: readonly string[]): Scope =>
  (series, ...more) =>
    `${typeof series === "string" ? series : series.name}{${[...matchers, ...more].join(",")}}`;

const exporterMatchers = exporterLabels.map((label) => `${label}=~"$${label}"`);

/** Group names may hold anything: a raw string and Grafana's :regex take quotes, slashes and backslashes as they are. */
const groupIn = (variable: string) => `group=~\`\${${variable}:regex}\``;
const groupMatcher = groupIn("group");
const worstMatcher = groupIn("worst");

/** Of an exporter, whatever the group. */
export const ofExporter = scope(...exporterMatchers);
/** Of the chosen groups. */
export const ofGroups = scope(...exporterMatchers, groupMatcher);
/** Of those among them that the charts show: a bounded number, however many groups there are. */
export const ofWorst = scope(...exporterMatchers, groupMatcher, worstMatcher);
/** Of the chosen processes of one group. */
export const ofSlots = scope(...exporterMatchers, groupMatcher, 'slot=~"$slot"');
/** Of the containers that held the processes of `ofWorst`, or of one group: these series do not know the group. */
export const ofContainers = scope(...exporterMatchers, `cgroup=~\`\${cgroups:regex}\``);

export const perHour = (expr: string) => `${expr} * 3600`;

/** Lives or restarts in so many hours. The series is the gain of an hour, recorded every few minutes: each event is in it
 * as often as an hour has evaluations. Rounded up, so that what happened just now counts too. Where nothing was gained there
 * is no series. */
export const countedOver = (clock: Clock, gainOfAnHour: string, hours: number, every = clock.rules.evaluation.slow) =>
  `ceil(sum_over_time(${gainOfAnHour}[${clock.time(`${hours - 1}h`)}]) / ${clock.seconds("1h") / every})`;

/** Seconds between two values of a gain of an hour. */
export const recordedEvery = ({ rules: { evaluation } }: Clock, series: Named) =>
  series === groupRecordings.livesEnded || series === groupRecordings.livesEndedGrowing
    ? evaluation.slow
    : evaluation.fast;

export const leakingCodes = [verdictCode.leaking, verdictCode.masked_leak] as const;

type GrowthLabel = (typeof growthLabels)[number];

/** Growth of the floor over the last 15m, 1h, 6h, 1d or 7d. */
export const growthOver = (of: Scope, window: GrowthLabel) => of(judgeMetrics.growth, `window="${window}"`);

/** The pace of a leak, and of what is none its growth over an hour. */
export const pace = (of: Scope) => `${of(judgeMetrics.leakGrowth)} or ignoring (window) ${growthOver(of, "1h")}`;

/** A time to OOM beyond this, in seconds, is no sight of an end. */
export const inSight = (clock: Clock) => clock.shortened(inSightOfLife);

/** Of a time to OOM: what is further away than anybody plans is as far as that. */
export const atMostInSight = (clock: Clock, timeToOom: string) => `clamp_max(${timeToOom}, ${inSight(clock)})`;

/** In the place of a time to OOM where there is none, by where the row is sorted. Without a limit: behind every time that is in
 * sight, before those that are not, for it may leak. Too young: last but for never. */
export const noLimit = (clock: Clock) => inSight(clock) - 1;
export const tooYoung = 1e15;

/** The groups' verdicts, one number for each. */
export const groupVerdict = (of: Scope) => `max ${byGroup} (${of(groupMetrics.verdict)})`;

/** A column of groups that is there even if none of them has a number yet: else Grafana leaves it out, and its words too. */
export const orEmpty = (expr: string, of: Scope, empty = "NaN") =>
  `${expr} or max ${byGroup} (${of(groupMetrics.processes)}) * ${empty}`;

/** How long ago the exporter looked, the worst of them. */
export const dataAge = `max(time() - max by (${exporterLabels.join(", ")}) (${ofExporter(selfMetrics.lastSample)}))`;

/** The processes that ran, each with the name of its release: the label that users give to their targets, else what Kubernetes
 * tells of the container, else the pod, else the container itself. The later label_replace wins where it matches. Over a range ask
 * about few containers: those of all groups would be read else. */
export function releases(of: Scope, containers: Scope, ago = ""): string {
  const onCgroup = `on (${exporterLabels.join(", ")}, cgroup)`;
  const info = `${of(processInfo.process)}${ago}`;
  const container = `max by (${exporterLabels.join(", ")}, cgroup, image, app_version) (${containers(cgroupMetrics.container)}${ago})`;
  const known = `(${info} * ${onCgroup} group_left (image, app_version) ${container} or ${onSlot} ${info})`;
  const sources = [
    ["container_id", "(.{1,12}).*"],
    ["pod_uid", "(.{1,13}).*"],
    ["image", "(?:.*/)?(.+)"],
    ["app_version", "(.+)"],
    ["$version_label", "(.+)"],
  ];
  return sources.reduce(
    (expr, [label, pattern]) => `label_replace(${expr}, "release", "$1", "${label}", "${pattern}")`,
    `label_replace(${known}, "release", "not known", "", "")`,
  );
}

/** How old each process was when the next one took its slot. The step bounds what is seen: shorter lives count as one. */
export function lifeLengths(clock: Clock, of: Scope): string {
  const step = clock.time("5m");
  const start = of(processMetrics.startTime);
  return `(max ${bySlot} (${start}) - max ${bySlot} (last_over_time(${start}[${clock.time("30m")}] offset ${step})) > 0)[${clock.time("7d")}:${step}]`;
}

export const group = groupRecordings;
export const process = processMetrics;
export const judge = judgeMetrics;
export const cgroup = cgroupMetrics;
export const outside = outsideMetrics;
export const info = processInfo;
export const ledger = groupMetrics;
export const self = selfMetrics;
