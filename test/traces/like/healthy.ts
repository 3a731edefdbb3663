// The corpus's healthy families. MiB and hours unless said; shares are of the service's base.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { rise, riseByAge, warmUp } from "../parts.ts";
import { restartAt, restartsAtRandom, restartsEvery, someRestarts } from "../restarts.ts";
import { clamp, sawtooth, wander } from "../runtimes.ts";
import type { Family, Limit, Part, Process, Service } from "../service.ts";
import { day, hour, MiB, minute, step } from "../units.ts";
import { usualBase, usualService, usualStart } from "../usual.ts";

export const healthyLike: readonly Family[] = [
  healthy("flat", flat),
  healthy("warmup_plateau", warmupPlateau),
  healthy("lru_cache_fill", lruCacheFill),
  healthy("diurnal_load", diurnalLoad),
  healthy("gc_sawtooth", gcSawtooth),
  healthy("batch_spikes", batchSpikes),
  healthy("deploy_restarts", deployRestarts),
  healthy("crash_loop", crashLoop),
  healthy("high_but_stable", highButStable),
  healthy("step_up_deploy", stepUpDeploy),
  healthy("ou_walk", ouWalk),
  healthy("weekly_pattern", weeklyPattern),
  healthy("jvm_to_xmx", jvmToXmx),
  healthy("growth_that_stops", growthThatStops),
  healthy("cron_restart_healthy", cronRestartHealthy),
  healthy("worker_group_healthy", workerGroupHealthy),
];

function healthy(name: string, make: Family["make"]): Family {
  return { name, label: "healthy", make };
}

function roomy(random: Random, low = 0.4, high = 0.83): Limit {
  return { peakShare: uniform(random, low, high) };
}

function flat(random: Random): Service {
  return usualService(random, {
    base: logUniform(random, 130, 1800) * MiB,
    hours: uniform(random, 56, 168),
    ageHours: uniform(random, 30, 120),
    runtime: pick(random, ["v8", "go", "python", "native"]),
    loadShare: logUniform(random, 0.01, 0.05),
    limit: roomy(random, 0.37, 0.83),
    params: {},
  });
}

function warmupPlateau(random: Random): Service {
  const tau = logUniform(random, 0.1, 7);
  const base = usualBase(random);
  return usualService(random, {
    base,
    runtime: pick(random, ["v8", "jvm", "go"]),
    hours: Math.max(24, tau * uniform(random, 6.5, 9)),
    loadShare: 0.05,
    parts: [warmUp(base * uniform(random, 0.9, 2.3), tau * hour)],
    limit: roomy(random, 0.37, 0.8),
    params: { tau_h: tau },
  });
}

/** Fills at an even rate, by requests, or ever more slowly as the rare keys remain; then it is full. */
function lruCacheFill(random: Random): Service {
  const fill = logUniform(random, 8, 30);
  const form = pick(random, ["linear", "linear", "traffic", "zipf"]);
  const base = usualBase(random);
  const bytes = base * uniform(random, 0.7, 2.8);
  return usualService(random, {
    base,
    hours: fill * uniform(random, 2.2, 4),
    traffic: { peakToTrough: logUniform(random, 2, 8) },
    loadShare: 0.06,
    parts: [cache(form, bytes, fill * hour)],
    limit: roomy(random, 0.43, 0.78),
    params: { fill_h: fill, form },
  });
}

function cache(form: string, bytes: number, fill: number): Part {
  if (form === "linear") return riseByAge(bytes, fill);
  if (form === "zipf") return riseByAge(bytes, fill, (share) => Math.log1p(8 * share) / Math.log1p(8));
  return () => {
    let requests = 0;
    return ({ load }) => {
      requests += load * step;
      return bytes * clamp(requests / fill);
    };
  };
}

function diurnalLoad(random: Random): Service {
  return usualService(random, {
    hours: uniform(random, 80, 162),
    traffic: { peakToTrough: logUniform(random, 5, 20) },
    loadShare: uniform(random, 0.15, 0.55),
    limit: roomy(random),
    params: {},
  });
}

