// Every series that the exporter serves, declared once. Exporter, alerts, dashboards and docs/metrics.md read
// the names from here.

import { counter, gauge, info } from "./metric.ts";

const slot = ["group", "slot"] as const;
const slotWindow = ["group", "slot", "window"] as const;
const group = ["group"] as const;
const cgroup = ["cgroup"] as const;

export { type RestartReason, restartReasons } from "./last-exit.ts";

/** One series per slot of a process group, for as long as a process fills the slot. */
export const processMetrics = {
  residentMemory: gauge(
    "leakwatch_process_resident_memory_bytes",
    "Resident memory (VmRSS): anonymous, file and shared memory pages that are in RAM.",
    { unit: "bytes", labels: slot },
  ),
  anonymousMemory: gauge(
    "leakwatch_process_anonymous_memory_bytes",
    "Resident memory that no file backs (RssAnon): heaps and stacks. Most leaks grow here.",
    { unit: "bytes", labels: slot },
  ),
  fileMemory: gauge(
    "leakwatch_process_file_memory_bytes",
    "Resident memory that maps files (RssFile): programs, libraries, mapped data. The kernel can reclaim it.",
    { unit: "bytes", labels: slot },
  ),
  sharedMemory: gauge(
    "leakwatch_process_shared_memory_bytes",
    "Resident shared memory (RssShmem): tmpfs, System V and shared anonymous mappings.",
    { unit: "bytes", labels: slot },
  ),
  swap: gauge("leakwatch_process_swap_bytes", "Anonymous memory that was moved to swap (VmSwap).", {
    unit: "bytes",
    labels: slot,
  }),
  peakResidentMemory: gauge(
    "leakwatch_process_peak_resident_memory_bytes",
    "Highest resident memory since the process started (VmHWM).",
    { unit: "bytes", labels: slot },
  ),
  virtualMemory: gauge(
    "leakwatch_process_virtual_memory_bytes",
    "Size of the address space (VmSize), most of which may never be touched.",
    { unit: "bytes", labels: slot },
  ),
  proportionalMemory: gauge(
    "leakwatch_process_proportional_memory_bytes",
    "PSS from smaps_rollup: resident memory, each shared page divided among its users. Only with smaps enabled.",
    { unit: "bytes", labels: slot },
  ),
  uniqueMemory: gauge(
    "leakwatch_process_unique_memory_bytes",
    "USS from smaps_rollup: what would be freed if the process ended. Only with smaps enabled.",
    { unit: "bytes", labels: slot },
  ),
  threads: gauge("leakwatch_process_threads", "Number of threads.", { labels: slot }),
  maxThreads: gauge(
    "leakwatch_process_max_threads",
    "Threads that the process may have: the least of its soft limit of processes (counts all threads of its user; not enforced for root), pids.max of its cgroup and all ancestors (counts all threads in them), and the kernel's own limits.",
    { labels: slot },
  ),
  openFds: gauge("leakwatch_process_open_fds", "Number of open file descriptors.", { labels: slot }),
  maxFds: gauge("leakwatch_process_max_fds", "Soft limit of open file descriptors.", { labels: slot }),
  startTime: gauge(
    "leakwatch_process_start_time_seconds",
    "Unix time at which the process in this slot started. A new value is a new life.",
    { unit: "seconds", labels: slot },
  ),
  memoryLimit: gauge(
    "leakwatch_process_memory_limit_bytes",
    "The memory limit that will really end the process: configured, the least of its cgroup and all ancestors, or the node's memory.",
    { unit: "bytes", labels: slot },
  ),
  heapLimit: gauge(
    "leakwatch_process_heap_limit_bytes",
    "What the process' own runtime lets its heap hold: V8's old space, the JVM's maximum heap, Go's memory limit (soft: it collects garbage all the time there, and grows on), or .NET's hard limit. Absent where none is known.",
    { unit: "bytes", labels: slot },
  ),
} as const;

/**
 * What the exporter makes of a process' memory, each minute: anonymous, shared and swapped memory together, which cannot be given back.
 * None of it looks across a restart. Each is absent until the process has been observed for long enough.
 */
