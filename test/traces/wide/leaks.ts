// Leaks of all speeds, alone and beside whatever else moves memory. MiB and hours unless said; shares are of the service's base.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { leakPerRequest, leakPerRun, leakWithStalls, steadyLeak } from "../parts.ts";
import { restartAt, restartsAtRandom } from "../restarts.ts";
import { sawtooth, wander } from "../runtimes.ts";
import type { Leak, Process, Service } from "../service.ts";
import { day, hour, MiB, minute } from "../units.ts";
import { entriesOfAge, lruCache } from "./caches.ts";
import { emptiedEvery } from "./heaps.ts";
import { waves, wavesOf } from "./load.ts";
import { wideService } from "./service.ts";
import { leakSize } from "./sizes.ts";

export const perHour = MiB / hour;

/** MiB per hour: from what a week shows to what a lunch does not survive. */
const anyRate = [0.3, 1800] as const;
const days = [24, 700] as const;

/** From its first minute on, or from some time later, with or without a restart. */
export function anySteadyLeak(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [1, 600], before: [0.05, 40] });
  const begins = pick(random, ["at birth", "later", "with a deploy"]);
  const onset = begins === "at birth" ? size.start : size.start + size.healthyHours * hour;
  return wideService(random, {
    ...size,
    onset,
    ageHours: pick(random, [0, 0, 1]) * uniform(random, 0, 0.1) * size.life,
    ...(begins === "at birth" && { leaksFromBirth: true }),
    ...(begins === "with a deploy" && { restarts: [restartAt(random, onset, "deploy")] }),
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate, begins },
  });
}

export function fastLeak(random: Random): Service {
  const size = leakSize(random, { rate: [40, 1800], life: [0.5, 8], before: [0.05, 3] });
  const atStart = random() < 0.5;
  return wideService(random, {
    ...size,
    onset: atStart ? size.start : size.start + size.healthyHours * hour,
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate },
  });
}

/** A version that leaks after versions that did not. */
export function leakBeginsWithDeploy(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [2, 300], before: [4, 100] });
  const onset = Math.ceil((size.start + size.healthyHours * hour) / 30) * 30;
  const meanHours = size.healthyHours / uniform(random, 1.5, 6);
  const earlier = restartsAtRandom(random, size.start, onset - 600, { meanHours, atLeastHours: 0.1, reason: "deploy" });
  return wideService(random, {
    ...size,
    onset,
    restarts: [...earlier, restartAt(random, onset, "deploy")],
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate, onset_h: size.healthyHours },
  });
}

/** Per request, while load comes in waves of minutes or hours that move memory too. */
export function leakUnderWaves(random: Random): Service {
  const size = leakSize(random, { rate: [2, 900], life: [2, 200] });
  const period = logUniform(random, 0.06, 8) * hour;
  const wave = logUniform(random, 0.1, 0.6);
  return wideService(random, {
    ...size,
    onset: size.start,
    traffic: { trend: waves(random, period, uniform(random, 0.3, 0.9)), peakToTrough: logUniform(random, 1.2, 5) },
    loadShare: 0,
    parts: [wavesOf(random, size.base * wave, period)],
    swings: true,
    leak: leakPerRequest(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB + 1.5 * wave * size.base },
    params: { mean_mb_per_h: size.rate, period_h: period / hour, wave_share: wave },
  });
}

export function leakUnderDaysOfLoad(random: Random): Service {
  const size = leakSize(random, { rate: [0.5, 60], life: days, lengths: [0.9, 1.2] });
  const wave = uniform(random, 0.15, 1);
  return wideService(random, {
    ...size,
    hours: Math.max(size.hours, 80),
    onset: size.start,
    traffic: { peakToTrough: logUniform(random, 3, 15), weekend: uniform(random, 0.2, 1) },
    loadShare: wave,
    swings: true,
    leak: pick(random, [steadyLeak, leakPerRequest])(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB + 2 * wave * size.base },
    params: { mb_per_h: size.rate, wave_share: wave },
  });
}

/** A collector takes away much more at once than has leaked since it did so last. */
export function leakUnderDeepTeeth(random: Random): Service {
  const size = leakSize(random, { rate: [1, 900], life: [4, 400] });
  const height = size.base * logUniform(random, 0.2, 1.5);
  const period = Math.min(logUniform(random, 0.05, 12), size.hours / 8);
  const byTheClock = random() < 0.4;
  return wideService(random, {
    ...size,
    onset: size.start,
    swings: true,
    noise: 0.4,
    parts: [
      byTheClock
        ? emptiedEvery(period * hour, height, 1)
        : sawtooth({ height, period: period * hour, spread: 0.15, loadShare: uniform(random, 0, 1), jitter: 0.02 }),
    ],
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB + 0.8 * height },
    params: { mb_per_h: size.rate, gc_period_h: period, height_mb: height / MiB },
  });
}