function gcSawtooth(random: Random): Service {
  const period = logUniform(random, 330, 4000);
  const base = logUniform(random, 95, 600) * MiB;
  const height = base * logUniform(random, 0.4, 1.6);
  return usualService(random, {
    base,
    hours: uniform(random, 35, 115),
    runtime: "native",
    parts: [sawtooth({ height, period, spread: 0.25, loadShare: 0, jitter: 0.02 })],
    limit: roomy(random, 0.44, 0.81),
    params: { period_s: period, amp_mb: height / MiB },
  });
}

/** A job takes ever more memory while it runs, each period, and gives it back at its end. */
function batchSpikes(random: Random): Service {
  const period = pick(random, [0.5, 0.5, 0.5, 1, 1, 2, 6]);
  const base = logUniform(random, 120, 380) * MiB;
  return usualService(random, {
    base,
    hours: random() < 0.25 ? uniform(random, 36, 38) : uniform(random, 105, 132),
    loadShare: 0.1,
    parts: [batch(random, base, period * hour)],
    limit: roomy(random, 0.4, 0.76),
    params: { period_h: period },
  });
}

function batch(random: Random, base: number, period: number): Part {
  const offset = uniform(random, 0, period);
  const typical = base * uniform(random, 1, 2);
  const duration = uniform(random, 0.2, 0.5) * period;
  const rising = uniform(random, 0.6, 0.9) * duration;
  return (life) => {
    let run = -1;
    let bytes = 0;
    return ({ time }) => {
      const now = Math.floor((time - offset) / period);
      if (now !== run) bytes = typical * uniform(life, 0.5, 1.05);
      run = now;
      const running = time - offset - now * period;
      return bytes * clamp(Math.min(running / rising, (duration - running) / minute));
    };
  };
}

function deployRestarts(random: Random): Service {
  const tau = logUniform(random, 0.06, 0.95);
  const base = usualBase(random);
  const start = usualStart(random);
  const hours = uniform(random, 50, 158);
  const restarts = someRestarts(random, integer(random, 4, 12), start + hour, start + hours * hour, "deploy");
  return usualService(random, {
    base,
    start,
    hours,
    parts: [warmUp(base * uniform(random, 0.25, 1), tau * hour)],
    restarts,
    limit: roomy(random, 0.36, 0.78),
    params: { deploys: restarts.length, tau_h: tau },
  });
}

function crashLoop(random: Random): Service {
  const meanHours = logUniform(random, 0.16, 3);
  const base = logUniform(random, 87, 480) * MiB;
  const start = usualStart(random);
  const hours = uniform(random, 28, 95);
  return usualService(random, {
    base,
    start,
    hours,
    parts: [warmUp(base * uniform(random, 0.2, 0.9), uniform(random, 2, 12) * minute)],
    restarts: restartsAtRandom(random, start, start + hours * hour, { meanHours, atLeastHours: 0.02, reason: "crash" }),
    limit: roomy(random, 0.5, 0.8),
    params: { mean_life_h: meanHours },
  });
}

/** Above 90 % of its limit, and quiet. */
function highButStable(random: Random): Service {
  return usualService(random, {
    base: logUniform(random, 230, 3200) * MiB,
    hours: uniform(random, 78, 160),
    ageHours: uniform(random, 20, 120),
    runtime: pick(random, ["jvm", "jvm", "v8", "go"]),
    noise: 0.33,
    loadShare: logUniform(random, 0.01, 0.06),
    limit: roomy(random, 0.92, 0.97),
    params: {},
  });
}

function stepUpDeploy(random: Random): Service {
  const base = logUniform(random, 115, 720) * MiB;
  const start = usualStart(random);
  const hours = uniform(random, 57, 130);
  const at = start + hours * uniform(random, 0.35, 0.75) * hour;
  const more = base * uniform(random, 0.2, 0.65);
  return usualService(random, {
    base,
    start,
    hours,
    parts: [stepAt(more, at)],
    restarts: [restartAt(random, at, "deploy")],
    limit: roomy(random, 0.45, 0.77),
    params: {},
  });
}

