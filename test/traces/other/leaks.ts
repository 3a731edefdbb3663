// Leaks as real services have them and the corpus does not. MiB and hours unless said.

import { integer, logUniform, pick, type Random, uniform } from "../draws.ts";
import { leakPerRun, leakWithStalls, steadyLeak, warmUp } from "../parts.ts";
import { restartsAtRandom, restartsEvery } from "../restarts.ts";
import { sawtooth } from "../runtimes.ts";
import type { Family, Leak, Part, Process, Service } from "../service.ts";
import { day, hour, MiB, minute, step } from "../units.ts";
import { usualBase, usualService, usualStart } from "../usual.ts";

const perHour = MiB / hour;

export const leaksOther: readonly Family[] = [
  leak("weekday_leak", weekdayLeak),
  leak("nightly_job_leak", nightlyJobLeak),
  leak("growing_sawtooth_leak", growingSawtoothLeak),
  leak("late_onset_leak", lateOnsetLeak),
  leak("leak_under_daily_wave", leakUnderDailyWave),
  leak("slow_leak_in_noise", slowLeakInNoise),
  leak("fast_leak_short_life", fastLeakShortLife),
  leak("stalling_leak", stallingLeak),
  leak("leak_cut_by_deploys", leakCutByDeploys),
  leak("oom_loop_short_lives", oomLoopShortLives),
  leak("cron_masked_any_period", cronMaskedAnyPeriod),
  leak("several_workers_leak", severalWorkersLeak),
  leak("leak_after_big_warmup", leakAfterBigWarmup),
];

function leak(name: string, make: Family["make"]): Family {
  return { name, label: "leak", make };
}

/** By the office hours of its users: nothing at night and at the weekend. */
function weekdayLeak(random: Random): Service {
  const rate = logUniform(random, 2, 25);
  const from = uniform(random, 6, 9);
  const start = usualStart(random, 5);
  const onset = nextOfficeHour(start, from);
  return usualService(random, {
    start,
    hours: uniform(random, 150, 240),
    traffic: { weekend: uniform(random, 0.1, 0.4), peakToTrough: logUniform(random, 3, 12) },
    onset,
    leak: leakInOfficeHours(rate * perHour, from, from + 10),
    limit: { aboveLevel: rate * 10 * logUniform(random, 4, 30) * MiB },
    params: { mb_per_h: rate, from_hour: from },
  });
}

function leakInOfficeHours(rate: number, from: number, to: number): Leak {
  return () =>
    ({ time }) =>
      isOfficeHour(time, from, to) ? rate * step : 0;
}

function isOfficeHour(time: number, from: number, to: number): boolean {
  const hourOfDay = (time % day) / hour;
  return Math.floor(time / day) % 7 < 5 && hourOfDay >= from && hourOfDay < to;
}

function nextOfficeHour(start: number, from: number): number {
  let time = start;
  while (!isOfficeHour(time, from, from + 10)) time += step;
  return time;
}

/** One job, in the night; each run leaves something behind. */
function nightlyJobLeak(random: Random): Service {
  const base = usualBase(random);
  const perNight = base * logUniform(random, 0.04, 0.25);
  const jobHour = uniform(random, 0, 5);
  const start = usualStart(random);
  const firstRun = jobHour * hour + (start > jobHour * hour ? day : 0);
  return usualService(random, {
    base,
    start,
    hours: uniform(random, 130, 220),
    ageHours: uniform(random, 0, 20),
    onset: firstRun,
    leak: leakPerRun(perNight, day, jobHour * hour, uniform(random, 5, 50) * minute),
    limit: { aboveLevel: perNight * uniform(random, 6.5, 25) },
    params: { mb_per_night: perNight / MiB, job_hour: jobHour },
  });
}

/** What leaks is live data: the collector waits for more garbage the more there is of it. Killed on a tooth. */
function growingSawtoothLeak(random: Random): Service {
  const base = usualBase(random);
  const rate = logUniform(random, 3, 30);
  const life = logUniform(random, 40, 110);
  const ratio = uniform(random, 0.2, 0.8);
  const period = logUniform(random, 6, 60) * minute;
  const start = usualStart(random);
  return usualService(random, {
    base,
    start,
    hours: life * uniform(random, 1.1, 1.6),
    onset: start,
    swings: true,
    noise: 0,
    runtime: pick(random, ["v8", "go", "jvm"]),
    parts: [teethOfLiveData(base, ratio, period)],
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: (1 + ratio) * rate * life * MiB + 0.7 * ratio * base },
    params: { mb_per_h: rate, garbage_to_live: ratio, gc_period_s: period },
  });
}

