// Healthy services as there are and the corpus does not have. Shares are of the service's base; hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { rise, riseByAge, warmUp } from "../parts.ts";
import { restartAt, restartsAtRandom, restartsEvery } from "../restarts.ts";
import { clamp, returnedSlowly, sawtooth, wander } from "../runtimes.ts";
import type { Family, Limit, Part, PlannedRestart, Process, Service } from "../service.ts";
import { day, hour, MiB, minute, step } from "../units.ts";
import { usualBase, usualService, usualStart } from "../usual.ts";

export const healthyOther: readonly Family[] = [
  healthy("cache_fill_any_curve", cacheFillAnyCurve),
  healthy("arena_fragmentation", arenaFragmentation),
  healthy("nightly_batch", nightlyBatch),
  healthy("weekly_batch", weeklyBatch),
  healthy("heap_ramp_by_steps", heapRampBySteps),
  healthy("traffic_rises_and_returns", trafficRisesAndReturns),
  healthy("autoscaled_workers", autoscaledWorkers),
  healthy("frequent_deploys", frequentDeploys),
  healthy("page_cache_wander", pageCacheWander),
  healthy("lazy_data_sets", lazyDataSets),
  healthy("feature_flags", featureFlags),
  healthy("cron_restart_any_period", cronRestartAnyPeriod),
  healthy("crash_loop_with_backoff", crashLoopWithBackoff),
  healthy("gogc_follows_load", gogcFollowsLoad),
  healthy("high_water_mark", highWaterMark),
];

function healthy(name: string, make: Family["make"]): Family {
  return { name, label: "healthy", make };
}

function roomy(random: Random): Limit {
  return { peakShare: uniform(random, 0.4, 0.88) };
}

/** Half an hour to a day and a half until it is full. */
function cacheFillAnyCurve(random: Random): Service {
  const fill = logUniform(random, 0.5, 36);
  const form = pick(random, ["sqrt", "exp", "linear"]);
  const base = usualBase(random);
  return usualService(random, {
    base,
    hours: Math.max(30, fill * uniform(random, 2.2, 4)),
    parts: [riseByAge(base * uniform(random, 0.3, 3), fill * hour, fillCurves[form])],
    limit: roomy(random),
    params: { fill_h: fill, form },
  });
}

const fillCurves = {
  sqrt: Math.sqrt,
  exp: (share: number) => (1 - Math.exp(-4 * share)) / (1 - Math.exp(-4)),
  linear: (share: number) => share,
};

/** Holes between live objects: as the logarithm of the age, until every size has its holes. */
function arenaFragmentation(random: Random): Service {
  const until = logUniform(random, 10, 60);
  const tau = until * logUniform(random, 0.01, 0.1);
  const base = usualBase(random);
  const curve = (share: number) => Math.log1p((share * until) / tau) / Math.log1p(until / tau);
  return usualService(random, {
    base,
    hours: until * uniform(random, 1.6, 3) + 24,
    runtime: pick(random, ["python", "native", "native"]),
    parts: [riseByAge(base * uniform(random, 0.2, 0.9), until * hour, curve)],
    limit: roomy(random),
    params: { until_h: until },
  });
}

function nightlyBatch(random: Random): Service {
  const base = usualBase(random);
  const at = uniform(random, 0, 6) * hour;
  return usualService(random, {
    base,
    hours: uniform(random, 90, 200),
    ageHours: uniform(random, 0, 50),
    parts: [
      job({ bytes: base * uniform(random, 0.4, 2.5), period: day, at, duration: uniform(random, 0.3, 4) * hour }),
    ],
    limit: roomy(random),
    params: { at_hour: at / hour },
  });
}

