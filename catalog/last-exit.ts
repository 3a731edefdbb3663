// Why a process ended and what that is concluded from: the words that series carry, and what they are called for people.

/** Why the root process of a service was replaced. */
export const restartReasons = ["oom", "suspected_oom", "scheduled", "exit", "unknown"] as const;
export type RestartReason = (typeof restartReasons)[number];

/** Why a worker ended while its root lived on. */
export const workerExitReasons = ["oom", "suspected_oom", "recycled", "unknown"] as const;
export type WorkerExitReason = (typeof workerExitReasons)[number];

export type ExitReason = RestartReason | WorkerExitReason;

/** Any of them, as a person would say it. */
export const reasonWords: Readonly<Record<ExitReason, string>> = {
  oom: "OOM-killed",
  suspected_oom: "probably OOM-killed",
  scheduled: "restarted on schedule",
  exit: "exited",
  recycled: "worker recycled",
  unknown: "unknown",
};

/** What a reason rests on, as a person would say it. */
export const evidenceWords = {
  cgroup_oom_kill: "the OOM counter of its cgroup rose",
  parent_oom_kill: "the OOM counter of the cgroup above rose",
  node_oom_kill: "the machine's OOM counter rose",
  container_state: "the container's last state says so",
  near_limit: "it was close to its memory limit",
  heap_limit: "it was at the heap limit of its runtime",
  steady_cadence: "its starts keep a steady interval",
  none: "no sign of a memory problem",
  not_watched: "it was not sampled at that time",
} as const;
