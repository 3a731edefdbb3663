// Healthy services whose collectors let garbage lie: ramps to a heap's maximum, deep teeth, full collections once a day. Shares are
// of the service's base; hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { clamp, returnedSlowly, sawtooth, wander } from "../runtimes.ts";
import type { Part, Service } from "../service.ts";
import { day, hour, MiB, minute } from "../units.ts";
import { wideService } from "./service.ts";
import { anyLimit, intervalFor, levelFor, sometimesReplicas, wideBase } from "./sizes.ts";

/** V8 lets each tooth be higher than the one before, up to what its heap may have. */
export function v8RampsToItsMaximum(random: Random): Service {
  const base = logUniform(random, 45, 400) * MiB;
  const most = base * logUniform(random, 0.3, 6);
  const period = logUniform(random, 0.5, 90) * minute;
  const teeth = integer(random, 3, 14);
  const hours = levelFor(random, (period * teeth) / hour / 2);
  const isKnown = random() < 0.7;
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    runtime: "v8",
    noise: 0.3,
    parts: [risingTeeth({ most, period, teeth, keeps: uniform(random, 0.05, 0.6) })],
    limit: anyLimit(random),
    ...(isKnown && { heap: { max: 0.5 * base + most } }),
    params: { garbage_mb: most / MiB, gc_period_s: period, teeth },
  });
}

interface RisingTeeth {
  /** Bytes of garbage in the highest tooth. */
  most: number;
  /** Seconds of the highest tooth at mean load. */
  period: number;
  /** How many there are until the highest. */
  teeth: number;
  /** Share of a tooth that the first collection after it leaves, to be collected later. */
  keeps: number;
}

function risingTeeth({ most, period, teeth, keeps }: RisingTeeth): Part {
  return (random, step) => {
    let tooth = 1;
    let garbage = 0;
    const ceiling = () => most * Math.min(1, (tooth / teeth) ** 0.8) * uniform(random, 0.93, 1);
    let collectsAt = ceiling();
    return ({ load }) => {
      garbage += (most / period) * step * (0.3 + 0.7 * load);
      if (garbage >= collectsAt) {
        garbage = collectsAt * keeps * uniform(random, 0.7, 1);
        tooth++;
        collectsAt = ceiling();
      }
      return garbage;
    };
  };
}

/** A JVM touches its young generation bit by bit, and then its old one: straight for minutes or hours, and level at -Xmx. */
export function jvmRampsToXmx(random: Random): Service {
  const young = logUniform(random, 0.1, 8);
  const old = young * logUniform(random, 1.5, 10);
  const base = logUniform(random, 80, 1500) * MiB;
  const heap = base * logUniform(random, 0.4, 4);
  const youngShare = uniform(random, 0.3, 0.75);
  const oldFills = pick(random, [0, 0.3, 1]);
  const hours = levelFor(random, oldFills > 0 ? old : young);
  const isKnown = random() < 0.75;
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    runtime: "jvm",
    noise: 0,
    traffic: { peakToTrough: logUniform(random, 1.1, 5) },
    parts: [
      touchedByRequests(heap * youngShare, young * hour),
      touchedByRequests(heap * (1 - youngShare) * oldFills, old * hour),
      ...pick(random, [[], [], [wander({ deviation: base * 0.002, tau: 20 * minute, jitter: base * 0.001 })]]),
    ],
    limit: anyLimit(random),
    ...sometimesReplicas(random),
    ...(isKnown && { heap: { max: heap * logUniform(random, 1, 1.25) } }),
    params: { young_h: young, old_h: old, old_fills: oldFills },
  });
}

/**
 * Each request takes new pages, until all have been touched once. After a collection it may be given the old ones again: straight,
 * level, straight, level, as G1 does when it moves its young generation.
 */
function touchedByRequests(bytes: number, seconds: number): Part {
  return (random, step) => {
    const moves = random() < 0.5;
    const nextStage = () => seconds * uniform(random, 0.1, 0.5);
    let isNew = true;
    let stageLeft = moves ? nextStage() : Number.POSITIVE_INFINITY;
    let touched = 0;
    return ({ load }) => {
      stageLeft -= load * step;
      if (stageLeft < 0) {
        isNew = !isNew;
        stageLeft = nextStage();
      }
      if (isNew) touched += load * step;
      return bytes * clamp(touched / seconds);
    };
  };
}

