// What the exporter promises about its own cost. `must` fails the run; `aim` is only shown.

export interface Limit {
  what: string;
  unit: "×" | "%" | "ms" | "MiB" | "series" | "h" | "queries";
  must: number;
  aim?: number;
}

export const limits = {
  cpuOfPeer: { what: "CPU per scrape / process-exporter's", unit: "×", must: 0.06, aim: 0.03 },
  cpuOfReads: { what: "CPU per scrape / the same reads in C", unit: "×", must: 3, aim: 1.7 },
  block: { what: "longest block of the event loop, 4,000 processes", unit: "ms", must: 5, aim: 2 },
  memory: { what: "anonymous memory, 1,000 processes", unit: "MiB", must: 45 },
  growth: { what: "growth of resident memory", unit: "MiB", must: 5, aim: 0 },
  sidecarMemory: { what: "anonymous memory, 5 processes", unit: "MiB", must: 25 },
  moreSidecar: { what: "PSS of one more sidecar of ten", unit: "MiB", must: 25 },
  sidecarReady: { what: "from its start until a sidecar is ready", unit: "ms", must: 2000 },
  nodeMemory: { what: "resident memory on a node with 110 pods of 3 containers", unit: "MiB", must: 100 },
  nodeCpu: { what: "of a core there", unit: "%", must: 1 },
  rulesTime: { what: "one evaluation of all rule groups, 1,000 processes", unit: "ms", must: 50 },
  recordedSeries: { what: "recorded series per process", unit: "series", must: 15 },
  rawRange: { what: "longest range on raw series", unit: "h", must: 1 },
  boardTime: { what: "CPU time of Prometheus, a board over 7 days of 1,000 groups", unit: "ms", must: 2000 },
  boardQuery: { what: "its dearest query", unit: "ms", must: 500 },
  boardQueries: { what: "its visible queries", unit: "queries", must: 25 },
} as const satisfies Record<string, Limit>;

/** One number that was measured, and the promise that it belongs to. */
export interface Finding {
  limit: keyof typeof limits;
  /** Under which circumstances. */
  how: string;
  value: number;
  /** What was measured of a program that does nothing: the part of `value` that can be the machine's. */
  noise?: number;
}

/** Two measurements of the same noise differ by about this much. */
const noiseTolerance = 1.5;

/** `noise`: over the limit, but not by more than the machine itself can have added. */
export type Verdict = "ok" | "ok, aim reached" | "noise" | "FAIL";

export function judge({ limit, value, noise = 0 }: Finding): Verdict {
  const { must, aim }: Limit = limits[limit];
  if (value <= must) return aim !== undefined && value <= aim ? "ok, aim reached" : "ok";
  return value <= must + noise * noiseTolerance ? "noise" : "FAIL"; // NaN, which is what could not be measured, fails
}
