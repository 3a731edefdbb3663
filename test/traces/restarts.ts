// Restarts that have nothing to do with memory: deploys, cron jobs, crashes.

import { exponential, type Random, uniform } from "./draws.ts";
import type { PlannedRestart } from "./service.ts";
import { hour, minute, step } from "./units.ts";

type Reason = "deploy" | "cron" | "crash";

export function restartAt(random: Random, time: number, reason: Reason): PlannedRestart {
  return { t: Math.ceil(time / step) * step, reason, down: downTime(random, reason) };
}

/** Down time after a restart, in seconds: a deploy stops the old process first, a cron job just starts it again. */
function downTime(random: Random, reason: Reason): number {
  if (reason === "deploy") return uniform(random, 15, 2 * minute);
  if (reason === "cron") return uniform(random, 10, 80);
  return uniform(random, 5, 5 * minute);
}

/** Every `period` seconds after `first`, until `end`. */
export function restartsEvery(
  random: Random,
  period: number,
  first: number,
  end: number,
  reason: Reason,
): PlannedRestart[] {
  const restarts: PlannedRestart[] = [];
  for (let time = first; time < end; time += period) restarts.push(restartAt(random, time, reason));
  return restarts;
}

/** At random times between two, `meanHours` apart on average and `atLeastHours` at least. */
export function restartsAtRandom(
  random: Random,
  from: number,
  end: number,
  { meanHours, atLeastHours, reason }: { meanHours: number; atLeastHours: number; reason: Reason },
): PlannedRestart[] {
  const restarts: PlannedRestart[] = [];
  let time = from;
  for (;;) {
    time += (atLeastHours + exponential(random, meanHours - atLeastHours)) * hour;
    const restart = restartAt(random, time, reason);
    if (restart.t >= end) return restarts;
    restarts.push(restart);
    time += restart.down;
  }
}

/** So many restarts between two times, in order. */
export function someRestarts(
  random: Random,
  count: number,
  from: number,
  end: number,
  reason: Reason,
): PlannedRestart[] {
  const times = Array.from({ length: count }, () => uniform(random, from, end)).sort((a, b) => a - b);
  const apart = times.filter((time, i) => i === 0 || time - (times[i - 1] as number) > 0.25 * hour);
  return apart.map((time) => restartAt(random, time, reason));
}