function weeklyBatch(random: Random): Service {
  const base = usualBase(random);
  const at = uniform(random, 0.5, 6) * day;
  const duration = uniform(random, 1, 8) * hour;
  return usualService(random, {
    base,
    hours: uniform(random, 190, 250),
    ageHours: uniform(random, 0, 50),
    parts: [job({ bytes: base * uniform(random, 0.4, 2.5), period: 7 * day, at, duration })],
    limit: roomy(random),
    params: { at_day: at / day, duration_h: duration / hour },
  });
}

/** Grows while it reads, and lets go of everything at the end; no run needs quite what another did. */
function job({ bytes, period, at, duration }: { bytes: number; period: number; at: number; duration: number }): Part {
  return (random) => {
    let run = Number.NEGATIVE_INFINITY;
    let scale = 1;
    return ({ time }) => {
      const now = Math.floor((time - at) / period);
      if (now !== run) scale = uniform(random, 0.8, 1.1);
      run = now;
      const running = time - at - now * period;
      if (running > scale * duration) return 0;
      return bytes * scale * clamp(running / (0.6 * scale * duration));
    };
  };
}

/** A JVM that commits its heap in a few steps, at its own pace, up to -Xmx. */
function heapRampBySteps(random: Random): Service {
  const steps = integer(random, 3, 9);
  const span = logUniform(random, 2, 30);
  const base = usualBase(random);
  const ages = Array.from({ length: steps }, () => span * hour * random() ** 1.5);
  const bytes = (base * uniform(random, 0.8, 3)) / steps;
  const minutes = uniform(random, 1, 20);
  return usualService(random, {
    base,
    hours: span * uniform(random, 1.5, 2.5) + 24,
    runtime: "jvm",
    noise: 0,
    parts: [
      () =>
        ({ age }) =>
          ages.reduce((sum, at) => sum + bytes * clamp((age - at) / (minutes * minute)), 0),
      wander({ deviation: base * 0.002, tau: 20 * minute, jitter: base * 0.0012 }),
    ],
    limit: roomy(random),
    params: { steps, span_h: span },
  });
}

/** A campaign: each day busier than the one before, for days, and then it is over. */
function trafficRisesAndReturns(random: Random): Service {
  const start = usualStart(random);
  const hours = uniform(random, 190, 260);
  const from = start + uniform(random, 10, 40) * hour;
  const peak = from + uniform(random, 60, 110) * hour;
  const to = peak + uniform(random, 10, 40) * hour;
  const growth = uniform(random, 0.4, 1.2);
  const trend = (time: number) =>
    1 + growth * Math.min(clamp((time - from) / (peak - from)), clamp((to - time) / (to - peak)));
  return usualService(random, {
    start,
    hours,
    ageHours: uniform(random, 0, 30),
    traffic: { peakToTrough: logUniform(random, 2, 8), weekend: uniform(random, 0.7, 1), trend },
    loadShare: uniform(random, 0.1, 0.5),
    limit: roomy(random),
    params: { growth },
  });
}

/** Some workers always serve; the others come in the morning and go in the evening. */
function autoscaledWorkers(random: Random): Service {
  const always = integer(random, 1, 3);
  const extra = integer(random, 2, 5);
  const start = usualStart(random);
  const hours = uniform(random, 60, 120);
  const end = start + hours * hour;
  const base = logUniform(random, 110, 400) * MiB;
  return usualService(random, {
    base,
    start,
    hours,
    traffic: { peakToTrough: logUniform(random, 4, 15) },
    parts: [warmUp(base * uniform(random, 0.1, 0.8), logUniform(random, 3, 40) * minute)],
    workers: (one: Process) => [
      ...Array.from({ length: always }, () => one),
      ...Array.from({ length: extra }, () => ({
        ...one,
        absentAtFirst: true,
        restarts: comesAndGoes(random, start, end),
      })),
    ],
    limit: roomy(random),
    params: { always, extra },
  });
}

