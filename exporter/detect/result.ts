// The result of a run, as `detect --json` prints it and the library returns it. It imports nothing, so that its declarations stand for themselves.

/** `suspicious`: growth that may be garbage, or that was seen once only. `no_verdict`: cut short, or too few samples. */
export type Verdict = "leaking" | "suspicious" | "no_leak_seen" | "no_verdict";

/** What decided: memory in use without garbage, memory beside it, all memory, open descriptors, threads. */
export type EvidenceKind = "live" | "outside" | "memory" | "descriptors" | "threads";

/** Fields are added, never renamed; null is what is not known. Bytes and seconds, as the names say. */
export interface DetectResult {
  /** Of leakwatch. */
  version: string;
  /** Of the gravest process. */
  verdict: Verdict;
  /** 0 no leak seen, 20 leaking, 21 suspicious, 22 no verdict. */
  exit_code: 0 | 20 | 21 | 22;
  /** `for`. */
  planned_seconds: number;
  seconds: number;
  /** Was it observed for as long again, since the first result was weak? */
  extended: boolean;
  /** How many loads it had. */
  loads: number | null;
  /** Why the run ended before its time. */
  ended_early: string | null;
  /** The gravest first. */
  processes: ProcessResult[];
}

export interface ProcessResult {
  /** The process as leakwatch names it, or the function. */
  group: string;
  pid: number;
  verdict: Verdict;
  evidence: EvidenceKind;
  /** What the runtime says: memory in use after collections, with garbage in it, nothing, or it is one that never says it. */
  runtime_memory: "collected" | "passive" | "silent" | "none";
  runtime_memory_unavailable: string | null;
  /** Only where growth is reported. */
  growth_bytes_per_second: number | null;
  /** Descriptors or threads. */
  growth_per_second: number | null;
  /** From the minimum of each part of the run to the next, for each time that it was observed. */
  steps: number[][];
  /** What each load but the first added. */
  gains_by_load: number[] | null;
  /** Slower growth would not have been seen. */
  visible_from_per_second: number | null;
  /** A smaller gain by each load would not have been seen. */
  visible_from_per_load: number | null;
  memory_bytes: number | null;
  live_bytes: number | null;
  limit_bytes: number | null;
  limit_source: "cgroup" | "ancestor" | "config" | "node" | "unknown";
  /** What the heap can hold at most. */
  heap_maximum_bytes: number | null;
  /** At this growth. */
  seconds_to_limit: number | null;
  /** Where to read on. */
  guide: string | null;
}
