// One labelled trace of a family: its service is drawn, given a limit, run, and scraped.

import type { Limits } from "./csv.ts";
import { randomFor } from "./draws.ts";
import { fileOf, type Label, labelOf } from "./labels.ts";
import { scraped, someMisses } from "./scrapes.ts";
import type { Family, Process, Service } from "./service.ts";
import { type Row, type Run, simulate } from "./simulate.ts";
import { MiB, page, scrapeInterval } from "./units.ts";

export interface LabelledTrace {
  label: Label;
  limits: Limits;
  /** By name of file. */
  rows: Map<string, Row[]>;
}

export function makeTrace(family: Family, index: number, seed: number): LabelledTrace {
  const id = `${family.label === "leak" ? "L" : "H"}-${family.name}-${index}`;
  const service = family.make(randomFor(seed, `${id}/service`));
  const run = (processes: readonly Process[], { end, killedBy }: Pick<Ends, "end" | "killedBy">): Run[] =>
    processes.map((process, worker) =>
      simulate(randomFor(seed, `${id}/${worker}`), { service, process, limit: end, killedBy }),
    );
  const healthy = run(withoutLeaks(service.processes), { end: Number.POSITIVE_INFINITY, killedBy: "oom" });
  const level = usualLevel(healthy);
  const ends = endsOf(service, limitOf(service, level), level);
  const runs = service.onset === undefined ? healthy : run(service.processes, ends);
  const random = randomFor(seed, `${id}/scrapes`);
  const misses = someMisses(random);
  const rows = runs.map((run, worker): [string, Row[]] => [
    fileOf(id, worker, runs.length),
    scraped(random, run.rows, service.interval ?? scrapeInterval, misses),
  ]);
  const levelAtKill = service.swings ? level.high : level.usual;
  return { label: labelOf(id, family, service, runs, ends, levelAtKill), limits: ends.limits, rows: new Map(rows) };
}

/** Where the memory of a service that leaks ends. */
export interface Ends {
  /** Bytes of memory at which it is killed, or gives up. */
  end: number;
  killedBy: "oom" | "heap_oom";
  limits: Limits;
}

function endsOf({ heap, onset }: Service, limit: number, { peak }: Level): Ends {
  if (heap === undefined) return { end: limit, killedBy: "oom", limits: { limit } };
  if ("max" in heap) return { end: limit, killedBy: "oom", limits: { limit, heapLimit: wholeMiB(heap.max) } };
  if ("beyond" in heap) {
    const heapLimit = wholeMiB(heap.beyond * (onset === undefined ? peak : limit));
    return { end: limit, killedBy: "oom", limits: { limit, heapLimit } };
  }
  const heapLimit = wholeMiB(limit - heap.outside);
  const end = heapLimit + heap.outside;
  return { end, killedBy: "heap_oom", limits: { limit: Math.ceil((heap.room * end) / page) * page, heapLimit } };
}

/** As command lines have it. */
function wholeMiB(bytes: number): number {
  return Math.ceil(bytes / MiB) * MiB;
}

function withoutLeaks(processes: readonly Process[]): Process[] {
  return processes.map(({ leak: _, ...process }) => process);
}

interface Level {
  /** Bytes, once it has settled. */
  usual: number;
  /** What it passes for some minutes of a day only. */
  high: number;
  /** The highest of all, single requests included. */
  peak: number;
}

function usualLevel(runs: readonly Run[]): Level {
  const settled = runs.flatMap(({ rows }) => rows.slice(rows.length / 2).map(({ resident }) => resident));
  settled.sort((a, b) => a - b);
  const atShare = (share: number) => settled[Math.floor(share * settled.length)] ?? 0;
  return { usual: atShare(0.5), high: atShare(0.98), peak: Math.max(...runs.map(({ peak }) => peak)) };
}

/** Whoever sets a limit leaves a tenth above what the healthy service needed. Limits are whole pages. */
function limitOf({ limit }: Service, { usual, peak }: Level): number {
  const bytes = "aboveLevel" in limit ? Math.max(usual + limit.aboveLevel, 1.1 * peak) : peak / limit.peakShare;
  return Math.ceil(bytes / page) * page;
}
