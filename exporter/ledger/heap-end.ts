// Did its heap end a process, where neither a container engine nor its parent says how it ended? V8 aborts at its own limit, far below that of
// a container: the kernel counts nothing.

import { KiB } from "../../catalog/defaults.ts";
import { type EndedLifeThresholds, heapEnd } from "../../detection/ended-life.ts";
import { judgeEndedLife } from "../memory/ended-life.ts";
import { endedLifeOf } from "../memory/service-memory.ts";
import type { Life } from "../model/life.ts";
import type { ExitStatus } from "../procfs/stat.ts";

const sigabrt = 6;

/**
 * It grew to its end, and held as much as when V8 gives up. Of a JVM and .NET that says nothing: they fill their heaps with garbage. `now` in
 * seconds since boot.
 */
export function filledItsHeap(
  life: Life,
  { exit, thresholds, now }: { exit: ExitStatus | undefined; thresholds: EndedLifeThresholds; now: number },
): boolean {
  const { heapLimit, firstSeen: watchedSince } = life;
  if (heapLimit?.runtime !== "v8") return false;
  const isKnown = exit?.signal !== undefined || exit?.code !== undefined;
  if (isKnown && exit.signal !== sigabrt && !(exit.code !== undefined && heapLimit.exitCodes.includes(exit.code)))
    return false;
  const history = life.group.slots[life.slot]?.state.history;
  if (history === undefined || history.startTime !== life.bornAt) return false;
  if (history.peak * KiB < heapEnd.share * (heapLimit.bytes + heapEnd.beside)) return false;
  const verdict = judgeEndedLife(life.history, thresholds, true);
  return endedLifeOf(history, verdict, { slot: "", now, watchedSince, atLimit: true }).growing === true;
}
