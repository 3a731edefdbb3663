// The series that the recording rules make, declared once: rules, dashboards, analysis and docs/metrics.md read them here.
// Named level:metric:operations, https://prometheus.io/docs/practices/rules/

import type { Unit } from "./metric.ts";

export interface Recording {
  readonly name: string;
  /** One sentence for people. */
  readonly help: string;
  readonly unit: Unit | "bytes_per_second" | undefined;
}

const recording = (
  name: `${"slot" | "group" | "exporter"}:${string}:${string}`,
  unit: Recording["unit"],
  help: string,
): Recording => ({
  name,
  help,
  unit,
});

/**
 * One per slot of a group. Growth and all that is made of it look across no restart: each is absent until the life is old enough for it.
 * Only levels of before do, which growth is measured from.
 */
export const slotRecordings = {
  floor: recording(
    "slot:leakwatch_memory_floor_bytes:min10m",
    "bytes",
    "The exporter's floor by the minute: the lowest resident memory of the last 10 minutes.",
  ),
  hourFloor: recording(
    "slot:leakwatch_memory_floor_bytes:min1h",
    "bytes",
    "The exporter's floor of an hour by 5 minutes, for growth over hours and days.",
  ),
  dayLow: recording(
    "slot:leakwatch_memory_floor_bytes:min1d",
    "bytes",
    "The lowest of the last day, by the half hour.",
  ),
  dayAgo: recording(
    "slot:leakwatch_memory_floor_bytes:offset1d",
    "bytes",
    "The hour's floor a day ago. Recorded apart, as what looks far back makes everything else in its expression dear.",
  ),
  weekAgo: recording("slot:leakwatch_memory_floor_bytes:offset7d", "bytes", "The hour's floor a week ago."),
  growth15m: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:delta15m",
    "bytes_per_second",
    "Growth of the floor over 15 minutes.",
  ),
  growth1h: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:delta1h",
    "bytes_per_second",
    "Growth of the floor over 1 hour.",
  ),
  growth6h: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:delta6h",
    "bytes_per_second",
    "Growth of the hour's floor over 6 hours.",
  ),
  growth1d: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:delta1d",
    "bytes_per_second",
    "Growth of the hour's floor over 1 day.",
  ),
  growth7d: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:delta7d",
    "bytes_per_second",
    "Growth of the hour's floor over 7 days.",
  ),
  growth: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:life",
    "bytes_per_second",
    "Growth of the floor over the longest window that fits the current life.",
  ),
  confidence: recording(
    "slot:leakwatch_memory_growth_confidence:ratio",
    "ratio",
    "How even the growth is, 0 to 1: the slowest stretch of the longest window, as a share of the growth.",
  ),
  timeToOom: recording(
    "slot:leakwatch_memory_time_to_oom_seconds:estimate",
    "seconds",
    "Headroom over growth: when the process reaches its limit if it goes on like this. Absent while it does not grow.",
  ),
  verdict: recording(
    "slot:leakwatch_memory_verdict:code",
    undefined,
    "The verdict as a number, with the word in the label verdict.",
  ),
  severity: recording(
    "slot:leakwatch_memory_severity:code",
    undefined,
    "The gravest severity of the leak alerts that fire: 1 info, 2 warning, 3 critical, with the word in the label severity. Absent without a leak.",
  ),
} as const;

/**
 * The same, but only of slots that grow: what such a series says over a day costs next to nothing to read, since most slots
 * have none.
 */
export const sparseRecordings = {
  left40m: recording(
    "slot:leakwatch_memory_left_seconds:rise40m",
    "seconds",
    "Time to the limit at the pace of the last 40 minutes. Only if these look like a leak and the limit is hours away.",
  ),
  left2h: recording(
    "slot:leakwatch_memory_left_seconds:rise2h",
    "seconds",
    "Time to the limit at the pace of the last 2 hours. Only if these look like a leak and the limit is hours away.",
  ),
  left12h: recording(
    "slot:leakwatch_memory_left_seconds:rise12h",
    "seconds",
    "Time to the limit at the pace of the last 12 hours. Only if these look like a leak and the limit is hours away.",
  ),
  rise15m: recording(
    "slot:leakwatch_memory_rise_bytes:delta15m",
    "bytes",
    "What the floor gained over 15 minutes. Only where that may be a stretch of a leak, and the limit is hours away.",
  ),
  rise1h: recording(
    "slot:leakwatch_memory_rise_bytes:delta1h",
    "bytes",
    "What the floor gained over 1 hour. Only where that may be a stretch of a leak, and the limit is hours away.",
  ),
  rise6h: recording(
    "slot:leakwatch_memory_rise_bytes:delta6h",
    "bytes",
    "What the hour's floor gained over 6 hours. Only where that may be a stretch of a leak: old processes stand above the day before.",
  ),
  rise12h: recording(
    "slot:leakwatch_memory_rise_bytes:delta12h",
    "bytes",
    "What the hour's floor gained over 12 hours, by the half hour. Only where that may be a stretch of a leak.",
  ),
  rise1d: recording(
    "slot:leakwatch_memory_rise_bytes:delta1d",
    "bytes",
    "What the hour's floor gained over a day, by the half hour. Only where that may be a stretch of a leak.",
  ),
  lowRise1d: recording(
    "slot:leakwatch_memory_rise_bytes:low1d",
    "bytes",
    "How far the lowest of the last day stands above the lowest of the day before. Only where that may be a stretch of a leak.",
  ),
  evenRise12h: recording(
    "slot:leakwatch_memory_rise_bytes:even12h",
    "bytes",
    "What the hour's floor gained over 12 hours. Only where it grew in every stretch of 6 hours in them.",
  ),
  rise22h: recording(
    "slot:leakwatch_memory_rise_bytes:delta22h",
    "bytes",
    "What the hour's floor gained in four overlapping stretches of 6 hours. Only where each gained about as much as the others.",
  ),
  rise36h: recording(
    "slot:leakwatch_memory_rise_bytes:delta36h",
    "bytes",
    "What the hour's floor gained over 36 hours. Only where it grew in every half day of them.",
  ),
  rise58h: recording(
    "slot:leakwatch_memory_rise_bytes:delta58h",
    "bytes",
    "What the hour's floor gained in three overlapping stretches of a day. Only where every day between them grew.",
  ),
  lowRise3d: recording(
    "slot:leakwatch_memory_rise_bytes:low3d",
    "bytes",
    "What the lowest of a day gained over three days. Only where it rose on every day of them.",
  ),
  growth2d: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:delta2d",
    "bytes_per_second",
    "Growth of the hour's floor over 2 days. Only where it grew on both.",
  ),
  slowest: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:slowest",
    "bytes_per_second",
    "Growth in the slowest stretch of the longest window in which every stretch grew.",
  ),
  notable: recording(
    "slot:leakwatch_memory_growth_bytes_per_second:notable",
    "bytes_per_second",
    "Growth over the current life, only where a day of it would be a notable share of the level.",
  ),
  nearLimit: recording(
    "slot:leakwatch_memory_near_limit_bytes:peak",
    "bytes",
    "Highest resident memory of the last 30 minutes. Only where it is near the limit.",
  ),
  leakReach: recording(
    "slot:leakwatch_memory_limit_ratio:leaking",
    "ratio",
    "Share of the limit that was reached. Only while an alert says that the process leaks, and its growth is even.",
  ),
  fdRise: recording(
    "slot:leakwatch_open_fds:rise12h",
    undefined,
    "Descriptors opened and not closed again in 12 hours. Only where they grew in every quarter of them.",
  ),
  threadRise: recording(
    "slot:leakwatch_threads:rise12h",
    undefined,
    "Threads started and not ended again in 12 hours. Only where they grew in every quarter of them.",
  ),
} as const;