/** Who sleeps does not leak: nearly nothing at night, nearly nothing at the weekend. */
export function leakRestsAtNight(random: Random): Service {
  const size = leakSize(random, { rate: [1, 80], life: days, lengths: [0.8, 1.3] });
  return wideService(random, {
    ...size,
    hours: Math.max(size.hours, 72),
    onset: size.start,
    traffic: { peakToTrough: logUniform(random, 20, 300), weekend: uniform(random, 0.01, 0.3) },
    loadShare: logUniform(random, 0.02, 0.2),
    leak: leakPerRequest(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    params: { mean_mb_per_h: size.rate },
  });
}

/** The leak is there from the start, and a cache fills on top of it. */
export function leakBesideFillingCache(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [2, 400] });
  const fill = size.hours * logUniform(random, 0.03, 0.5);
  const cache = size.base * logUniform(random, 0.1, 1.5);
  const hasTimeToLive = random() < 0.4;
  return wideService(random, {
    ...size,
    onset: size.start,
    parts: [hasTimeToLive ? entriesOfAge(cache, fill * hour) : lruCache(random, cache, fill * hour)],
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate, fill_h: fill },
  });
}

/** First a cache fills and is full; long after, something begins to leak. */
export function leakAfterCacheIsFull(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [2, 400], before: [0.5, 60] });
  const fill = size.healthyHours * uniform(random, 0.1, 0.8);
  return wideService(random, {
    ...size,
    onset: size.start + size.healthyHours * hour,
    parts: [lruCache(random, size.base * logUniform(random, 0.1, 1.5), fill * hour)],
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate, fill_h: fill, onset_h: size.healthyHours },
  });
}

/** Faster and faster: what leaks is looked through with every request, or each user brings others. */
export function acceleratingLeak(random: Random): Service {
  const size = leakSize(random, { rate: [1, 900], life: [2, 250], lengths: [0.8, 1.3] });
  const power = uniform(random, 1.5, 4);
  return wideService(random, {
    ...size,
    onset: size.start,
    leak: leakAlong((share) => size.room * MiB * share ** power, size.life * hour),
    limit: { aboveLevel: size.room * MiB },
    params: { mean_mb_per_h: size.rate, power },
  });
}

/** Slower and slower, and without an end: as the root of the time. */
export function deceleratingLeak(random: Random): Service {
  const size = leakSize(random, { rate: [1, 900], life: [3, 250], lengths: [0.6, 1.2] });
  const power = uniform(random, 0.5, 0.8);
  return wideService(random, {
    ...size,
    onset: size.start,
    leak: leakAlong((share) => size.room * MiB * share ** power, size.life * hour),
    limit: { aboveLevel: size.room * MiB },
    params: { mean_mb_per_h: size.rate, power },
  });
}

/** Bytes leaked by the age, as a share of `span` seconds. */
function leakAlong(bytes: (share: number) => number, span: number): Leak {
  return (_, step) =>
    ({ age }) =>
      bytes(age / span) - bytes(Math.max(0, age - step) / span);
}

/** A job a night, an hour, or every ten minutes; each run leaves something behind. */
export function leakPerJob(random: Random): Service {
  const period = pick(random, [10 / 60, 0.25, 0.5, 1, 1, 2, 3, 6, 24, 24]);
  const size = leakSize(random, { rate: [0.5, 300], life: [period * 10, period * 80], lengths: [0.7, 1.3] });
  const duration = Math.min(0.5 * period * hour, logUniform(random, 0.5, 40) * minute);
  const offset = uniform(random, 0, period * hour);
  const firstRun = Math.ceil((size.start - offset) / (period * hour)) * period * hour + offset;
  return wideService(random, {
    ...size,
    onset: firstRun,
    leak: leakPerRun(size.rate * period * MiB, period * hour, offset, duration),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate, period_h: period, duration_s: duration },
  });
}

/** Buffers, native modules, threads: beside the heap, whose own limit has nothing to say. */
export function leakOutsideTheHeap(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [1, 400], before: [0.02, 10] });
  const atStart = random() < 0.5;
  return wideService(random, {
    ...size,
    runtime: pick(random, ["v8", "jvm"]),
    onset: atStart ? size.start : size.start + size.healthyHours * hour,
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB },
    heap: { max: size.base * logUniform(random, 0.5, 1.2) },
    params: { mb_per_h: size.rate },
  });
}

