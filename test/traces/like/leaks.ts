// The corpus's leaking families. Rates, lives and lengths are spread as there; MiB and hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { leakPerRequest, leakPerRun, steadyLeak } from "../parts.ts";
import { restartAt, restartsEvery } from "../restarts.ts";
import { sawtooth } from "../runtimes.ts";
import type { Family, Leak, Service } from "../service.ts";
import { hour, MiB, minute, step } from "../units.ts";
import { usualBase, usualService, usualStart } from "../usual.ts";

const perHour = MiB / hour;

export const leaksLike: readonly Family[] = [
  leak("linear_fast", linearFast),
  leak("linear_medium", linearMedium),
  leak("linear_slow", linearSlow),
  leak("traffic_proportional", trafficProportional),
  leak("gc_sawtooth_leak", gcSawtoothLeak),
  leak("cron_masked", cronMasked),
  leak("oom_loop", oomLoop),
  leak("stepwise", stepwise),
  leak("deploy_onset", deployOnset),
  leak("accelerating", accelerating),
  leak("partial_reclaim", partialReclaim),
  leak("worker_group_one_leaks", workerGroupOneLeaks),
];

function leak(name: string, make: Family["make"]): Family {
  return { name, label: "leak", make };
}

/** The leak is there from the first minute on. */
function atStart(random: Random, start: number): { onset: number; leaksFromBirth: true } {
  return { onset: start + uniform(random, 0, step), leaksFromBirth: true };
}

/** Killed within the trace. Most begin with a deploy some hours after the start, in one of four the first life leaks. */
function linearFast(random: Random): Service {
  const rate = logUniform(random, 1, 20);
  const base = usualBase(random);
  const life = Math.min(logUniform(random, 0.6, 7), (14 * base) / MiB / rate / 60);
  const start = usualStart(random);
  const fromDeploy = random() < 0.75;
  const healthyHours = fromDeploy ? uniform(random, 2.5, 6) : 0;
  const onset = start + healthyHours * hour;
  return usualService(random, {
    base,
    start,
    hours: Math.max(healthyHours + life * uniform(random, 1.1, 1.35), healthyHours + 3, 6),
    ...(fromDeploy ? { onset, restarts: [restartAt(random, onset, "deploy")] } : atStart(random, start)),
    leak: steadyLeak((rate * MiB) / minute),
    limit: { aboveLevel: rate * 60 * life * MiB },
    params: { mb_per_min: rate },
  });
}

function linearMedium(random: Random): Service {
  const rate = logUniform(random, 5, 60);
  const life = logUniform(random, 28, 150);
  const ageHours = random() < 0.4 ? uniform(random, 0, 6) : 0;
  const start = usualStart(random);
  return usualService(random, {
    start,
    hours: uniform(random, 44, 92),
    ageHours,
    ...atStart(random, start),
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * (life + ageHours) * MiB },
    params: { mb_per_h: rate },
  });
}

function linearSlow(random: Random): Service {
  const rate = logUniform(random, 0.3, 4);
  const ageHours = uniform(random, 2, 60);
  const start = usualStart(random);
  const base = usualBase(random);
  const life = Math.max(logUniform(random, 140, 600), (0.8 * base) / MiB / rate - ageHours);
  return usualService(random, {
    start,
    base,
    hours: uniform(random, 148, 192),
    runtime: pick(random, ["v8", "jvm", "python"]),
    ageHours,
    ...atStart(random, start),
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * (Math.min(life, 950) + ageHours) * MiB },
    params: { mb_per_h: rate },
  });
}

function trafficProportional(random: Random): Service {
  const rate = logUniform(random, 2, 20);
  const life = logUniform(random, 80, 600);
  const start = usualStart(random);
  return usualService(random, {
    start,
    base: logUniform(random, 250, 820) * MiB,
    hours: uniform(random, 80, 186),
    runtime: random() < 0.85 ? "v8" : "native",
    traffic: { peakToTrough: logUniform(random, 14, 160), weekend: uniform(random, 0.6, 1) },
    ...atStart(random, start),
    leak: leakPerRequest(rate * perHour),
    limit: { aboveLevel: rate * life * MiB },
    params: { mean_mb_per_h: rate },
  });
}

function gcSawtoothLeak(random: Random): Service {
  const rate = logUniform(random, 4.5, 55);
  const life = logUniform(random, 48, 260);
  const start = usualStart(random);
  const base = logUniform(random, 120, 540) * MiB;
  const height = base * logUniform(random, 0.25, 0.95);
  const period = logUniform(random, 480, 3300);
  return usualService(random, {
    start,
    base,
    hours: uniform(random, 40, 115),
    runtime: "native",
    ...atStart(random, start),
    parts: [sawtooth({ height, period, spread: 0.25, loadShare: 0, jitter: 0.02 })],
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * life * MiB + 1.5 * height },
    params: { mb_per_h: rate, gc_amp_mb: height / MiB, gc_period_s: period },
  });
}