/** One per group. */
export const groupRecordings = {
  livesEnded: recording(
    "group:leakwatch_lives_ended:increase1h",
    undefined,
    "Exits in the last hour, a root with its workers as one. Like the other gains below, only where there are any.",
  ),
  livesEndedGrowing: recording(
    "group:leakwatch_lives_ended_growing:increase1h",
    undefined,
    "Those of them whose memory still grew.",
  ),
  newInHour: recording(
    "group:leakwatch_lives_ended:new1h",
    undefined,
    "All exits of the group. Only of groups whose counters began within the last hour.",
  ),
  incidents: recording(
    "group:leakwatch_incidents:sum",
    undefined,
    "Counters by kind: oom_restart (restarts after an OOM kill, certain or suspected), oom_kill (certain kills of any process), restart (restarts that neither a clock ordered nor an OOM kill caused).",
  ),
  incidentsInHour: recording(
    "group:leakwatch_incidents:increase1h",
    undefined,
    "What these counters gained in the last hour.",
  ),
  incidentsForLoop: recording(
    "group:leakwatch_incidents:increase",
    undefined,
    "What these counters gained in the time for which LeakwatchOomLoop looks back, 6 hours unless changed.",
  ),
  oomKills: recording(
    "group:leakwatch_oom_kills:increase1h",
    undefined,
    "OOM kills in the last hour: restarts after a kill or kills of any process, whichever are more.",
  ),
  unplanned: recording(
    "group:leakwatch_unplanned_restarts:sum",
    undefined,
    "Restarts that no clock ordered, a counter.",
  ),
  restarts: recording(
    "group:leakwatch_restarts:increase1h",
    undefined,
    "Restarts in the last hour that no clock ordered.",
  ),
  running: recording(
    "group:leakwatch_processes:filtered",
    undefined,
    "Processes of the group, by the half hour. Only while there are any.",
  ),
  dropped: recording(
    "group:leakwatch_processes:dropped",
    undefined,
    "Processes that the group had before the last of them went. Only for some minutes, and only of groups that ran for most of a day, were not moved, renamed or stopped together with others.",
  ),
  growth: recording(
    "group:leakwatch_memory_growth_bytes_per_second:max",
    "bytes_per_second",
    "Growth of the floor over the longest window that fits the life, of the slot that grows fastest.",
  ),
  confidence: recording(
    "group:leakwatch_memory_growth_confidence:max",
    "ratio",
    "How even the growth is, 0 to 1, of the slot that is surest.",
  ),
  timeToOom: recording(
    "group:leakwatch_memory_time_to_oom_seconds:min",
    "seconds",
    "When the first of the group's processes reaches its limit if it goes on like this. Absent while none grows.",
  ),
  verdict: recording(
    "group:leakwatch_memory_verdict:code",
    undefined,
    "The gravest verdict of the group's slots, or masked_leak or restart_loop for the group as a whole.",
  ),
  severity: recording(
    "group:leakwatch_memory_severity:code",
    undefined,
    "The gravest severity of the leak alerts that fire for the group or its slots, as for a slot. Absent without a leak.",
  ),
} as const;

/** One per exporter. */
export const exporterRecordings = {
  memory: recording(
    "exporter:leakwatch_resident_memory_bytes:own",
    "bytes",
    "Resident memory of the exporter itself, picked out of what all targets say of theirs.",
  ),
} as const;

export const recordings: readonly Recording[] = [
  ...Object.values(slotRecordings),
  ...Object.values(sparseRecordings),
  ...Object.values(groupRecordings),
  ...Object.values(exporterRecordings),
];
