// Lets a process run: lives that end at the limit or when they are restarted, and what a scrape sees of them.

import { type Random, uniform } from "./draws.ts";
import type { Moment, PlannedRestart, Process, Restart, Service } from "./service.ts";
import { page, scrapeInterval, stepOf } from "./units.ts";

export interface Row {
  time: number;
  /** Bytes. */
  resident: number;
  /** Of this life. */
  startTime: number;
  /** Requests per second. */
  requests: number;
}

/** One life of a process, as far as it leaked. */
export interface Life {
  start: number;
  /** Undefined: it outlived the trace. */
  end: number | undefined;
  /** Bytes leaked before the trace began. */
  leakedBefore: number;
  /** Bytes leaked in all. */
  leaked: number;
  killed: boolean;
}

export interface Run {
  rows: Row[];
  lives: Life[];
  restarts: Restart[];
  /** Highest memory, in bytes, scraped or not. */
  peak: number;
}

interface Setting {
  service: Service;
  /** One of the service's. */
  process: Process;
  /** Bytes. */
  limit: number;
  /** Who ends it there; the kernel when not said. */
  killedBy?: "oom" | "heap_oom";
}

export function simulate(random: Random, setting: Setting): Run {
  const { service, process } = setting;
  const run: Run = { rows: [], lives: [], restarts: [], peak: 0 };
  const planned = [...(process.restarts ?? [])];
  let birth = service.start - service.age;
  if (process.absentAtFirst) birth = takeRestart(run, planned, random);
  while (birth <= service.end) {
    const life = live(random, setting, birth, planned[0]?.t ?? Number.POSITIVE_INFINITY, run);
    run.lives.push(life);
    if (life.end === undefined) break;
    birth = life.killed ? takeKill(run, planned, life.end, setting, random) : takeRestart(run, planned, random);
  }
  return run;
}

function takeRestart(run: Run, planned: PlannedRestart[], random: Random): number {
  const restart = planned.shift();
  if (restart === undefined) return Number.POSITIVE_INFINITY;
  run.restarts.push({ t: restart.t, reason: restart.reason });
  return restart.t + restart.down + uniform(random, 0, 1);
}

/** At the limit; whoever watches the process starts it again within a minute. */
function takeKill(run: Run, planned: PlannedRestart[], time: number, { killedBy }: Setting, random: Random): number {
  run.restarts.push({ t: time, reason: killedBy ?? "oom" });
  const birth = time + uniform(random, 5, 60);
  while (planned[0] !== undefined && planned[0].t <= birth) planned.shift();
  return birth;
}

/** One life, from its birth to the limit, to the next planned restart, or to the end of the trace. */
function live(random: Random, { service, process, limit }: Setting, birth: number, restart: number, run: Run): Life {
  const { start, end, traffic, interval = scrapeInterval } = service;
  const step = stepOf(interval);
  const parts = process.parts.map((part) => part(random, step));
  const leak = process.leak?.(random, step);
  const leaksFrom = service.leaksFromBirth ? Number.NEGATIVE_INFINITY : (service.onset ?? Number.POSITIVE_INFINITY);
  const life: Life = { start: birth, end: undefined, leakedBefore: 0, leaked: 0, killed: false };
  for (let time = firstStep(birth, start, step); time <= end; time += step) {
    if (time >= restart) return { ...life, end: restart };
    const moment: Moment = { time, age: time - birth, load: traffic.load(time), leaked: life.leaked };
    if (leak !== undefined && time >= leaksFrom) life.leaked += leak(moment);
    let memory = service.base + life.leaked;
    for (const part of parts) memory += part(moment);
    if (time < start) {
      life.leakedBefore = life.leaked;
      continue;
    }
    run.peak = Math.max(run.peak, memory);
    if (memory >= limit) return { ...life, end: time, killed: true };
    if ((time - start) % interval === 0) run.rows.push(row(service, time, memory, birth));
  }
  return life;
}

/** Steps of all lives lie on one grid, that of the trace's start. */
function firstStep(birth: number, start: number, step: number): number {
  return start + Math.ceil((birth - start) / step) * step;
}

function row({ traffic }: Service, time: number, memory: number, birth: number): Row {
  return {
    time,
    resident: Math.max(1, Math.round(memory / page)) * page,
    startTime: Math.round(birth),
    requests: traffic.at(time),
  };
}