function cronMasked(random: Random): Service {
  const cron = pick(random, [2, 4]);
  const start = usualStart(random);
  const base = usualBase(random);
  const perLife = (base / MiB) * logUniform(random, 0.7, 2.2);
  const ageHours = uniform(random, 0, cron);
  const hours = uniform(random, 33, 71);
  const first = start + (cron - ageHours) * hour;
  return usualService(random, {
    start,
    base,
    hours,
    ageHours,
    ...atStart(random, start),
    leak: steadyLeak((perLife / cron) * perHour),
    restarts: restartsEvery(random, cron * hour, first, start + hours * hour, "cron"),
    limit: { aboveLevel: perLife * uniform(random, 1.45, 1.95) * MiB },
    params: { cron_h: cron, mb_per_min: perLife / cron / 60 },
  });
}

function oomLoop(random: Random): Service {
  const life = logUniform(random, 1.5, 12);
  const start = usualStart(random);
  const base = usualBase(random);
  const perLife = (base / MiB) * uniform(random, 1.6, 4.2);
  return usualService(random, {
    start,
    base,
    hours: life * uniform(random, 3.4, 6),
    ageHours: life * uniform(random, 0.08, 0.5),
    ...atStart(random, start),
    leak: steadyLeak((perLife / life) * perHour),
    limit: { aboveLevel: perLife * MiB },
    params: { life_h: life, mb_per_h: perLife / life },
  });
}

function stepwise(random: Random): Service {
  const period = pick(random, [0.25, 0.5, 0.5, 1, 2]);
  const chunk = logUniform(random, 2, 18);
  const start = usualStart(random);
  const hours = Math.max(36, period * uniform(random, 60, 88));
  return usualService(random, {
    start,
    hours,
    ...atStart(random, start),
    leak: leakPerRun(chunk * MiB, period * hour, uniform(random, 0, period * hour), minute),
    limit: { aboveLevel: (chunk / period) * (hours / uniform(random, 0.38, 0.68)) * MiB },
    params: { period_h: period, chunk_mb: chunk },
  });
}

function deployOnset(random: Random): Service {
  const rate = logUniform(random, 4, 180);
  const life = logUniform(random, 25, 165);
  const healthyHours = logUniform(random, 20, 72);
  const start = usualStart(random);
  const onset = start + healthyHours * hour;
  return usualService(random, {
    start,
    hours: healthyHours + uniform(random, 37, 86),
    onset,
    restarts: [restartAt(random, onset, "deploy")],
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * life * MiB },
    params: { mb_per_h: rate, onset_h: healthyHours },
  });
}

/** Slow at first: the growth is that of a square, or of an exponential. */
function accelerating(random: Random): Service {
  const form = pick(random, ["quad", "quad", "exp"]);
  const start = usualStart(random);
  const base = usualBase(random);
  const hours = uniform(random, 52, 141);
  const total = (base / MiB) * uniform(random, 0.55, 2.8);
  const curve = form === "quad" ? (share: number) => 0.2 * share + 0.8 * share ** 2 : growingExponentially;
  const life = uniform(random, 0.88, 1.25);
  return usualService(random, {
    start,
    base,
    hours,
    ...atStart(random, start),
    leak: leakAlong((share) => total * curve(share) * MiB, hours * hour),
    limit: { aboveLevel: total * curve(life) * MiB },
    params: { form, total_mb: total },
  });
}

const growingExponentially = (share: number) => (Math.exp(2.5 * share) - 1) / (Math.exp(2.5) - 1);

/** Bytes leaked by the age, as a share of `span` seconds. */
function leakAlong(bytes: (share: number) => number, span: number): Leak {
  return () =>
    ({ age }) =>
      bytes(age / span) - bytes(Math.max(0, age - step) / span);
}

/** Leaks faster than the net rate, and gives a share of that back at once now and then. */
function partialReclaim(random: Random): Service {
  const rate = logUniform(random, 5, 50);
  const period = logUniform(random, 1.3, 5.8);
  const reclaimed = uniform(random, 0.43, 0.75);
  const life = logUniform(random, 32, 170);
  const start = usualStart(random);
  return usualService(random, {
    start,
    hours: uniform(random, 53, 111),
    ...atStart(random, start),
    leak: leakAndReclaim((rate / (1 - reclaimed)) * perHour, period * hour, reclaimed),
    limit: { aboveLevel: rate * life * MiB },
    params: { net_mb_per_h: rate, period_h: period, reclaimed },
  });
}

function leakAndReclaim(gross: number, period: number, reclaimed: number): Leak {
  return () =>
    ({ age }) => {
      const isTimeToReclaim = age % period < step && age > step;
      return gross * step - (isTimeToReclaim ? reclaimed * gross * period : 0);
    };
}

function workerGroupOneLeaks(random: Random): Service {
  const workers = integer(random, 3, 6);
  const leaking = integer(random, 0, workers - 1);
  const rate = logUniform(random, 4, 75);
  const life = logUniform(random, 50, 145);
  const start = usualStart(random);
  return usualService(random, {
    start,
    base: logUniform(random, 110, 360) * MiB,
    hours: uniform(random, 38, 91),
    runtime: pick(random, ["v8", "v8", "go", "python"]),
    ...atStart(random, start),
    workers: (one) =>
      Array.from({ length: workers }, (_, worker) =>
        worker === leaking ? { ...one, leak: steadyLeak(rate * perHour) } : one,
      ),
    limit: { aboveLevel: rate * life * MiB },
    params: { workers, leaking_worker: leaking, mb_per_h: rate },
  });
}