/** `ratio` is the height of a tooth to the live data: the base, and what has leaked. */
function teethOfLiveData(base: number, ratio: number, period: number): Part {
  const teeth = sawtooth({ height: 1, period, spread: 0.2, loadShare: 0.5, jitter: 0.02 });
  return (random, step) => {
    const tooth = teeth(random, step);
    return (moment) => ratio * (base + moment.leaked) * tooth(moment);
  };
}

/** A feature is switched on, or a rare path is taken for the first time: no restart tells when. */
function lateOnsetLeak(random: Random): Service {
  const rate = logUniform(random, 3, 90);
  const life = logUniform(random, 15, 160);
  const healthyHours = logUniform(random, 3, 48);
  const start = usualStart(random);
  return usualService(random, {
    start,
    hours: healthyHours + uniform(random, 48, 110),
    ageHours: uniform(random, 0, 10),
    onset: start + healthyHours * hour,
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * life * MiB },
    params: { mb_per_h: rate, onset_h: healthyHours },
  });
}

/** The wave of a day is many times the growth of a day. */
function leakUnderDailyWave(random: Random): Service {
  const base = usualBase(random);
  const wave = uniform(random, 0.5, 1.1);
  const perDay = base * logUniform(random, 0.08, 0.5);
  const days = uniform(random, 4, 20);
  const start = usualStart(random);
  return usualService(random, {
    base,
    start,
    hours: uniform(random, 110, 200),
    traffic: { peakToTrough: logUniform(random, 5, 15), weekend: uniform(random, 0.5, 1) },
    loadShare: wave,
    onset: start,
    swings: true,
    leak: steadyLeak(perDay / day),
    // the level is that of a usual hour; the peak of the day must fit below the limit too
    limit: { aboveLevel: perDay * days + 2.5 * wave * base },
    params: { mb_per_day: perDay / MiB, wave_share: wave },
  });
}

function slowLeakInNoise(random: Random): Service {
  const rate = logUniform(random, 0.5, 4);
  const start = usualStart(random);
  return usualService(random, {
    start,
    hours: uniform(random, 150, 260),
    ageHours: uniform(random, 0, 30),
    runtime: pick(random, ["v8", "go", "python"]),
    onset: start,
    leaksFromBirth: true,
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * logUniform(random, 200, 900) * MiB },
    params: { mb_per_h: rate },
  });
}

/** From the first minute on, or from one hour or two into a healthy life. */
function fastLeakShortLife(random: Random): Service {
  const rate = logUniform(random, 1, 20);
  const life = logUniform(random, 1, 8);
  const healthyHours = pick(random, [0, 1, 2]) * uniform(random, 0.7, 1.3);
  const start = usualStart(random);
  return usualService(random, {
    start,
    hours: healthyHours + life * uniform(random, 1.1, 2.2),
    onset: start + healthyHours * hour,
    leak: steadyLeak((rate * MiB) / minute),
    limit: { aboveLevel: rate * 60 * life * MiB },
    params: { mb_per_min: rate },
  });
}

function stallingLeak(random: Random): Service {
  const rate = logUniform(random, 6, 120);
  const running: [number, number] = [20 * minute, uniform(random, 40, 150) * minute];
  const stalled: [number, number] = [10 * minute, 60 * minute];
  const share = mean(running) / (mean(running) + mean(stalled));
  const life = logUniform(random, 20, 120);
  const start = usualStart(random);
  return usualService(random, {
    start,
    hours: uniform(random, 40, 100),
    onset: start,
    leak: leakWithStalls((rate / share) * perHour, running, stalled),
    limit: { aboveLevel: rate * life * MiB },
    params: { mean_mb_per_h: rate, leaks_share: share },
  });
}

