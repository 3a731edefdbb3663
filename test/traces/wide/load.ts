// Healthy services whose memory follows what they are asked to do. Shares are of the service's base; hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { followsLoad } from "../parts.ts";
import { clamp } from "../runtimes.ts";
import type { Part, Service } from "../service.ts";
import { day, hour, minute } from "../units.ts";
import { usualStart } from "../usual.ts";
import { wideService } from "./service.ts";
import { anyLimit, intervalFor, wideBase } from "./sizes.ts";

/** Users come in waves: a poll, a queue, a cron job of others. No wave is quite as high as the one before. */
export function wavesOfMinutes(random: Random): Service {
  const period = logUniform(random, 3, 45) * minute;
  const base = wideBase(random);
  const hours = logUniform(random, 1.5, 30);
  const start = usualStart(random, 7);
  return wideService(random, {
    base,
    start,
    hours,
    interval: intervalFor(hours),
    ageHours: pick(random, [0, 0, 1]) * uniform(random, 0, 10),
    traffic: { trend: waves(random, period, uniform(random, 0.3, 0.9)), peakToTrough: logUniform(random, 1.2, 4) },
    loadShare: 0,
    parts: [wavesOf(random, base * logUniform(random, 0.1, 0.9), period)],
    limit: anyLimit(random),
    params: { period_s: period },
  });
}

export function wavesOfHours(random: Random): Service {
  const period = logUniform(random, 1, 9) * hour;
  const base = wideBase(random);
  return wideService(random, {
    base,
    hours: (period / hour) * uniform(random, 5, 25),
    ageHours: pick(random, [0, 1]) * uniform(random, 0, 20),
    traffic: { trend: waves(random, period, uniform(random, 0.3, 0.9)), peakToTrough: logUniform(random, 1.2, 5) },
    loadShare: 0,
    parts: [wavesOf(random, base * logUniform(random, 0.1, 0.9), period)],
    limit: anyLimit(random),
    params: { period_h: period / hour },
  });
}

/** Between 1 - depth and 1 + depth, with a height of its own for each wave; for as long as any trace. */
export function waves(random: Random, period: number, depth: number): (time: number) => number {
  const heights = Array.from({ length: 97 }, () => depth * uniform(random, 0.5, 1));
  const phase = uniform(random, 0, period);
  return (time) => {
    const turns = (time + phase) / period + 1e5;
    return 1 + (heights[Math.floor(turns) % heights.length] as number) * Math.sin(2 * Math.PI * turns);
  };
}

/** `bytes` at mean load, a while late. Some let it lie until a collector comes by, which may be waves later. */
export function wavesOf(random: Random, bytes: number, period: number): Part {
  const part = followsLoad(bytes, Math.min(uniform(random, 0.02, 0.3) * period, 20 * minute));
  return random() < 0.5 ? part : keptUntilCollected(part, period * logUniform(random, 0.1, 1.5));
}

/** What a part needed at most since the last collection; they come at random, so many seconds apart on average. */
function keptUntilCollected(part: Part, apart: number): Part {
  return (random, step) => {
    const needed = part(random, step);
    let resident = 0;
    return (moment) => {
      const now = needed(moment);
      resident = random() < step / apart ? now : Math.max(resident, now);
      return resident;
    };
  };
}

/** Some days are busier than others, and on weekends hardly anybody is there. */
export function unequalDays(random: Random): Service {
  const days = Array.from({ length: 19 }, () => uniform(random, 0.55, 1.3));
  return wideService(random, {
    base: wideBase(random),
    start: usualStart(random, 7),
    hours: uniform(random, 90, 258),
    ageHours: pick(random, [0, 1]) * uniform(random, 0, 60),
    traffic: {
      peakToTrough: logUniform(random, 2, 15),
      weekend: uniform(random, 0.03, 0.7),
      trend: (time) => between(days, time / day),
    },
    loadShare: logUniform(random, 0.1, 0.8),
    limit: anyLimit(random),
    params: {},
  });
}

