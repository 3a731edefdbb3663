// Who grew before an OOM kill: the victim is whom the kernel chose, the culprit may be beside it. Compared is what each service holds now
// with what it held an hour ago, over restarts: a service that did not run then has grown by all that it holds.

import { KiB } from "../../catalog/defaults.ts";
import type { Group } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import type { GrowthShare } from "./ledger.ts";

/** As many services are named at most. */
const mostNamed = 3;

/** The largest shares first; empty where nobody grew. `now` is in seconds since boot. */
export function growthShares(lives: Iterable<Life>, now: number, hour = 3600): GrowthShare[] {
  const held = new Map<Group, number>();
  for (const { group, recentHigh } of lives) {
    const bytes = recentHigh.bytes;
    if (!Number.isNaN(bytes)) held.set(group, (held.get(group) ?? 0) + bytes);
  }
  const growth = [...held].map(([group, bytes]) => ({
    group: group.name,
    bytes: bytes - heldBefore(group, now - hour),
  }));
  const grew = growth.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const all = grew.reduce((sum, { bytes }) => sum + bytes, 0);
  return grew.slice(0, mostNamed).map(({ group, bytes }) => ({ group, ratio: bytes / all }));
}

function heldBefore(group: Group, time: number): number {
  return group.slots.reduce((sum, { state: { history }, life }) => {
    const known = history.halfHours.high(Math.floor(time / history.halfHours.step));
    if (Number.isFinite(known)) return sum + known * KiB;
    // one that ran before we came has not grown by what it held then
    const first = Number.isNaN(history.firstValue) ? 0 : history.firstValue;
    return sum + (life !== undefined && life.bornAt < time ? first * KiB : 0);
  }, 0);
}