export const judgeMetrics = {
  floor: gauge(
    "leakwatch_process_memory_floor_bytes",
    "Lowest unreclaimable memory (anonymous, shared and swapped) of the last 10 minutes: spikes and most garbage collection are not in it.",
    { unit: "bytes", labels: slot },
  ),
  headroom: gauge(
    "leakwatch_process_memory_headroom_bytes",
    "What is left of the memory limit: the limit less the peak of the last 30 minutes (of the last day once the process is older than 30 hours) and less what others hold of the same limit.",
    { unit: "bytes", labels: slot },
  ),
  growth: gauge(
    "leakwatch_process_memory_growth_bytes_per_second",
    "Growth of the floor over the last 15m, 1h, 6h, 1d and 7d.",
    { unit: "bytes_per_second", labels: slotWindow },
  ),
  verdict: gauge(
    "leakwatch_process_verdict",
    "What the exporter makes of the process' memory, as a number with the word in the label verdict: 0 collecting, 1 stable, 2 spiky, 3 high_stable, 4 warming_up, 5 bounded_growth, 6 growing, 7 leaking.",
    { labels: ["group", "slot", "verdict"] },
  ),
  severity: gauge(
    "leakwatch_process_leak_severity",
    "How urgent the leak is: 0 none, 1 low, 2 medium (days), 3 high (a day), 4 critical (two hours).",
    { labels: slot },
  ),
  leakGrowth: gauge(
    "leakwatch_process_leak_bytes_per_second",
    "Growth of a process that is leaking or may be: at the pace that the time to OOM is computed with.",
    { unit: "bytes_per_second", labels: slot },
  ),
  confidence: gauge(
    "leakwatch_process_leak_confidence_ratio",
    "How sure it is that the process leaks, 0 to 1; at least 0.5 where it is called a leak.",
    { unit: "ratio", labels: slot },
  ),
  timeToOom: gauge(
    "leakwatch_process_time_to_oom_seconds",
    "Headroom divided by growth: when the process reaches its limit if it goes on like this. Absent while it does not grow.",
    { unit: "seconds", labels: slot },
  ),
  timeToFdLimit: gauge(
    "leakwatch_process_time_to_fd_limit_seconds",
    "When the process reaches its limit of open file descriptors, if it goes on opening them as in the last 12 hours. Only where each quarter of these grew.",
    { unit: "seconds", labels: slot },
  ),
  timeToThreadLimit: gauge(
    "leakwatch_process_time_to_thread_limit_seconds",
    "When the process reaches its limit of threads, if it goes on starting them as in the last 12 hours. Only where each quarter of these grew.",
    { unit: "seconds", labels: slot },
  ),
} as const;

/** The windows of growth, by their label. */
export const growthLabels = ["15m", "1h", "6h", "1d", "7d"] as const;

/** What names a process and its limit; joined to the values above on group and slot. */
export const processInfo = {
  process: info(
    "leakwatch_process_info",
    "The process that fills the slot now, where it runs, and its version, where the name of its file or folder has one, else that of its container.",
    { labels: ["group", "slot", "pid", "exe", "cgroup", "container_id", "pod_uid", "version"] },
  ),
  memoryLimit: info(
    "leakwatch_process_memory_limit_info",
    "Where the memory limit comes from: cgroup (its own), ancestor (a cgroup above), config, node (no limit is set), or unknown (its cgroup cannot be seen from here; then there is no limit series).",
    { labels: ["group", "slot", "source"] },
  ),
  heapLimit: info(
    "leakwatch_process_heap_limit_info",
    "Whose heap limit it is: runtime v8, jvm, go or dotnet; and where it was set: command_line, environment (only where that may be read), or default, as the runtime documents it.",
    { labels: ["group", "slot", "runtime", "source"] },
  ),
} as const;

