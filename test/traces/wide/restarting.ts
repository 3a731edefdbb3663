// Healthy services that are restarted, deployed, recycled or crash. Shares are of the service's base; hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { warmUp } from "../parts.ts";
import { restartsAtRandom } from "../restarts.ts";
import type { Part, PlannedRestart, Process, RestartReason, Service } from "../service.ts";
import { hour, MiB, minute } from "../units.ts";
import { usualStart } from "../usual.ts";
import { lruCache } from "./caches.ts";
import { wideService } from "./service.ts";
import { anyLimit, intervalFor, wideBase } from "./sizes.ts";

/** Replicas are replaced one after another, every few hours or days; each warms up as the ones before. */
export function rollingDeploys(random: Random): Service {
  const base = logUniform(random, 45, 1500) * MiB;
  const start = usualStart(random, 7);
  const meanHours = logUniform(random, 2, 60);
  const hours = Math.min(220, Math.max(12, meanHours * uniform(random, 3, 7)));
  const deploys = restartsAtRandom(random, start, start + hours * hour, {
    meanHours,
    atLeastHours: 0.5,
    reason: "deploy",
  });
  const apart = logUniform(random, 0.5, 10) * minute;
  return wideService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 0, meanHours),
    parts: [warmUp(base * logUniform(random, 0.1, 1.5), logUniform(random, 0.03, 2) * hour)],
    workers: (one: Process) =>
      Array.from({ length: integer(random, 1, 4) }, (_, worker) => ({
        ...one,
        restarts: deploys.map((deploy) => ({ ...deploy, t: deploy.t + Math.round((worker * apart) / 30) * 30 })),
      })),
    limit: anyLimit(random),
    params: { mean_life_h: meanHours },
  });
}

/** Each version needs more or less than the one before. */
export function stepsAtDeploys(random: Random): Service {
  const base = wideBase(random);
  const start = usualStart(random, 7);
  const meanHours = logUniform(random, 4, 50);
  const hours = Math.min(230, Math.max(24, meanHours * uniform(random, 3, 7)));
  const restarts = restartsAtRandom(random, start, start + hours * hour, {
    meanHours,
    atLeastHours: 0.5,
    reason: "deploy",
  });
  const drift = uniform(random, -0.1, 0.25);
  let level = base * uniform(random, 0.1, 0.5);
  const levels = Array.from({ length: restarts.length + 1 }, () => {
    level = Math.max(0, level + base * (drift + uniform(random, -0.12, 0.12)));
    return level;
  });
  return wideService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 0, meanHours),
    parts: [
      () =>
        ({ time, age }) => {
          const version = restarts.filter(({ t }) => t <= time).length;
          return (levels[version] as number) * (1 - Math.exp(-age / (4 * minute)));
        },
    ],
    restarts,
    limit: anyLimit(random),
    params: { mean_life_h: meanHours, drift },
  });
}

/** It cannot reach its database, or its configuration is wrong: lives of seconds and minutes that memory does not end. */
export function youngCrashLoop(random: Random): Service {
  const meanLife = logUniform(random, 0.4, 15) * minute;
  const base = logUniform(random, 45, 800) * MiB;
  const hours = logUniform(random, 1, 8);
  const start = usualStart(random, 7);
  return wideService(random, {
    base,
    start,
    hours,
    interval: intervalFor(hours),
    warmShare: uniform(random, 0.1, 0.8),
    warmMinutes: logUniform(random, 0.3, 5),
    noise: 0.5,
    restarts: lives(random, start, start + hours * hour, "crash", meanLife, 0.7),
    limit: anyLimit(random),
    params: { mean_life_s: meanLife },
  });
}

/** pm.max_requests, max_requests, maxTasksPerChild: nothing is wrong, each worker just ends after so many requests. */
export function recycledWorkers(random: Random): Service {
  const meanLife = logUniform(random, 2, 240) * minute;
  const base = logUniform(random, 30, 300) * MiB;
  const hours = Math.min(60, Math.max(1.5, (meanLife / hour) * uniform(random, 5, 20)));
  const start = usualStart(random, 7);
  const warm = logUniform(random, 0.03, 0.6);
  const interval = intervalFor(hours);
  return wideService(random, {
    base,
    start,
    hours,
    interval,
    ageHours: uniform(random, 0, 0.8) * (meanLife / hour),
    runtime: pick(random, ["python", "native"]),
    parts: [keepsWhatItNeeded(base * warm, meanLife * logUniform(random, 0.02, 0.5))],
    workers: (one: Process) =>
      Array.from({ length: integer(random, 2, 6) }, () => ({
        ...one,
        restarts: lives(random, start, start + hours * hour, "recycle", meanLife, 0.15),
      })),
    limit: { peakShare: uniform(random, 0.1, 0.8) },
    params: { mean_life_s: meanLife, warm_share: warm },
  });
}

/** Approaches what its largest requests need, in small steps. */
function keepsWhatItNeeded(bytes: number, tau: number): Part {
  return (random, step) => {
    let share = 0;
    return ({ load }) => {
      if (random() < (4 * step * load) / tau) share += (1 - share) * 0.25 * random();
      return bytes * share;
    };
  };
}

/** Restarted by cron, with a cache that is not full by then, or only just: no life is higher than the one before. */
export function cronRestartsFillingCache(random: Random): Service {
  const cron = pick(random, [0.5, 1, 2, 3, 4, 6, 8, 12, 24]);
  const base = wideBase(random);
  const hours = Math.min(200, Math.max(6, cron * uniform(random, 6, 12)));
  const start = usualStart(random, 7);
  const fill = cron * logUniform(random, 0.05, 0.9);
  return wideService(random, {
    base,
    start,
    hours,
    interval: intervalFor(hours),
    parts: [lruCache(random, base * logUniform(random, 0.1, 1.5), fill * hour)],
    restarts: lives(random, start, start + hours * hour, "cron", cron * hour, 0),
    limit: anyLimit(random),
    params: { cron_h: cron, fill_h: fill },
  });
}

/** Ends again and again after `mean` seconds, by `spread` of them more or less; on a grid of five seconds. */
export function lives(
  random: Random,
  start: number,
  end: number,
  reason: Extract<RestartReason, "cron" | "crash" | "recycle">,
  mean: number,
  spread: number,
): PlannedRestart[] {
  const restarts: PlannedRestart[] = [];
  const grid = mean < hour ? 5 : 30;
  for (let time = start; ; ) {
    const t = Math.ceil((time + mean * uniform(random, 1 - spread, 1 + spread)) / grid) * grid;
    if (t >= end) return restarts;
    const down = reason === "recycle" ? uniform(random, 0.2, 3) : uniform(random, 2, 40);
    restarts.push({ t, reason, down });
    time = reason === "cron" ? t : t + down; // cron goes by the clock
  }
}
