// The result for programs.

import { shownName, shownValues } from "../terminal/shown-text.ts";
import { exitCodeOf, wordOf } from "./exit-code.ts";
import { growthOf, guideFor, isCount, roomOf } from "./figures.ts";
import type { Outcome, ProcessOutcome } from "./observe.ts";
import type { DetectResult, ProcessResult } from "./result.ts";

export function asJson(outcome: Outcome, version: string): DetectResult {
  const { endedEarly, planned, took, lookedOn, loads, processes } = outcome;
  return shownValues({
    version,
    verdict: wordOf(outcome),
    exit_code: exitCodeOf(outcome),
    planned_seconds: planned,
    seconds: Number(took.toFixed(1)),
    extended: lookedOn,
    loads: loads ?? null,
    ended_early: endedEarly ?? null,
    processes: processes.map(processJson),
  });
}

function processJson(target: ProcessOutcome): ProcessResult {
  const { observed, answer, loads } = target;
  const room = roomOf(target);
  const growth = growthOf(target) ?? null;
  const isFinding = answer.word === "leaking" || answer.word === "suspicious";
  return {
    group: shownName(observed.group),
    pid: observed.pid,
    verdict: answer.word,
    evidence: answer.kind,
    runtime_memory: observed.runtime,
    runtime_memory_unavailable: observed.unavailable ?? null,
    growth_bytes_per_second: isCount(answer.kind) ? null : growth,
    growth_per_second: isCount(answer.kind) ? growth : null,
    steps: answer.rises.map(({ steps }) => [...steps]),
    gains_by_load: loads === undefined ? null : [...loads.gains],
    visible_from_per_second: loads === undefined ? (answer.visibleFrom ?? null) : null,
    visible_from_per_load: loads?.visibleFrom ?? null,
    memory_bytes: observed.series.memory.values.at(-1) ?? null,
    live_bytes: observed.series.live.values.at(-1) ?? null,
    limit_bytes: observed.limit ?? null,
    limit_source: observed.limitSource,
    heap_maximum_bytes: observed.heapMaximum ?? null,
    seconds_to_limit: room?.seconds ?? null,
    guide: isFinding ? guideFor(answer.kind) : null,
  };
}