/** The restart and OOM ledger: counted per group, so that it outlives every process. */
export const groupMetrics = {
  processes: gauge("leakwatch_group_processes", "Processes of the group that run now.", { labels: group }),
  restarts: counter(
    "leakwatch_group_restarts_total",
    "Restarts of the service: its root process ended and another took its place, by the reason of that end.",
    { labels: ["group", "reason"] },
  ),
  workerExits: counter(
    "leakwatch_group_worker_exits_total",
    "Workers that exited while the process that started them kept running, by reason; recycled is an exit without a sign of a memory problem.",
    { labels: ["group", "reason"] },
  ),
  workerExitsGrowing: counter(
    "leakwatch_group_worker_exits_growing_total",
    "Those of them whose memory still grew steadily and without slowing.",
    { labels: group },
  ),
  verdict: gauge(
    "leakwatch_group_verdict",
    "What the exporter makes of the service, as a number with the word in the label verdict: that of its worst process, or 8 masked_leak, 9 restart_loop.",
    { labels: ["group", "verdict"] },
  ),
  severity: gauge(
    "leakwatch_group_leak_severity",
    "How urgent the service's leak is, that of its worst process or one that restarts mask: 0 none, 1 low, 2 medium, 3 high, 4 critical.",
    { labels: group },
  ),
  growing: gauge(
    "leakwatch_group_growing_processes",
    "Processes of the group that have grown steadily and without slowing since they warmed up: they would count as still growing if they exited now. No series before one has been watched for 20 minutes.",
    { labels: group },
  ),
  livesEnded: counter(
    "leakwatch_group_lives_ended_total",
    "Exits of the service and of its workers while they were watched. A root process and its workers count once, jobs not at all.",
    { labels: group },
  ),
  livesEndedGrowing: counter(
    "leakwatch_group_lives_ended_growing_total",
    "Those exits before which memory still grew steadily and without slowing: a leak that the restart hides.",
    { labels: group },
  ),
  oomKills: counter(
    "leakwatch_group_oom_kills_total",
    "OOM kills that the kernel counted with a process of the group as victim. One that takes a whole cgroup at once counts once.",
    { labels: group },
  ),
  oomGrowth: gauge(
    "leakwatch_group_oom_growth_ratio",
    "Share of the memory growth in the hour before the group's last OOM kill, of each service that shared the limit; at most three.",
    { unit: "ratio", labels: ["group", "grew"] },
  ),
  lastRestart: gauge("leakwatch_group_last_restart_timestamp_seconds", "Unix time of the group's last restart.", {
    unit: "seconds",
    labels: group,
  }),
  lastEndMemoryLimit: gauge(
    "leakwatch_group_last_end_memory_limit_ratio",
    "Memory of the last ended process just before its end, as a share of its limit; above 1 where file pages are charged to another cgroup.",
    { unit: "ratio", labels: group },
  ),
  lastEnd: info(
    "leakwatch_group_last_end_info",
    "How the group's last process ended, and what that is concluded from. Reasons are those of restarts, or recycled for a worker.",
    {
      labels: ["group", "reason", "evidence"],
    },
  ),
} as const;

