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
  podsEndedGrowing: recording(
    "group:leakwatch_pods_ended:growing",
    undefined,
    "1 if most pods with an exporter of their own that ended since the last evaluation were still growing, 0 if not. Only where one ended.",
  ),
  incidents: recording(
    "group:leakwatch_incidents:sum",
    undefined,
    "Counters by kind: oom_restart (restarts after an OOM kill, certain or suspected), oom_kill (certain kills of any process), restart (restarts that neither a clock ordered nor an OOM kill caused).",
  ),
  newInHour: recording(
    "group:leakwatch_lives_ended:new1h",
    undefined,
    "All exits of the group. Only of groups whose counters began within the last hour.",
  ),
  incidentsGained: recording(
    "group:leakwatch_incidents:delta",
    undefined,
    "What these counters gained since the last evaluation. Only where they gained something.",
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
  went: recording(
    "group:leakwatch_processes:gone",
    undefined,
    "Processes that a group had, all of which have exited lately. Only for some minutes.",
  ),
  dropped: recording(
    "group:leakwatch_processes:dropped",
    undefined,
    "Processes that the group had before the last of them went. Only for some minutes, and only of groups that ran for most of a day, were not moved, renamed or stopped together with others.",
  ),
} as const;

export const recordings: readonly Recording[] = Object.values(groupRecordings);
