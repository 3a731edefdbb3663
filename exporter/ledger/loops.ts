// Is a service in a restart loop? The rules of Prometheus ask the same of its counters, with the same numbers.

import { rules } from "../../detection/rules.ts";
import type { Group } from "../model/group.ts";
import { isOom } from "./exit.ts";
import type { GroupAccount } from "./ledger.ts";

/**
 * OOM kills within some hours, or restarts within one that no clock ordered: more than one for each process, or several of one place.
 * `now` is in seconds since boot.
 */
export function isLooping({ events }: GroupAccount, { processes, slots }: Group, now: number, speed = 1): boolean {
  const { oomLoop, loop } = rules.restarts;
  const since = (seconds: number) => events.filter(({ time }) => now - time <= seconds / speed);
  if (since(oomLoop.over).filter(isOom).length >= oomLoop.count) return true;
  const unplanned = since(loop.over).filter(({ restart, reason }) => {
    return restart !== undefined && restart !== "scheduled" && !isOom({ reason });
  }).length;
  if (unplanned < loop.count) return false;
  const again = slots.some(({ starts }) => {
    const lately = starts.filter((start) => now - start <= loop.over / speed).length;
    return lately >= loop.perSlot && starts.length > loop.perSlot;
  });
  return unplanned > processes || again;
}
