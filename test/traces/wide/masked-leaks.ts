// Leaks that restarts hide, and leaks that end every life. MiB and hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { steadyLeak } from "../parts.ts";
import { restartsAtRandom } from "../restarts.ts";
import type { Part, Process, Service } from "../service.ts";
import { hour, MiB } from "../units.ts";
import { usualStart } from "../usual.ts";
import { perHour } from "./leaks.ts";
import { lives } from "./restarting.ts";
import { wideService } from "./service.ts";
import { intervalFor } from "./sizes.ts";

interface Lives {
  start: number;
  hours: number;
  interval: number;
  base: number;
  /** MiB leaked in a life. */
  perLife: number;
  /** MiB per hour. */
  rate: number;
}

/** So many lives of so many hours, in each of which a notable share of the base leaks. */
function manyLives(
  random: Random,
  lifeHours: number,
  [fewest, most]: [number, number],
  share: [number, number],
): Lives {
  const hours = Math.min(260, Math.max(1, lifeHours * uniform(random, fewest, most)));
  for (;;) {
    const base = logUniform(random, 45, 2500);
    const perLife = base * logUniform(random, ...share);
    const rate = perLife / lifeHours;
    if (rate > fastest) continue;
    return { start: usualStart(random, 7), hours, interval: intervalFor(hours), base: base * MiB, perLife, rate };
  }
}

/** MiB per hour. */
const fastest = 60 * 60;

export function leakMaskedByCron(random: Random): Service {
  const cron = pick(random, [0.5, 1, 2, 3, 4, 6, 8, 12]);
  const { perLife, rate, ...words } = manyLives(random, cron, [6, 14], [0.2, 2.5]);
  return wideService(random, {
    ...words,
    onset: words.start,
    leak: steadyLeak(rate * perHour),
    restarts: lives(random, words.start, words.start + words.hours * hour, "cron", cron * hour, 0),
    limit: { aboveLevel: perLife * uniform(random, 1.2, 6) * MiB },
    params: { cron_h: cron, mb_per_h: rate },
  });
}

/** Deployed so often that no life reaches the limit, or hardly any. */
export function leakMaskedByDeploys(random: Random): Service {
  const meanHours = logUniform(random, 1, 36);
  const { perLife, rate, ...words } = manyLives(random, meanHours, [5, 9], [0.25, 2]);
  return wideService(random, {
    ...words,
    onset: words.start,
    leaksFromBirth: true,
    leak: steadyLeak(rate * perHour),
    restarts: restartsAtRandom(random, words.start, words.start + words.hours * hour, {
      meanHours,
      atLeastHours: 0.2,
      reason: "deploy",
    }),
    limit: { aboveLevel: perLife * uniform(random, 2, 6) * MiB },
    params: { mean_life_h: meanHours, mb_per_h: rate },
  });
}

export function oomLoopOfMinutes(random: Random): Service {
  return oomLoop(random, logUniform(random, 3, 30) / 60, [4, 20]);
}

export function oomLoopOfHours(random: Random): Service {
  return oomLoop(random, logUniform(random, 0.5, 12), [3.5, 12]);
}

function oomLoop(random: Random, life: number, count: [number, number]): Service {
  const { perLife, rate, ...words } = manyLives(random, life, count, [0.4, 6]);
  return wideService(random, {
    ...words,
    warmMinutes: Math.min(life * 10, uniform(random, 1, 8)),
    onset: words.start,
    leaksFromBirth: true,
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: perLife * MiB },
    params: { life_h: life, mb_per_h: rate },
  });
}

/** The runtime gives up before the container's limit is near: JavaScript heap out of memory, OutOfMemoryError. */
export function diesOfItsHeapLimit(random: Random): Service {
  const life = logUniform(random, 0.08, 40);
  const { perLife, rate, ...words } = manyLives(random, life, [0.7, 8], [0.4, 6]);
  const runtime = pick(random, ["v8", "v8", "jvm"]);
  return wideService(random, {
    ...words,
    warmMinutes: Math.min(life * 10, uniform(random, 1, 8)),
    runtime,
    onset: words.start,
    parts: [garbageAboveLeak(perLife * MiB, runtime === "jvm" ? uniform(random, 0.15, 0.8) : uniform(random, 0, 0.2))],
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: perLife * MiB },
    heap: { outside: words.base * uniform(random, 0.3, 0.7), room: logUniform(random, 1.15, 3) },
    params: { life_h: life, mb_per_h: rate },
  });
}

/**
 * The more live data, the more garbage lies above them, up to what the heap may have: then memory is level, while the leak eats the
 * room for garbage. `room` is in bytes, `ratio` that of garbage to leaked data.
 */
function garbageAboveLeak(room: number, ratio: number): Part {
  return () =>
    ({ leaked }) =>
      Math.max(0, Math.min(ratio * leaked, 0.97 * room - leaked));
}

/** All workers leak, and none lives long enough to show how much: max_requests was set for that reason. */
export function leakingWorkersRecycled(random: Random): Service {
  const life = logUniform(random, 0.08, 10);
  const { perLife, rate, ...words } = manyLives(random, life, [6, 14], [0.25, 2.5]);
  const workers = integer(random, 2, 5);
  return wideService(random, {
    ...words,
    warmMinutes: Math.min(life * 6, uniform(random, 0.5, 5)),
    runtime: pick(random, ["python", "native"]),
    onset: words.start,
    workers: (one: Process) =>
      Array.from({ length: workers }, () => ({
        ...one,
        leak: steadyLeak(rate * uniform(random, 0.8, 1.2) * perHour),
        restarts: lives(random, words.start, words.start + words.hours * hour, "recycle", life * hour, 0.15),
      })),
    limit: { aboveLevel: perLife * uniform(random, 1.4, 6) * MiB },
    params: { workers, life_h: life, mb_per_h: rate },
  });
}
