// Traces as the corpus has them, made up by the minute: lives that end at the limit or on a timer, scrapes that are
// missing, groups of workers. The same each time.

import fs from "node:fs";
import path from "node:path";
import type { Member, Trace } from "../../exporter/backtest/traces.ts";
import { MiB } from "./fixtures.ts";
import { type Curve, curves, randomNumbers } from "./memory-curves.ts";

const minute = 60;
const hour = 60 * minute;

export interface Process {
  /** MiB at an age of its life. */
  curve: Curve;
  hours: number;
  /** Bytes. */
  limit: number;
  /** Restarted by the clock every so many hours. */
  restartEvery?: number;
  /** How many of a thousand scrapes are missing. */
  missing?: number;
  /** How long before the trace the first life began, in hours. */
  age?: number;
  seed?: number;
}

/** One process; after an end it is down for a scrape. */
export function traceMember(process: Process, slot = 0): Member {
  const random = randomNumbers(process.seed ?? 1);
  const rows: { time: number; resident: number; start: number }[] = [];
  let start = -(process.age ?? 1) * hour;
  for (let time = 0; time < process.hours * hour; time += minute) {
    const resident = Math.round((process.curve((time - start) / hour, random()) * MiB) / 4096) * 4096;
    const isTimed = process.restartEvery !== undefined && time > 0 && time % (process.restartEvery * hour) === 0;
    if (isTimed || resident > process.limit) start = time + minute;
    else if (random() * 1000 >= (process.missing ?? 0) && time >= start) rows.push({ time, resident, start });
  }
  return {
    slot,
    times: Float64Array.from(rows, ({ time }) => time),
    resident: Float64Array.from(rows, ({ resident }) => resident),
    limit: new Float64Array(rows.length).fill(process.limit),
    startTime: Float64Array.from(rows, (row) => row.start),
  };
}

/** A trace for each thing that alerts must tell apart. Each process misses some scrapes. */
export function tracesOfAllKinds(): Trace[] {
  const one = (id: string, process: Omit<Process, "missing">): Trace => ({
    id,
    members: [traceMember({ missing: 3, ...process })],
  });
  const limit = 2048 * MiB;
  return [
    one("steady-leak", { curve: curves.steadyLeak, hours: 60, limit, seed: 2 }),
    // little noise: a claim must hold minute by minute, and a single sample can end it
    one("fast-leak", { curve: (h, noise) => curves.fastLeak(h, noise / 4), hours: 6, limit, age: 0.01, seed: 3 }),
    one("oom-loop", { curve: (h, noise) => curves.fastLeak(0.6 * h, noise), hours: 40, limit: 1024 * MiB, seed: 4 }),
    one("cron-masked", {
      curve: (h, noise) => curves.steadyLeak(2 * h, noise),
      hours: 40,
      limit,
      restartEvery: 4,
      seed: 5,
    }),
    one("cron-healthy", { curve: curves.warmUp, hours: 40, limit, restartEvery: 4, seed: 6 }),
    one("warm-up", { curve: curves.warmUp, hours: 40, limit, age: 0.01, seed: 7 }),
    one("daily-load", { curve: curves.daily, hours: 60, limit, seed: 8 }),
    one("rising-lows", { curve: curves.risingLows, hours: 150, limit: 4096 * MiB, seed: 12 }),
    {
      id: "workers",
      members: [curves.flat, curves.daily, curves.steadyLeak].map((curve, slot) =>
        traceMember({ curve, hours: 40, limit, missing: 3, seed: 9 + slot }, slot),
      ),
    },
  ];
}

/** As files, in the way that `leakwatch backtest` reads them. */
export function writeTraces(folder: string, traces: readonly Trace[]): void {
  for (const { id, members } of traces) {
    for (const { slot, times, resident, limit, startTime } of members) {
      const rows = Array.from(times, (t, i) => `${t},${resident[i]},${limit[i]},${startTime[i]},0\n`);
      const name = members.length === 1 ? `${id}.csv` : `${id}.w${slot}.csv`;
      const header = "t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second\n";
      fs.writeFileSync(path.join(folder, name), header + rows.join(""));
    }
  }
}