/** The new version needs more from the start. */
function stepAt(bytes: number, at: number): Part {
  return rise(bytes, at, at + step);
}

function ouWalk(random: Random): Service {
  const tau = logUniform(random, 1, 7.5);
  const base = logUniform(random, 170, 1100) * MiB;
  const deviation = base * uniform(random, 0.035, 0.09);
  return usualService(random, {
    base,
    hours: uniform(random, 73, 171),
    warmShare: uniform(random, 0.15, 0.3),
    parts: [wander({ deviation, tau: tau * hour, jitter: 0 })],
    limit: roomy(random, 0.37, 0.82),
    params: { tau_h: tau, sd_mb: deviation / MiB },
  });
}

function weeklyPattern(random: Random): Service {
  return usualService(random, {
    hours: uniform(random, 168, 187),
    startsWithin: 4,
    traffic: { peakToTrough: logUniform(random, 3.4, 17), weekend: uniform(random, 0.12, 0.34) },
    loadShare: uniform(random, 0.1, 0.4),
    limit: roomy(random, 0.44, 0.83),
    params: {},
  });
}

/** The heap is committed in steps up to its maximum, and stays. */
function jvmToXmx(random: Random): Service {
  const tau = logUniform(random, 0.3, 10);
  const base = logUniform(random, 155, 430) * MiB;
  const bytes = base * uniform(random, 2.4, 4);
  return usualService(random, {
    base,
    hours: Math.max(28.8, tau * uniform(random, 6.7, 7.8)),
    runtime: "native",
    loadShare: 0.03,
    parts: [heapCommits(bytes, tau * hour)],
    limit: roomy(random, 0.7, 0.93),
    params: { tau_h: tau },
  });
}

/** Steps of 1/24 of the heap; the last one comes after three time constants. */
function heapCommits(bytes: number, tau: number): Part {
  const chunks = 24;
  return () =>
    ({ age }) =>
      (bytes * Math.min(chunks, Math.ceil(1.05 * chunks * (1 - Math.exp(-age / tau))))) / chunks;
}

/** Grows evenly for some hours of a life that is days old, and then no more. */
function growthThatStops(random: Random): Service {
  const growing = logUniform(random, 2, 18);
  const base = usualBase(random);
  const start = usualStart(random);
  const hours = uniform(random, 55, 143);
  const from = start + hours * uniform(random, 0.06, 0.4) * hour;
  return usualService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 4, 43),
    runtime: pick(random, ["native", "jvm", "python", "go"]),
    loadShare: logUniform(random, 0.01, 0.06),
    parts: [rise(base * logUniform(random, 0.25, 1.9), from, from + growing * hour)],
    limit: roomy(random, 0.44, 0.73),
    params: { hours: growing },
  });
}

function cronRestartHealthy(random: Random): Service {
  const cron = pick(random, [2, 4]);
  const base = logUniform(random, 130, 510) * MiB;
  const start = usualStart(random);
  const hours = uniform(random, 36, 72);
  const ageHours = uniform(random, 0, 0.7 * cron);
  const first = start + (cron - ageHours) * hour;
  return usualService(random, {
    base,
    start,
    hours,
    ageHours,
    parts: [warmUp(base * uniform(random, 0.15, 0.95), uniform(random, 6, 25) * minute)],
    restarts: restartsEvery(random, cron * hour, first, start + hours * hour, "cron"),
    limit: roomy(random, 0.4, 0.64),
    params: { cron_h: cron },
  });
}

function workerGroupHealthy(random: Random): Service {
  const workers = integer(random, 3, 6);
  return usualService(random, {
    base: logUniform(random, 112, 360) * MiB,
    hours: uniform(random, 43, 3.7 * (day / hour)),
    runtime: pick(random, ["v8", "python", "python", "go"]),
    loadShare: logUniform(random, 0.05, 0.2),
    workers: (one: Process) => Array.from({ length: workers }, () => one),
    limit: roomy(random, 0.25, 0.5),
    params: { workers },
  });
}