/** A heap that is committed piece by piece: nothing for a while, then a step, as long as live data grow. */
export function leakInCommittedSteps(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [2, 300] });
  const pieces = uniform(random, 12, 80);
  return wideService(random, {
    ...size,
    runtime: pick(random, ["jvm", "jvm", "go"]),
    noise: 0.1,
    onset: size.start,
    leak: leakInPieces(size.rate * perHour, (size.room * MiB) / pieces),
    limit: { aboveLevel: size.room * MiB },
    params: { mb_per_h: size.rate, pieces },
  });
}

/** Memory comes in pieces of `bytes` or so, whenever what was leaked since the last is as much. */
function leakInPieces(rate: number, bytes: number): Leak {
  return (random, step) => {
    let owed = 0;
    let piece = bytes * random();
    return () => {
      owed += rate * step;
      if (owed < piece) return 0;
      const taken = owed;
      owed = 0;
      piece = bytes * uniform(random, 0.3, 1.7);
      return taken;
    };
  };
}

export function leakWithPauses(random: Random): Service {
  const size = leakSize(random, { rate: [2, 900], life: [3, 200] });
  const cycle = size.hours * logUniform(random, 0.02, 0.2) * hour;
  const share = uniform(random, 0.3, 0.8);
  const around = (seconds: number): [number, number] => [0.4 * seconds, 1.6 * seconds];
  return wideService(random, {
    ...size,
    onset: size.start,
    leak: leakWithStalls((size.rate / share) * perHour, around(cycle * share), around(cycle * (1 - share))),
    limit: { aboveLevel: size.room * MiB },
    params: { mean_mb_per_h: size.rate, leaks_share: share, cycle_s: cycle },
  });
}

/** A tenth more or less from sample to sample, and a leak below. */
export function leakInStrongNoise(random: Random): Service {
  const size = leakSize(random, { rate: anyRate, life: [4, 400], lengths: [0.8, 1.3] });
  return wideService(random, {
    ...size,
    onset: size.start,
    parts: [
      wander({
        deviation: size.base * uniform(random, 0.02, 0.08),
        tau: logUniform(random, 2, 60) * minute,
        jitter: size.base * uniform(random, 0.02, 0.08),
      }),
    ],
    leak: steadyLeak(size.rate * perHour),
    limit: { aboveLevel: size.room * MiB + 0.3 * size.base },
    params: { mb_per_h: size.rate },
  });
}

/** One of many; the others are as healthy as they look. */
export function oneWorkerOfMany(random: Random): Service {
  const size = leakSize(random, { rate: [1, 900], life: [2, 200] });
  const workers = integer(random, 3, 10);
  const leaking = integer(random, 0, workers - 1);
  return wideService(random, {
    ...size,
    base: Math.min(size.base, 1500 * MiB),
    onset: size.start,
    workers: (one: Process) =>
      Array.from({ length: workers }, (_, worker) =>
        worker === leaking ? { ...one, leak: steadyLeak(size.rate * perHour) } : one,
      ),
    limit: { aboveLevel: size.room * MiB },
    params: { workers, mb_per_h: size.rate },
  });
}

/** The same code in all of them, each with a share of the load of its own. */
export function allWorkersLeak(random: Random): Service {
  const size = leakSize(random, { rate: [1, 900], life: [2, 200] });
  const workers = integer(random, 2, 8);
  const leaks = Array.from({ length: workers }, () => steadyLeak(size.rate * uniform(random, 0.5, 1.5) * perHour));
  return wideService(random, {
    ...size,
    base: Math.min(size.base, 1500 * MiB),
    onset: size.start,
    workers: (one: Process) => leaks.map((leak) => ({ ...one, leak })),
    limit: { aboveLevel: size.room * MiB },
    params: { workers, mean_mb_per_h: size.rate },
  });
}

/** What leaks are nights: nothing for a day, and then a step that stays. Over a daily wave. */
export function nightlyStepsUnderWave(random: Random): Service {
  const size = leakSize(random, { rate: [0.5, 25], life: [150, 700], lengths: [0.5, 1.1] });
  const at = uniform(random, 0, 6) * hour;
  const first = Math.ceil((size.start - at) / day) * day + at;
  const wave = logUniform(random, 0.05, 0.4);
  return wideService(random, {
    ...size,
    hours: Math.max(size.hours, 100),
    onset: first,
    traffic: { peakToTrough: logUniform(random, 2, 8) },
    loadShare: wave,
    swings: true,
    leak: leakPerRun(size.rate * 24 * MiB, day, at, logUniform(random, 2, 90) * minute),
    limit: { aboveLevel: size.room * MiB + 1.5 * wave * size.base },
    params: { mb_per_night: size.rate * 24, wave_share: wave },
  });
}