/** Comes between 6 and 11 each day, goes 4 to 12 hours later. A start is a restart after being down for long. */
function comesAndGoes(random: Random, start: number, end: number): PlannedRestart[] {
  const restarts: PlannedRestart[] = [];
  let gone = start;
  for (let morning = Math.floor(start / day) * day; morning < end; morning += day) {
    const comes = morning + uniform(random, 6, 11) * hour;
    if (comes <= gone) continue;
    restarts.push({ t: gone, reason: "scale", down: comes - gone });
    gone = Math.ceil((comes + uniform(random, 4, 12) * hour) / step) * step;
  }
  restarts.push({ t: gone, reason: "scale", down: end });
  return restarts.filter(({ t }) => t < end);
}

function frequentDeploys(random: Random): Service {
  const meanHours = logUniform(random, 2, 9);
  const base = usualBase(random);
  const start = usualStart(random);
  const hours = uniform(random, 50, 120);
  return usualService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 0, 3),
    parts: [warmUp(base * uniform(random, 0.2, 1.5), logUniform(random, 0.05, 1.2) * hour)],
    restarts: restartsAtRandom(random, start, start + hours * hour, { meanHours, atLeastHours: 0.3, reason: "deploy" }),
    limit: roomy(random),
    params: { mean_life_h: meanHours },
  });
}

/** Pages of mapped files: more while the machine has room, dropped when it does not. */
function pageCacheWander(random: Random): Service {
  const base = usualBase(random);
  const most = base * uniform(random, 0.3, 1.2);
  const fill = logUniform(random, 4, 24) * hour;
  return usualService(random, {
    base,
    hours: uniform(random, 100, 200),
    ageHours: uniform(random, 0, 40),
    runtime: pick(random, ["native", "go", "jvm"]),
    parts: [mappedFiles(most, fill, logUniform(random, 0.5, 3))],
    limit: roomy(random),
    params: { fill_h: fill / hour },
  });
}

/** Approaches `most` bytes; a reclaim, some times a day, takes a part away. */
function mappedFiles(most: number, fill: number, reclaimsPerDay: number): Part {
  return (random) => {
    let share = 0.3;
    let pace = 1;
    return () => {
      if (random() < (step / day) * reclaimsPerDay) {
        share *= uniform(random, 0.3, 0.9);
        pace = uniform(random, 0.4, 1.6);
      }
      share += ((1 - share) * pace * step) / fill;
      return most * share;
    };
  };
}

/** Each data set is loaded when someone first asks for it; after some hours all are there. */
function lazyDataSets(random: Random): Service {
  const sets = integer(random, 4, 20);
  const span = uniform(random, 2, 10) * hour;
  const base = usualBase(random);
  const total = base * uniform(random, 0.5, 4);
  const sizes = Array.from({ length: sets }, () => logUniform(random, 1, 8));
  const unit = total / sizes.reduce((a, b) => a + b, 0);
  const loads = sizes.map((size) => ({
    age: span * random(),
    bytes: size * unit,
    seconds: uniform(random, 0.5, 8) * minute,
  }));
  return usualService(random, {
    base,
    hours: uniform(random, 36, 80),
    parts: [
      () =>
        ({ age }) =>
          loads.reduce((sum, load) => sum + load.bytes * clamp((age - load.age) / load.seconds), 0),
    ],
    limit: roomy(random),
    params: { data_sets: sets, span_h: span / hour },
  });
}

/** Switched on without a restart, one after another, over days. */
function featureFlags(random: Random): Service {
  const base = usualBase(random);
  const start = usualStart(random);
  const hours = uniform(random, 80, 180);
  const flags = Array.from({ length: integer(random, 1, 4) }, () => {
    const at = start + hours * uniform(random, 0.1, 0.85) * hour;
    return rise(base * logUniform(random, 0.06, 0.4), at, at + logUniform(random, 1, 40) * minute);
  });
  return usualService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 0, 60),
    parts: flags,
    limit: roomy(random),
    params: { flags: flags.length },
  });
}

