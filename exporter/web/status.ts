// What the exporter knows, as plain values: for the landing page and for the JSON API.

import { KiB } from "../../catalog/defaults.ts";
import type { RestartReason, WorkerExitReason } from "../../catalog/last-exit.ts";
import { growthLabels } from "../../catalog/metrics.ts";
import { leakSeverities, type Verdict } from "../../catalog/verdicts.ts";
import type { RestartAdvice, RestartVerdict } from "../advice/scheduled-restart.ts";
import { restartAdviceTexts } from "../advice/sentences.ts";
import type { Exporter } from "../exporter.ts";
import { outlookText, reasonText, reasonTexts } from "../judge/sentences.ts";
import { column } from "../memory/process-table.ts";
import type { Slot } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import { cutPath } from "../text/visible.ts";

/** JSON of `/api/v1/groups`. Bytes, seconds and shares; null for what cannot be known. */
export interface GroupStatus {
  group: string;
  verdict: Verdict;
  severity: (typeof leakSeverities)[number];
  reasons: string[];
  /** What would change the verdict, in a sentence; null where its processes say it. */
  would_change: string | null;
  /** May its scheduled restart go? Null where none is known. */
  scheduled_restart: ScheduledRestart | null;
  processes: ProcessStatus[];
  restarts: Record<RestartReason, number>;
  /** Workers that exited while the process that started them kept running. */
  worker_exits: Record<WorkerExitReason, number>;
  worker_exits_growing: number;
  lives_ended: number;
  lives_ended_growing: number;
  oom_kills: number;
  /** Who grew most in the hour before the last OOM kill, as a share of all growth under the same limit. */
  oom_growth: { group: string; ratio: number }[];
  last_restart_timestamp_seconds: number | null;
  last_end: {
    reason: string;
    evidence: string;
    memory_limit_ratio: number | null;
    growth_bytes_per_second: number | null;
    lifetime_seconds: number | null;
  } | null;
}

/** Times in seconds. */
export interface ScheduledRestart {
  verdict: RestartVerdict;
  interval_seconds: number | null;
  /** What to set instead. */
  recommended_interval_seconds: number | null;
  /** After so long at most 1 process in 100 would have reached its limit. */
  longest_safe_life_seconds: number | null;
  restarts_avoided_per_week: number | null;
  /** In sentences. */
  reasons: string[];
}

/** Command lines are left out on purpose: they can hold passwords. */
export interface ProcessStatus {
  slot: number;
  pid: number;
  exe: string | null;
  cgroup: string | null;
  container_id: string | null;
  pod_uid: string | null;
  start_time_seconds: number | null;
  uptime_seconds: number | null;
  resident_memory_bytes: number | null;
  peak_resident_memory_bytes: number | null;
  anonymous_memory_bytes: number | null;
  swap_bytes: number | null;
  threads: number | null;
  max_threads: number | null;
  open_fds: number | null;
  max_fds: number | null;
  memory_limit_bytes: number | null;
  memory_limit_source: string;
  /** What is left of the limit. */
  headroom_bytes: number | null;
  /** Lowest unreclaimable memory of the last ten minutes. */
  floor_bytes: number | null;
  /** What its own runtime lets its heap hold, and whose limit that is: v8, jvm, go (soft) or dotnet. */
  heap_limit_bytes: number | null;
  heap_limit_runtime: string | null;
  /** command_line, environment or default. */
  heap_limit_source: string | null;
  verdict: Verdict;
  severity: (typeof leakSeverities)[number];
  /** How long it has been observed, and how long a first verdict takes. */
  observed_seconds: number | null;
  needed_seconds: number | null;
  growth_bytes_per_second: number | null;
  /** What it gained since it was first seen. */
  gained_bytes: number | null;
  growth_by_window_bytes_per_second: Record<string, number | null>;
  /** How sure it is that the process leaks, 0 to 1. */
  confidence_ratio: number | null;
  time_to_oom_seconds: number | null;
  leaking_since_timestamp_seconds: number | null;
  /** Why, in sentences. */
  reasons: string[];
  /** What would change the verdict, in a sentence. */
  would_change: string | null;
  /** Files of the process that cannot be read, and why. */
  unreadable: Record<string, string>;
}

