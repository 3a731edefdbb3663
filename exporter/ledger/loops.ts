// Is a service in a restart loop? The rules of Prometheus ask the same of its counters, with the same numbers.

import { restarts } from "../../catalog/windows.ts";
import { isOom } from "./exit.ts";
import type { LifeEvent } from "./ledger.ts";

/** Either OOM kills within some hours, or restarts within one that no clock ordered: more than one for each process. */
export function isLooping(events: readonly LifeEvent[], processes: number, now: number, speed = 1): boolean {
  const { oomLoop, loop } = restarts;
  const since = (seconds: number) => events.filter(({ time }) => now - time <= seconds / speed);
  if (since(oomLoop.over).filter(isOom).length >= oomLoop.count) return true;
  const unplanned = since(loop.over).filter((event) => event.restart !== undefined && event.restart !== "scheduled" && !isOom(event));
  return unplanned.length >= Math.max(loop.count, loop.perSlot * processes);
}
