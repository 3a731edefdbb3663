// One labelled trace of a family: its service is drawn, given a limit, run, and scraped.

import { randomFor } from "./draws.ts";
import { fileOf, type Label, labelOf } from "./labels.ts";
import { scraped, someMisses } from "./scrapes.ts";
import type { Family, Process, Service } from "./service.ts";
import { type Row, type Run, simulate } from "./simulate.ts";
import { page } from "./units.ts";

export interface LabelledTrace {
  label: Label;
  /** By name of file. */
  rows: Map<string, Row[]>;
}

export function makeTrace(family: Family, index: number, seed: number): LabelledTrace {
  const id = `${family.label === "leak" ? "L" : "H"}-${family.name}-${index}`;
  const service = family.make(randomFor(seed, `${id}/service`));
  const run = (processes: readonly Process[], limit: number): Run[] =>
    processes.map((process, worker) => simulate(randomFor(seed, `${id}/${worker}`), { service, process, limit }));
  const healthy = run(withoutLeaks(service.processes), Number.POSITIVE_INFINITY);
  const level = usualLevel(healthy);
  const limit = limitOf(service, level);
  const runs = service.onset === undefined ? healthy : run(service.processes, limit);
  const random = randomFor(seed, `${id}/scrapes`);
  const misses = someMisses(random);
  const rows = runs.map((run, worker): [string, Row[]] => [
    fileOf(id, worker, runs.length),
    scraped(random, run.rows, misses),
  ]);
  const levelAtKill = service.swings ? level.high : level.usual;
  return { label: labelOf(id, family, service, runs, limit, levelAtKill), rows: new Map(rows) };
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
