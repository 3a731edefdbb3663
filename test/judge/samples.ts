// Samples of made-up processes for tests of the judge: every 10 s, by their age.

import { MiB } from "../../catalog/defaults.ts";
import { atSpeed, type JudgeSettings, judgeSettings } from "../../detection/judge.ts";
import type { Finding } from "../../exporter/judge/finding.ts";
import { type Facts, Judge } from "../../exporter/judge/slot-judge.ts";
import { newSlot, type SlotState } from "../../exporter/judge/slot-state.ts";
import { ServiceMemory } from "../../exporter/memory/service-memory.ts";

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;

/** MiB at an age in seconds. */
export type Level = (age: number) => number;

export interface Judged {
  readonly slot: SlotState;
  readonly memory: ServiceMemory;
  readonly judge: Judge;
  /** What was said at each minute. */
  readonly findings: readonly Finding[];
  readonly last: Finding;
}

/** A process that is sampled from its start (or from `from` on) and judged each minute, as the exporter does. */
export function judged(
  level: Level,
  options: {
    to: number;
    from?: number;
    /** MiB; none by default. */
    limit?: number;
    facts?: Omit<Facts, "limit">;
    settings?: JudgeSettings;
    speed?: number;
    startTime?: number;
    memory?: ServiceMemory;
    slot?: SlotState;
  },
): Judged {
  const speed = options.speed ?? 1;
  const judge = new Judge(atSpeed(options.settings ?? judgeSettings, speed));
  const slot = options.slot ?? newSlot(speed);
  const memory = options.memory ?? new ServiceMemory();
  const startTime = options.startTime ?? 0;
  const facts: Facts = { limit: options.limit === undefined ? Number.NaN : options.limit * MiB, ...options.facts };
  const findings: Finding[] = [];
  for (let age = options.from ?? 0; age <= options.to; age += 10) {
    slot.history.add({ time: startTime + age / speed, bytes: level(age) * MiB, startTime });
    if (age % minute === 0) findings.push(judge.judge(slot, memory, facts));
  }
  return { slot, memory, judge, findings, last: findings.at(-1) as Finding };
}

/** A little noise, the same each time: -1 to 1. */
export const wobble = (age: number) => Math.sin(age / 37) * Math.cos(age / 53);