/** Nothing but a full collection finds the old garbage, and it comes once an hour, once a day, or when it must. */
export function fullCollectionsByHours(random: Random): Service {
  const base = wideBase(random);
  const isTimed = random() < 0.5;
  const period = isTimed ? pick(random, [1, 1, 6, 12, 24, 24]) : logUniform(random, 1, 30);
  const height = base * logUniform(random, 0.2, 1.8);
  return wideService(random, {
    base,
    hours: Math.min(250, period * uniform(random, 4.5, 14) + 4),
    ageHours: period * uniform(random, 0, 6),
    runtime: pick(random, ["jvm", "v8", "go"]),
    noise: 0.4,
    parts: [
      isTimed
        ? emptiedEvery(period * hour, height, pick(random, [1, 1, 0.6]))
        : sawtooth({ height, period: period * hour, spread: 0.1, loadShare: uniform(random, 0, 1), jitter: 0.01 }),
    ],
    limit: anyLimit(random),
    params: { period_h: period, height_mb: height / MiB, timed: String(isTimed) },
  });
}

/** By the clock; `curve` bends it: 1 is straight. */
export function emptiedEvery(period: number, bytes: number, curve: number): Part {
  return (random) => {
    let run = Number.NEGATIVE_INFINITY;
    let scale = 1;
    return ({ time }) => {
      const now = Math.floor(time / period);
      if (now !== run) scale = uniform(random, 0.85, 1.1);
      run = now;
      return bytes * scale * ((time / period) % 1) ** curve;
    };
  };
}

/** Buffers, indexes and logs that are put away once a week or once a day. */
export function resetByTheWeek(random: Random): Service {
  const base = wideBase(random);
  const period = pick(random, [day, day, 7 * day]);
  const bytes = base * logUniform(random, 0.04, 0.3);
  return wideService(random, {
    base,
    hours: period === day ? uniform(random, 80, 200) : uniform(random, 200, 258),
    ageHours: uniform(random, 0, 3) * (period / hour),
    parts: [emptiedEvery(period, bytes, uniform(random, 0.4, 1))],
    limit: anyLimit(random),
    params: { period_h: period / hour, bytes_mb: bytes / MiB },
  });
}

/** An allocator that thinks about it for minutes or hours before it gives pages back. */
export function memoryReturnedLate(random: Random): Service {
  const base = wideBase(random);
  const perDay = logUniform(random, 2, 40);
  const late = logUniform(random, 0.1, 6) * hour;
  return wideService(random, {
    base,
    hours: uniform(random, 20, 160),
    ageHours: uniform(random, 0, 20),
    runtime: pick(random, ["go", "native", "python"]),
    parts: [returnedSlowly(burstsOf(base * logUniform(random, 0.15, 1.5), perDay), late)],
    limit: anyLimit(random),
    params: { bursts_per_day: perDay, returned_h: late / hour },
  });
}

function burstsOf(bytes: number, perDay: number): Part {
  return (random, step) => {
    let until = Number.NEGATIVE_INFINITY;
    let size = 0;
    return ({ time }) => {
      if (time >= until && random() < (step / day) * perDay) {
        until = time + logUniform(random, 1, 25) * minute;
        size = bytes * uniform(random, 0.3, 1);
      }
      return time < until ? size : 0;
    };
  };
}

/** From sample to sample a tenth more or less, for whatever reason. */
export function veryNoisy(random: Random): Service {
  const base = wideBase(random);
  const hours = logUniform(random, 2, 160);
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    ageHours: pick(random, [0, 1]) * uniform(random, 0, 20),
    parts: [
      wander({
        deviation: base * uniform(random, 0.03, 0.1),
        tau: logUniform(random, 2, 120) * minute,
        jitter: base * uniform(random, 0.02, 0.08),
      }),
    ],
    limit: { peakShare: uniform(random, 0.35, 0.85) },
    params: {},
  });
}

/** Serves nobody, or hardly anybody. */
export function idle(random: Random): Service {
  const base = logUniform(random, 5, 300) * MiB;
  const hours = logUniform(random, 1.5, 120);
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    ageHours: pick(random, [0, 1]) * uniform(random, 0, 50),
    traffic: { mean: 0.01 },
    warmShare: logUniform(random, 0.005, 0.1),
    loadShare: 0.002,
    noise: 0.02,
    limit: { peakShare: logUniform(random, 0.05, 0.9) },
    params: {},
  });
}