function mean([low, high]: [number, number]): number {
  return (low + high) / 2;
}

/** Deployed before it can run out of memory, at odd times: hours apart on some days, a weekend apart on others. */
function leakCutByDeploys(random: Random): Service {
  const meanHours = logUniform(random, 8, 30);
  const base = usualBase(random);
  const rate = ((base / MiB) * logUniform(random, 0.25, 1.2)) / meanHours;
  const start = usualStart(random);
  const hours = meanHours * uniform(random, 5, 8);
  return usualService(random, {
    base,
    start,
    hours,
    ageHours: uniform(random, 0, 4),
    onset: start,
    leaksFromBirth: true,
    leak: steadyLeak(rate * perHour),
    restarts: restartsAtRandom(random, start, start + hours * hour, { meanHours, atLeastHours: 0.5, reason: "deploy" }),
    limit: { aboveLevel: rate * meanHours * uniform(random, 3, 6) * MiB },
    params: { mb_per_h: rate, mean_life_h: meanHours },
  });
}

function oomLoopShortLives(random: Random): Service {
  const life = logUniform(random, 0.5, 4);
  const base = usualBase(random);
  const perLife = (base / MiB) * logUniform(random, 0.8, 5);
  const start = usualStart(random);
  return usualService(random, {
    base,
    start,
    hours: Math.max(8, life * uniform(random, 6, 14)),
    ageHours: life * uniform(random, 0, 0.4),
    onset: start,
    leaksFromBirth: true,
    leak: steadyLeak((perLife / life) * perHour),
    limit: { aboveLevel: perLife * MiB },
    params: { life_h: life, mb_per_h: perLife / life },
  });
}

function cronMaskedAnyPeriod(random: Random): Service {
  const cron = pick(random, [1, 2, 6, 6, 12, 12, 24, 24]);
  const base = usualBase(random);
  const perLife = (base / MiB) * logUniform(random, 0.35, 2);
  const start = usualStart(random);
  const hours = Math.max(24, cron * uniform(random, 7, 10));
  const ageHours = cron * uniform(random, 0, 0.9);
  const first = start + (cron - ageHours) * hour;
  return usualService(random, {
    base,
    start,
    hours,
    ageHours,
    onset: start,
    leaksFromBirth: true,
    leak: steadyLeak((perLife / cron) * perHour),
    restarts: restartsEvery(random, cron * hour, first, start + hours * hour, "cron"),
    limit: { aboveLevel: perLife * uniform(random, 1.3, 3) * MiB },
    params: { cron_h: cron, mb_per_h: perLife / cron },
  });
}

/** The same code in each, but only those leak that serve the leaking route; each at its own rate. */
function severalWorkersLeak(random: Random): Service {
  const workers = integer(random, 4, 8);
  const leaking = integer(random, 2, workers);
  const rate = logUniform(random, 4, 50);
  const start = usualStart(random);
  const leaks = Array.from({ length: leaking }, () => steadyLeak(rate * uniform(random, 0.6, 1.4) * perHour));
  return usualService(random, {
    base: logUniform(random, 110, 360) * MiB,
    start,
    hours: uniform(random, 40, 90),
    runtime: pick(random, ["v8", "go", "python"]),
    onset: start,
    workers: (one: Process) =>
      Array.from({ length: workers }, (_, worker) => {
        const its = leaks[worker];
        return its === undefined ? one : { ...one, leak: its };
      }),
    limit: { aboveLevel: rate * logUniform(random, 40, 160) * MiB },
    params: { workers, leaking_workers: leaking, mean_mb_per_h: rate },
  });
}

/** A service that loads much at its start, for hours, and leaks all the while. */
function leakAfterBigWarmup(random: Random): Service {
  const rate = logUniform(random, 5, 50);
  const base = usualBase(random);
  const start = usualStart(random);
  return usualService(random, {
    base,
    start,
    hours: uniform(random, 50, 110),
    onset: start,
    parts: [warmUp(base * uniform(random, 1, 3), logUniform(random, 0.4, 3) * hour)],
    leak: steadyLeak(rate * perHour),
    limit: { aboveLevel: rate * logUniform(random, 35, 160) * MiB },
    params: { mb_per_h: rate },
  });
}
