// What labels.json says about one recorded service.

/** An exit while it was recorded. */
export interface End {
  /** Seconds since the recording began. */
  t: number;
  code: number | null;
  signal: string | null;
}

/** What is true of a service, recorded or not. */
export interface Known {
  id: string;
  label: "leak" | "healthy";
  runtime: string;
  does: string;
  /** Age at which the leak begins. */
  onset_seconds?: number;
  /** Per process; null where nobody knows. */
  leak_mib_per_hour?: number | null;
  heap_limit_bytes: number | null;
  cgroup_limit_bytes: number | null;
}

export interface Label extends Known {
  files: string[];
  command: string[];
  ends: End[];
}
