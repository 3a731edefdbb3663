// Healthy services that keep data until they have enough of it. Shares are of the service's base; hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { riseByAge, warmUp } from "../parts.ts";
import { restartsAtRandom } from "../restarts.ts";
import { clamp, wander } from "../runtimes.ts";
import type { Part, Service } from "../service.ts";
import { day, hour, MiB, minute } from "../units.ts";
import { anyRuntime, usualStart } from "../usual.ts";
import { wideService } from "./service.ts";
import { anyLimit, intervalFor, levelFor, sometimesReplicas, wideBase } from "./sizes.ts";

/** At a load of tens of requests a second a cache of some thousand entries is full before the coffee is. */
export function cacheFillsInMinutes(random: Random): Service {
  const fill = logUniform(random, 3, 60) / 60;
  const base = logUniform(random, 45, 1200) * MiB;
  const hours = levelFor(random, fill);
  const delay = pick(random, [0, 0, 0, 1]) * logUniform(random, 2, 25) * minute;
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    ageHours: pick(random, [0, 0, 0, 0.2]) * fill,
    warmShare: logUniform(random, 0.02, 0.3),
    parts: [after(delay, lruCache(random, base * logUniform(random, 0.15, 4), fill * hour))],
    limit: anyLimit(random),
    ...sometimesReplicas(random),
    params: { fill_h: fill, delay_s: delay },
  });
}

export function cacheFillsInHours(random: Random): Service {
  const fill = logUniform(random, 1, 40);
  const base = wideBase(random);
  return wideService(random, {
    base,
    hours: Math.max(12, fill * uniform(random, 1.5, 4)),
    traffic: { peakToTrough: logUniform(random, 1.2, 8) },
    parts: [lruCache(random, base * logUniform(random, 0.15, 4), fill * hour)],
    limit: anyLimit(random),
    ...sometimesReplicas(random),
    params: { fill_h: fill },
  });
}

/** Deployed again and again, each time with an empty cache: earlier lives say where it ends. */
export function cacheRefilledByDeploys(random: Random): Service {
  const fill = logUniform(random, 0.2, 12);
  const base = wideBase(random);
  const start = usualStart(random, 7);
  const meanHours = fill * uniform(random, 1.3, 4);
  const hours = Math.min(250, Math.max(10, meanHours * uniform(random, 3, 8)));
  return wideService(random, {
    base,
    start,
    hours,
    traffic: { peakToTrough: logUniform(random, 1.2, 5) },
    parts: [lruCache(random, base * logUniform(random, 0.2, 3), fill * hour)],
    restarts: restartsAtRandom(random, start, start + hours * hour, {
      meanHours,
      atLeastHours: 0.2 * meanHours,
      reason: "deploy",
    }),
    limit: anyLimit(random),
    params: { fill_h: fill, mean_life_h: meanHours },
  });
}

/** Entries live for a fixed time: straight until the first expire, and then as many come as go. */
export function cacheWithTimeToLive(random: Random): Service {
  const ttl = logUniform(random, 0.08, 30);
  const base = wideBase(random);
  const hours = levelFor(random, ttl);
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    traffic: { peakToTrough: logUniform(random, 1.1, 6) },
    parts: [entriesOfAge(base * logUniform(random, 0.15, 3), ttl * hour)],
    limit: anyLimit(random),
    ...sometimesReplicas(random),
    params: { ttl_h: ttl },
  });
}

/** A store whose maximum is near its container's limit, as its manual says. */
export function storeFillsToItsMaximum(random: Random): Service {
  const fill = logUniform(random, 0.15, 50);
  const base = logUniform(random, 45, 400) * MiB;
  const hours = levelFor(random, fill);
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    runtime: "native",
    warmShare: 0.02,
    loadShare: 0.01,
    parts: [lruCache(random, base * logUniform(random, 1, 20), fill * hour)],
    limit: { peakShare: uniform(random, 0.75, 0.93) },
    params: { fill_h: fill },
  });
}

/** Code first, data then: two ramps, one after the other. */
export function twoPhaseWarmUp(random: Random): Service {
  const jit = logUniform(random, 1, 25) * minute;
  const fill = logUniform(random, 0.15, 8);
  const base = wideBase(random);
  const hours = levelFor(random, jit / hour + fill);
  const from = jit * uniform(random, 1, 4);
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    runtime: pick(random, ["v8", "jvm", "jvm"]),
    parts: [
      warmUp(base * uniform(random, 0.2, 0.9), jit),
      after(from, lruCache(random, base * uniform(random, 0.2, 2), fill * hour)),
    ],
    limit: anyLimit(random),
    params: { jit_s: jit, fill_h: fill },
  });
}

/** Pages of files that are read, as long as nobody else needs them: up for hours, down at once, at no fixed height. */
export function pageCacheWanders(random: Random): Service {
  const base = logUniform(random, 45, 1500) * MiB;
  const fill = logUniform(random, 0.2, 20) * hour;
  return wideService(random, {
    base,
    hours: uniform(random, 30, 200),
    ageHours: uniform(random, 0, 30),
    runtime: pick(random, ["native", "go", "jvm"]),
    parts: [
      wander({ deviation: base * uniform(random, 0.03, 0.12), tau: logUniform(random, 1, 20) * hour, jitter: 0 }),
      reclaimedNowAndThen(base * uniform(random, 0.1, 1), fill, logUniform(random, 1, 12)),
    ],
    limit: { peakShare: uniform(random, 0.35, 0.85) },
    params: { fill_h: fill / hour },
  });
}