/** Kernel memory controller, once per cgroup that holds a watched process. */
export const cgroupMetrics = {
  info: info("leakwatch_cgroup_info", "What is known of the cgroup: version of the interface, container and pod.", {
    labels: ["cgroup", "version", "container_id", "pod_uid"],
  }),
  container: info(
    "leakwatch_cgroup_container_info",
    "The container that the cgroup belongs to, as the Kubernetes API or the container engine describes it. Only with --kubernetes.pods or --docker.socket.",
    {
      labels: [
        "cgroup",
        "container_id",
        "pod_uid",
        "pod_namespace",
        "pod_name",
        "container_name",
        "workload",
        "image",
        "app_version",
      ],
    },
  ),
  usage: gauge("leakwatch_cgroup_memory_usage_bytes", "All memory charged to the cgroup, page cache included.", {
    unit: "bytes",
    labels: cgroup,
  }),
  workingSet: gauge(
    "leakwatch_cgroup_memory_working_set_bytes",
    "Usage less inactive file pages: what container dashboards and the kubelet look at.",
    { unit: "bytes", labels: cgroup },
  ),
  anonymous: gauge("leakwatch_cgroup_memory_anonymous_bytes", "Memory that no file backs: heaps, stacks.", {
    unit: "bytes",
    labels: cgroup,
  }),
  file: gauge("leakwatch_cgroup_memory_file_bytes", "Page cache, tmpfs and shared memory included.", {
    unit: "bytes",
    labels: cgroup,
  }),
  kernel: gauge("leakwatch_cgroup_memory_kernel_bytes", "Memory that the kernel holds for the cgroup.", {
    unit: "bytes",
    labels: cgroup,
  }),
  swap: gauge("leakwatch_cgroup_memory_swap_bytes", "Swap charged to the cgroup.", { unit: "bytes", labels: cgroup }),
  peak: gauge("leakwatch_cgroup_memory_peak_bytes", "Highest usage since the cgroup was made.", {
    unit: "bytes",
    labels: cgroup,
  }),
  unreclaimable: gauge(
    "leakwatch_cgroup_memory_unreclaimable_bytes",
    "What cannot be given back: anonymous and shared memory, swap, and kernel memory but for what it can reclaim.",
    { unit: "bytes", labels: cgroup },
  ),
  outside: gauge(
    "leakwatch_cgroup_memory_outside_processes_bytes",
    "Unreclaimable memory of the cgroup that belongs to none of its watched processes: tmpfs, socket buffers, kernel memory, and processes that are not watched.",
    { unit: "bytes", labels: cgroup },
  ),
  limit: gauge("leakwatch_cgroup_memory_limit_bytes", "The cgroup's own memory limit; no series without one.", {
    unit: "bytes",
    labels: cgroup,
  }),
  high: gauge(
    "leakwatch_cgroup_memory_high_bytes",
    "Usage above which the kernel slows the cgroup down and reclaims; no series without one.",
    { unit: "bytes", labels: cgroup },
  ),
  pressureWaiting: counter(
    "leakwatch_cgroup_memory_pressure_waiting_seconds_total",
    "Time in which at least one task of the cgroup waited for memory (PSI some).",
    { unit: "seconds", labels: cgroup },
  ),
  pressureStalled: counter(
    "leakwatch_cgroup_memory_pressure_stalled_seconds_total",
    "Time in which all tasks of the cgroup waited for memory (PSI full).",
    { unit: "seconds", labels: cgroup },
  ),
  events: counter(
    "leakwatch_cgroup_memory_events_total",
    "Memory events of the cgroup and those below it since it was made: low, high, max, oom, oom_kill, oom_group_kill.",
    { labels: ["cgroup", "event"] },
  ),
} as const;

/** What the exporter makes of the memory of a cgroup that belongs to none of its processes. */
export const outsideMetrics = {
  severity: gauge(
    "leakwatch_cgroup_leak_severity",
    "How urgent a leak of memory outside the processes of the cgroup is: 0 none, 1 low, 2 medium, 3 high, 4 critical.",
    { labels: cgroup },
  ),
  timeToOom: gauge(
    "leakwatch_cgroup_time_to_oom_seconds",
    "When the cgroup reaches its limit if memory outside its processes goes on growing like this. Absent while it does not grow.",
    { unit: "seconds", labels: cgroup },
  ),
} as const;

/** The machine, or the virtual machine, that everything runs on. */
export const nodeMetrics = {
  memory: gauge("leakwatch_node_memory_bytes", "Memory of the machine (MemTotal).", { unit: "bytes" }),
  oomKills: counter("leakwatch_node_oom_kills_total", "OOM kills anywhere on the machine since it started."),
} as const;

