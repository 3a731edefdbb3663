// Growth over a time: the lowest of its last ninth less the lowest of its first. Never across a restart.

import { blocks } from "../../detection/windows.ts";
import type { SlotHistory } from "../memory/slot-history.ts";

/** Steps of ten seconds between two samples: at most half a minute. */
const mostEmpty = 3;

/** KiB per second; undefined where the life, or what was seen of it, is shorter. */
export function growthOver(history: SlotHistory, seconds: number): number | undefined {
  const { fine, minutes, halfHours, firstMinute, firstHalfHour } = history;
  if (!(history.time - history.seenSince >= seconds)) return undefined;
  const scale =
    seconds < blocks * fine.step
      ? fine
      : ([fine, minutes, halfHours].find(({ step }) => seconds / step <= 396 && seconds / step >= blocks) ?? halfHours);
  const first = scale === fine ? fine.first : scale === minutes ? firstMinute - 1 : firstHalfHour - 1;
  const steps = Math.max(1, Math.round(seconds / scale.step / blocks));
  const end = scale.newest + 1;
  const start = end - Math.round(seconds / scale.step);
  if (start < first - steps) return undefined;
  let past = start + steps;
  let low = scale.lowest(start, past);
  // a process that is sampled more rarely than the steps go leaves some of them empty
  while (low === Number.POSITIVE_INFINITY && past < Math.min(start + steps + mostEmpty, end - steps))
    low = scale.lowest(start, ++past);
  const now = scale.lowest(end - steps, end);
  if (!Number.isFinite(low) || !Number.isFinite(now)) return undefined;
  return (now - low) / ((end - past) * scale.step);
}
