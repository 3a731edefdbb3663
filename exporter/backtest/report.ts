// What a backtest found, as JSON: times on the recording's own clock.

export interface Report {
  step_seconds: number;
  engine: "judge";
  traces: TraceReport[];
}

export interface TraceReport {
  id: string;
  /** By start. */
  episodes: EpisodeReport[];
  /** What holds at the end. */
  found: FoundReport;
  /** The estimate over time, `[t, seconds]`; of a service, that of the slot that is nearest to its limit. */
  time_to_oom: [t: number, seconds: number][];
}

export interface EpisodeReport {
  alert: string;
  severity: string;
  class: string;
  /** Null for alerts about a service as a whole. */
  slot: string | null;
  start: number;
  /** Null when it still fires at the end of the recording. */
  end: number | null;
}

/** What the judge says at the end of the recording, of the service and of each slot. */
export interface FoundReport {
  word: string;
  /** 0 to 4. */
  severity: number;
  /** Null where there are no samples. */
  since: number | null;
  slots: SlotFoundReport[];
}

export interface SlotFoundReport {
  slot: string;
  word: string;
  /** 0 to 4. */
  severity: number;
  since: number;
  /** Null while it runs. */
  last_seen: number | null;
  growth_bytes_per_second: number | null;
  time_to_oom_seconds: number | null;
  reasons: string[];
}