/** The exporter on itself. Registered with prom-client, beside its default process and nodejs metrics. */
export const selfMetrics = {
  buildInfo: info("leakwatch_build_info", "Version of the exporter and of the Node.js that runs it.", {
    labels: ["version", "revision", "node_version"],
  }),
  samples: counter("leakwatch_samples_total", "Passes over the watched processes."),
  sampleDuration: counter("leakwatch_sample_duration_seconds_total", "Time spent in those passes.", {
    unit: "seconds",
  }),
  sampleLongestBlock: gauge(
    "leakwatch_sample_longest_block_seconds",
    "Longest stretch of the last pass in which nothing else could run.",
    { unit: "seconds" },
  ),
  judgeDuration: counter("leakwatch_judge_duration_seconds_total", "Time spent in judging what was sampled.", {
    unit: "seconds",
  }),
  ownSeverity: gauge(
    "leakwatch_own_leak_severity",
    "How urgent a leak of the exporter itself is, judged like any other process: 0 none, 1 low, 2 medium, 3 high, 4 critical.",
  ),
  lastSample: gauge("leakwatch_last_sample_timestamp_seconds", "Unix time at which the last pass was finished.", {
    unit: "seconds",
  }),
  watchedProcesses: gauge("leakwatch_watched_processes", "Processes that are watched now."),
  keptDescriptors: gauge(
    "leakwatch_kept_descriptors",
    "File descriptors held open on watched processes and their cgroups.",
  ),
  keptDescriptorsMax: gauge(
    "leakwatch_kept_descriptors_max",
    "How many may be held; beyond it files are opened anew for each reading.",
  ),
  unreadable: gauge(
    "leakwatch_unreadable_processes",
    "Watched processes of which this file cannot be read now, by reason.",
    { labels: ["file", "reason"] },
  ),
  readErrors: counter("leakwatch_read_errors_total", "Readings that failed, by file and reason.", {
    labels: ["file", "reason"],
  }),
  maxProcesses: gauge(
    "leakwatch_max_processes",
    "Processes that are watched at most, by bound: in all (processes; there are no more groups than groups says), in one group, and of one owner, which is a container or a user.",
    { labels: ["bound"] },
  ),
  leftOut: gauge("leakwatch_left_out_processes", "Processes that are not watched now because a bound is reached.", {
    labels: ["bound"],
  }),
  heldUpReads: gauge(
    "leakwatch_held_up_reads",
    "Reads that watched processes hold up now, for example with a file system that does not answer. Two of them end the reading of arguments and of cgroups through processes.",
  ),
  smapsSkipped: gauge(
    "leakwatch_smaps_skipped_processes",
    "Processes whose smaps_rollup was left out of the last round because it would cost too much.",
  ),
  podsListed: gauge(
    "leakwatch_pods_listed_timestamp_seconds",
    "Unix time at which the Kubernetes API last returned the pods of this node; 0 before the first time. Only with --kubernetes.pods.",
    { unit: "seconds" },
  ),
  stateSaved: gauge(
    "leakwatch_state_last_save_timestamp_seconds",
    "Unix time at which what is known was last written to --storage.path; 0 before the first time. Only with --storage.path.",
    { unit: "seconds" },
  ),
  stateFailures: counter(
    "leakwatch_state_save_failures_total",
    "Attempts to write to --storage.path that failed. Only with --storage.path.",
  ),
  configReloadSuccessful: gauge(
    "leakwatch_config_last_reload_successful",
    "1 if the last attempt to read the configuration succeeded, 0 if it was refused and the old one stays.",
  ),
  configReloadTime: gauge(
    "leakwatch_config_last_reload_success_timestamp_seconds",
    "Unix time at which the configuration in use was read.",
    { unit: "seconds" },
  ),
} as const;

/** All of them, in the order in which docs/metrics.md shows them. */
export const metricFamilies = [
  { title: "Processes", metrics: [...Object.values(processMetrics), ...Object.values(processInfo)] },
  { title: "Processes: the verdict", metrics: Object.values(judgeMetrics) },
  { title: "Process groups: the restart and OOM ledger", metrics: Object.values(groupMetrics) },
  { title: "Cgroups", metrics: [...Object.values(cgroupMetrics), ...Object.values(outsideMetrics)] },
  { title: "Node", metrics: Object.values(nodeMetrics) },
  { title: "The exporter itself", metrics: Object.values(selfMetrics) },
] as const;