/** Each larger than the one before, ever more seldom: an allocator keeps what the largest request so far needed. */
export function rareLargeRequests(random: Random): Service {
  const base = wideBase(random);
  const perDay = logUniform(random, 5, 500);
  return wideService(random, {
    base,
    hours: uniform(random, 24, 180),
    ageHours: pick(random, [0, 0, 1]) * uniform(random, 0, 30),
    runtime: anyRuntime(random),
    parts: [largestSoFar(base * logUniform(random, 0.05, 0.4), perDay)],
    limit: anyLimit(random),
    params: { large_per_day: perDay },
  });
}

/** Holes between live objects: as the logarithm of the age, until every size has its holes. */
export function slowFragmentation(random: Random): Service {
  const until = logUniform(random, 0.5, 90);
  const tau = until * logUniform(random, 0.004, 0.3);
  const base = wideBase(random);
  const curve = (share: number) => Math.log1p((share * until) / tau) / Math.log1p(until / tau);
  const hours = levelFor(random, until);
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    runtime: pick(random, ["python", "native", "native"]),
    parts: [riseByAge(base * logUniform(random, 0.1, 1.2), until * hour, curve)],
    limit: anyLimit(random),
    params: { until_h: until, tau_h: tau },
  });
}

/** Data that are loaded once, by an import that somebody starts: hours of growth, and then no more. */
export function importThatEnds(random: Random): Service {
  const base = wideBase(random);
  const start = usualStart(random, 7);
  const hours = uniform(random, 10, 150);
  const imports = Array.from({ length: integer(random, 1, 3) }, () => ({
    from: start + hours * uniform(random, 0.05, 0.8) * hour,
    seconds: logUniform(random, 0.2, 10) * hour,
    bytes: base * logUniform(random, 0.08, 1),
  }));
  return wideService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 0, 40),
    parts: [
      () =>
        ({ time }) =>
          imports.reduce((sum, { from, seconds, bytes }) => sum + bytes * clamp((time - from) / seconds), 0),
    ],
    limit: anyLimit(random),
    params: { imports: imports.length },
  });
}

/** The same, so many seconds later. */
function after(seconds: number, part: Part): Part {
  return (random, step) => {
    const its = part(random, step);
    return (moment) => (moment.age < seconds ? 0 : its({ ...moment, age: moment.age - seconds }));
  };
}

/**
 * Bounded by the number of entries or by their bytes, filled by time, by requests, or ever more slowly as unseen keys become rare.
 * Full, it stays within the difference of entries in size.
 */
export function lruCache(random: Random, bytes: number, fill: number): Part {
  const form = pick(random, ["even", "even", "requests", "rare keys"]);
  const sizes = bytes * pick(random, [0, 0.004, 0.02]);
  // an allocator may take memory for it entry by entry, or in pieces
  const piece = pick(random, [0, 0, 0, 1]) * logUniform(random, 0.02, 0.2);
  return (life, step) => {
    const swing = wander({ deviation: sizes, tau: fill / 3, jitter: 0 })(life, step);
    let requests = 0;
    return (moment) => {
      requests += moment.load * step;
      const share = clamp((form === "requests" ? requests : moment.age) / fill);
      const filled = form === "rare keys" ? Math.log1p(8 * share) / Math.log1p(8) : share;
      const taken = piece > 0 ? Math.min(1, Math.ceil(filled / piece) * piece) : filled;
      return bytes * taken + swing(moment) * filled;
    };
  };
}

/** What came within the last `ttl` seconds; `bytes` at mean load. */
export function entriesOfAge(bytes: number, ttl: number): Part {
  return (_, step) => {
    const kept = Math.max(1, Math.round(ttl / step));
    const arrivals = new Float64Array(kept);
    let turn = 0;
    let sum = 0;
    return ({ load }) => {
      const at = turn++ % kept;
      sum += load - (arrivals[at] as number);
      arrivals[at] = load;
      return (bytes * sum) / kept;
    };
  };
}

/** Approaches `most` bytes; a reclaim takes a part away. */
function reclaimedNowAndThen(most: number, fill: number, perDay: number): Part {
  return (random, step) => {
    let share = random();
    return () => {
      if (random() < (step / day) * perDay) share *= uniform(random, 0.1, 0.9);
      share += ((1 - share) * step) / fill;
      return most * share;
    };
  };
}

/** Sizes of requests have a long tail; `scale` is that of a usual large one. Not beyond twelve of them. */
function largestSoFar(scale: number, perDay: number): Part {
  return (random, step) => {
    let largest = 0;
    return () => {
      if (random() < (step / day) * perDay) largest = Math.max(largest, Math.min(12, 0.5 / Math.sqrt(1 - random())));
      return (scale * largest) / 3;
    };
  };
}