function cronRestartAnyPeriod(random: Random): Service {
  const cron = pick(random, [1, 2, 3, 6, 6, 12, 24]);
  const base = usualBase(random);
  const start = usualStart(random);
  const hours = Math.max(30, cron * uniform(random, 6, 9));
  const ageHours = cron * uniform(random, 0, 0.9);
  const first = start + (cron - ageHours) * hour;
  const tau = Math.min(logUniform(random, 0.05, 1.5), cron / 5);
  return usualService(random, {
    base,
    start,
    hours,
    ageHours,
    parts: [warmUp(base * uniform(random, 0.15, 1.5), tau * hour)],
    restarts: restartsEvery(random, cron * hour, first, start + hours * hour, "cron"),
    limit: roomy(random),
    params: { cron_h: cron, tau_h: tau },
  });
}

/** Crashes for a reason that is not memory; each time it is started again a little later, up to five minutes. */
function crashLoopWithBackoff(random: Random): Service {
  const meanMinutes = logUniform(random, 3, 90);
  const base = usualBase(random);
  const start = usualStart(random);
  const hours = uniform(random, 20, 60);
  const restarts: PlannedRestart[] = [];
  let time = start;
  for (let back = 10; ; back = Math.min(2 * back, 5 * minute)) {
    const restart = restartAt(random, time + meanMinutes * minute * uniform(random, 0.3, 1.7), "crash");
    if (restart.t >= start + hours * hour) break;
    restarts.push({ ...restart, down: back });
    time = restart.t + back;
  }
  return usualService(random, {
    base,
    start,
    hours,
    parts: [warmUp(base * uniform(random, 0.2, 1.2), uniform(random, 1, 15) * minute)],
    restarts,
    limit: roomy(random),
    params: { mean_life_h: meanMinutes / 60 },
  });
}

/** GOGC=100: the heap grows to twice what is live before it is collected, and what is live follows the load. */
function gogcFollowsLoad(random: Random): Service {
  const base = usualBase(random);
  const live = base * uniform(random, 0.2, 0.6);
  const period = logUniform(random, 2, 20) * minute;
  return usualService(random, {
    base,
    hours: uniform(random, 80, 180),
    runtime: "go",
    noise: 0,
    traffic: { peakToTrough: logUniform(random, 3, 15) },
    parts: [returnedSlowly(heapOfTwiceLive(live, period), logUniform(random, 1, 10) * minute)],
    limit: roomy(random),
    params: { live_mb: live / MiB },
  });
}

/** Live data follow the load an hour late; garbage reaches the same again, once a period at mean load. */
function heapOfTwiceLive(live: number, period: number): Part {
  const teeth = sawtooth({ height: 1, period, spread: 0.08, loadShare: 0.9, jitter: 0.02 });
  return (random, step) => {
    const tooth = teeth(random, step);
    const keep = Math.exp(-step / (20 * minute));
    let smooth = 0.3;
    return (moment) => {
      smooth = keep * smooth + (1 - keep) * moment.load;
      return live * (0.3 + smooth) * (1 + tooth(moment));
    };
  };
}

/** An allocator that gives nothing back: memory is that of the busiest hour so far. */
function highWaterMark(random: Random): Service {
  const base = usualBase(random);
  const perLoad = base * uniform(random, 0.2, 0.8);
  return usualService(random, {
    base,
    hours: uniform(random, 100, 200),
    ageHours: uniform(random, 0, 30),
    traffic: { peakToTrough: logUniform(random, 2, 8), weekend: uniform(random, 0.6, 1) },
    runtime: pick(random, ["native", "python"]),
    parts: [busiestSoFar(perLoad)],
    limit: roomy(random),
    params: { per_load_mb: perLoad / MiB },
  });
}

function busiestSoFar(bytes: number): Part {
  return () => {
    const keep = Math.exp(-step / (30 * minute));
    let smooth = 0;
    let most = 0;
    return ({ load }) => {
      smooth = keep * smooth + (1 - keep) * load;
      most = Math.max(most, smooth);
      return bytes * most;
    };
  };
}