/** Groups with running processes, and those that ended and are remembered; by name. */
export function groupStatuses(exporter: Exporter): GroupStatus[] {
  const { watcher } = exporter;
  const now = exporter.secondsSinceBoot();
  return [...watcher.ledger]
    .map(([name, account]): GroupStatus => {
      const { lastEnd } = account;
      return {
        group: name,
        verdict: watcher.groups.get(name)?.finding?.word ?? "collecting",
        severity: leakSeverities[watcher.groups.get(name)?.finding?.severity ?? 0],
        reasons: (watcher.groups.get(name)?.finding?.reasons ?? []).map(reasonText),
        would_change: outlookText(watcher.serviceOutlook(name)) ?? null,
        scheduled_restart: scheduledRestart(watcher.restartAdvice(name)),
        processes: (watcher.groups.get(name)?.lives() ?? []).map((life) =>
          processStatus(life, life.group.slots[life.slot]),
        ),
        restarts: { ...account.restarts },
        worker_exits: { ...account.workerExits },
        worker_exits_growing: account.workerExitsGrowing,
        lives_ended: account.livesEnded,
        lives_ended_growing: account.livesEndedGrowing,
        oom_kills: account.oomKills,
        oom_growth: account.lastOomGrowth.map(({ group, ratio }) => ({ group, ratio })),
        last_restart_timestamp_seconds: account.lastRestart ?? null,
        last_end: lastEnd
          ? {
              reason: lastEnd.reason,
              evidence: lastEnd.evidence,
              memory_limit_ratio: lastEnd.limitRatio ?? null,
              growth_bytes_per_second: known(lastEnd.growthPerSecond),
              lifetime_seconds: lastEnd.lifetime ?? null,
            }
          : null,
      };
    })
    .sort((a, b) => (a.group < b.group ? -1 : 1));

  function scheduledRestart(advice: RestartAdvice | undefined): ScheduledRestart | null {
    if (advice === undefined) return null;
    const { verdict, interval, recommended, safeLife, avoided } = advice;
    return {
      verdict,
      interval_seconds: known(interval),
      recommended_interval_seconds: known(recommended),
      longest_safe_life_seconds: "kind" in safeLife ? null : safeLife.seconds,
      restarts_avoided_per_week: known(avoided),
      reasons: restartAdviceTexts(advice, (seconds) => dateText(wall(seconds))),
    };
  }

  function wall(sinceBoot: number): number {
    return exporter.unixTimeAt(sinceBoot);
  }

  function processStatus(life: Life, slot: Slot | undefined): ProcessStatus {
    const value = (col: number) => known(watcher.table.get(life.row, col));
    const judged = slot?.finding;
    const startTime = value(column.startTime);
    return {
      slot: life.slot,
      pid: life.pid,
      exe: life.identity.exe === undefined ? null : cutPath(life.identity.exe),
      cgroup: life.cgroup?.label ?? null,
      container_id: life.identity.containerId ?? null,
      pod_uid: life.identity.podUid ?? null,
      start_time_seconds: startTime,
      uptime_seconds: startTime === null ? null : Math.max(0, now - life.bornAt),
      resident_memory_bytes: value(column.residentMemory),
      peak_resident_memory_bytes: value(column.peakResidentMemory),
      anonymous_memory_bytes: value(column.anonymousMemory),
      swap_bytes: value(column.swap),
      threads: value(column.threads),
      max_threads: value(column.maxThreads),
      open_fds: value(column.openFds),
      max_fds: value(column.maxFds),
      memory_limit_bytes: value(column.memoryLimit),
      memory_limit_source: life.limitSource,
      headroom_bytes: known(judged?.headroom),
      floor_bytes: known(judged?.floor),
      verdict: judged?.word ?? "collecting",
      severity: leakSeverities[judged?.severity ?? 0],
      observed_seconds: known(judged?.watched),
      needed_seconds: known(judged?.needed),
      heap_limit_bytes: value(column.heapLimit),
      heap_limit_runtime: life.heapLimit?.runtime ?? null,
      heap_limit_source: life.heapLimit?.source ?? null,
      growth_bytes_per_second: known(judged?.growth),
      gained_bytes: judged === undefined || slot === undefined ? null : gainedBytes(slot),
      growth_by_window_bytes_per_second: Object.fromEntries(
        growthLabels.map((window) => [window, known(judged?.growthBy[window])]),
      ),
      confidence_ratio: known(judged?.confidence),
      time_to_oom_seconds: known(judged?.timeToOom),
      leaking_since_timestamp_seconds: judged?.since === undefined ? null : wall(judged.since),
      reasons: judged === undefined ? [] : reasonTexts(judged),
      would_change: outlookText(watcher.outlook(life)) ?? null,
      unreadable: Object.fromEntries(life.unreadable),
    };
  }
}

/** `2026-12-04 14:00 UTC`, from Unix seconds. */
const dateText = (time: number) => `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Of memory that cannot be given back; whole pages. */
function gainedBytes({ state: { history } }: Slot): number | null {
  return known((history.value - history.firstValue) * KiB);
}

/** JSON of `/api/v1/cgroups`: memory that belongs to none of a cgroup's processes, such as files in tmpfs. */
export interface CgroupStatus {
  cgroup: string;
  outside_processes_bytes: number;
  memory_limit_bytes: number | null;
  verdict: Verdict;
  severity: (typeof leakSeverities)[number];
  growth_bytes_per_second: number | null;
  time_to_oom_seconds: number | null;
  reasons: string[];
}

/** Cgroups whose memory outside of processes is known; by name. */
export function cgroupStatuses({ watcher }: Exporter): CgroupStatus[] {
  return [...watcher.cgroups]
    .flatMap((cgroup): CgroupStatus[] => {
      const judged = watcher.outsideFinding(cgroup);
      const bytes = cgroup.memory?.outside;
      if (bytes === undefined || judged === undefined) return [];
      return [
        {
          cgroup: cgroup.label,
          outside_processes_bytes: bytes,
          memory_limit_bytes: known(cgroup.limit?.bytes),
          verdict: judged.word,
          severity: leakSeverities[judged.severity],
          growth_bytes_per_second: known(judged.growth),
          time_to_oom_seconds: known(judged.timeToOom),
          reasons: reasonTexts(judged),
        },
      ];
    })
    .sort((a, b) => (a.cgroup < b.cgroup ? -1 : 1));
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
