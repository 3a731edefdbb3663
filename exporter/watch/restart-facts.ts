// What is known of a service's restarts, for the advice whether its scheduled restart may go.

import { KiB } from "../../catalog/defaults.ts";
import type { JudgeSettings } from "../../detection/judge.ts";
import type { RestartFacts } from "../advice/scheduled-restart.ts";
import { steadyInterval } from "../ledger/cadence.ts";
import { judgeEndedLife } from "../memory/ended-life.ts";
import { type EndedLife, endedLifeOf } from "../memory/service-memory.ts";
import type { Group, Slot } from "../model/group.ts";

/** `now` in seconds since boot. */
export function restartFactsOf(
  { slots, memory }: Group,
  { endedLife, cadence }: JudgeSettings,
  { now, pricePerGibHour }: { now: number; pricePerGibHour: number | undefined },
): RestartFacts {
  const roots = slots.filter(({ role }) => role === "root");
  const running = slots.flatMap((slot): EndedLife[] => {
    const { life, state } = slot;
    if (life === undefined || state.history.startTime !== life.bornAt) return [];
    const { version } = life.identity;
    const of = { slot: String(life.slot), version, now, watchedSince: life.firstSeen, atLimit: false };
    return [endedLifeOf(state.history, judgeEndedLife(life.history, endedLife), of)];
  });
  return {
    ended: memory.lives,
    running,
    limit: least(slots.map(mayHold)),
    interval: roots.map(({ starts }) => steadyInterval(starts, cadence)).find((interval) => interval !== undefined),
    now,
    replicas: Math.max(1, roots.filter(({ life }) => life !== undefined).length),
    pricePerGibHour,
  };
}

/** What it holds, and what is left of its limit: others that share it have their part. In bytes. */
const mayHold = ({ finding, state }: Slot): number | undefined =>
  finding?.headroom === undefined ? undefined : state.history.value * KiB + finding.headroom;

const least = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};