/** From one value to the next, around and around. */
function between(values: readonly number[], at: number): number {
  const whole = Math.floor(at);
  const value = (index: number) => values[((index % values.length) + values.length) % values.length] as number;
  return value(whole) + (at - whole) * (value(whole + 1) - value(whole));
}

/** Connections, threads and their buffers: opened when needed, closed after having been idle for long, or never. */
export function poolGrowsWithLoad(random: Random): Service {
  const base = wideBase(random);
  const idleHours = pick(random, [0.2, 1, 6, Number.POSITIVE_INFINITY]);
  const each = base * logUniform(random, 0.004, 0.05);
  const atMeanLoad = integer(random, 5, 40);
  return wideService(random, {
    base,
    hours: uniform(random, 20, 200),
    traffic: { peakToTrough: logUniform(random, 1.5, 10), weekend: uniform(random, 0.3, 1) },
    parts: [pool({ each, atMeanLoad, idle: idleHours * hour })],
    limit: anyLimit(random),
    params: { idle_h: Number.isFinite(idleHours) ? idleHours : "never", connections: atMeanLoad },
  });
}

function pool({ each, atMeanLoad, idle }: { each: number; atMeanLoad: number; idle: number }): Part {
  return (random, step) => {
    let open = 0;
    return ({ load }) => {
      // how many are busy at once differs from moment to moment
      const busy = Math.ceil(atMeanLoad * load * uniform(random, 0.6, 1));
      open = Math.max(busy, open - (open - busy) * Math.min(1, step / idle));
      return each * open;
    };
  };
}

/** The first night's run takes what it needs, and the allocator keeps it: one plateau, then another, and no third. */
export function batchRaisesPlateau(random: Random): Service {
  const base = wideBase(random);
  const at = uniform(random, 0, 24) * hour;
  const bytes = base * logUniform(random, 0.08, 1.2);
  const kept = uniform(random, 0.4, 1);
  const duration = logUniform(random, 0.1, 3) * hour;
  return wideService(random, {
    base,
    start: usualStart(random),
    hours: uniform(random, 60, 200),
    parts: [keepsOfRuns({ bytes, kept, at, duration })],
    limit: anyLimit(random),
    params: { at_hour: at / hour, kept },
  });
}

function keepsOfRuns({
  bytes,
  kept,
  at,
  duration,
}: {
  bytes: number;
  kept: number;
  at: number;
  duration: number;
}): Part {
  return (random) => {
    let run: number | undefined;
    let size = bytes;
    let most = 0;
    return ({ time, age }) => {
      const now = Math.floor((time - at) / day);
      if (now !== run) size = bytes * uniform(random, 0.92, 1.02);
      run = now;
      const running = time - at - now * day;
      // not of a run that began before this life
      const used = running < duration && running <= age ? size * clamp(running / (0.7 * duration)) : 0;
      most = Math.max(most, used);
      return Math.max(used, kept * most);
    };
  };
}

/** Every few minutes a report, a picture, an export: much memory for seconds or minutes. */
export function frequentJobs(random: Random): Service {
  const period = logUniform(random, 2, 40) * minute;
  const base = wideBase(random);
  const hours = logUniform(random, 1.5, 40);
  const bytes = base * logUniform(random, 0.2, 3);
  const share = uniform(random, 0.03, 0.5);
  const jobs: Part = (life) => {
    let run: number | undefined;
    let size = bytes;
    return ({ time }) => {
      const now = Math.floor(time / period);
      if (now !== run) size = bytes * uniform(life, 0.3, 1);
      run = now;
      return (time / period) % 1 < share ? size : 0;
    };
  };
  return wideService(random, {
    base,
    hours,
    interval: intervalFor(hours),
    // a job that ends makes no request that would make a collector come by
    parts: [random() < 0.6 ? jobs : keptUntilCollected(jobs, period * logUniform(random, 0.05, 3))],
    limit: anyLimit(random),
    params: { period_s: period, busy_share: share },
  });
}
