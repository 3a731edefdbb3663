// Memory of the exporter itself: what nobody else can use (RssAnon), and whether it grows. Scrapes ask as Prometheus does,
// and follow one another without a pause, which leaves the garbage collector the least time.

import { type RunningExporter, startOurs } from "./exporters.ts";
import type { Farm } from "./farm.ts";
import type { Finding } from "./limits.ts";
import { type Memory, median, memoryOf, seriesValue } from "./measure.ts";
import { show, table } from "./table.ts";

export interface MemoryPlan {
  /** Scrapes until memory is looked at. */
  warmUp: number;
  /** Scrapes over which it may not grow. */
  scrapes: number;
}

/** Garbage collection moves memory up and down: what counts is the highest, or the median, of this many scrapes. */
const window = 50;

/** Beside a thousand processes: how much after the warm-up, and how much more after all scrapes. */
export async function measureMemory({ warmUp, scrapes }: MemoryPlan): Promise<Finding[]> {
  const exporter = await startOurs();
  const start = [memoryOf(exporter.pid)];
  const warm = await memoryOver(exporter, warmUp);
  const later = await memoryOver(exporter, scrapes);
  await exporter.stop();
  report("1,000 processes", [
    ["start", start],
    [`${warmUp} scrapes`, warm.slice(-window)],
    [`${warmUp + scrapes} scrapes`, later.slice(-window)],
  ]);
  const level = (looks: readonly Memory[]) => median(looks.slice(-window).map(({ resident }) => resident));
  return [
    { limit: "memory", how: `after ${warmUp} scrapes`, value: highestAnonymous(warm.slice(-window)) },
    { limit: "growth", how: `over ${scrapes} scrapes after ${warmUp}`, value: level(later) - level(warm) },
  ];
}

/** Beside a few processes, in a pid namespace of their own: the sidecar. */
export async function measureSidecar(farm: Farm, processes: number, { warmUp }: MemoryPlan): Promise<Finding[]> {
  const exporter = await startOurs({ procfs: farm.procfs });
  const start = [memoryOf(exporter.pid)];
  const text = (await exporter.scraper.scrape("plain")).body.toString();
  const watched = seriesValue(text, "leakwatch_watched_processes");
  if (watched !== processes) throw new Error(`${watched} processes are watched in the namespace, not ${processes}`);
  const warm = await memoryOver(exporter, warmUp);
  await exporter.stop();
  report(`${processes} processes`, [
    ["start", start],
    [`${warmUp} scrapes`, warm.slice(-window)],
  ]);
  return [{ limit: "sidecarMemory", how: `after ${warmUp} scrapes`, value: highestAnonymous(warm.slice(-window)) }];
}

/** The memory after each of so many scrapes. */
async function memoryOver({ scraper, pid }: RunningExporter, times: number): Promise<Memory[]> {
  const looks: Memory[] = [];
  for (let i = 0; i < times; i++) {
    await scraper.scrape("gzip");
    looks.push(memoryOf(pid));
  }
  return looks;
}

const highestAnonymous = (looks: readonly Memory[]) => Math.max(...looks.map(({ anonymous }) => anonymous));

function report(where: string, stages: readonly (readonly [string, readonly Memory[]])[]): void {
  const rows = stages.map(([stage, looks]) => [
    stage,
    show(median(looks.map(({ anonymous }) => anonymous))),
    show(highestAnonymous(looks)),
    show(median(looks.map(({ resident }) => resident))),
  ]);
  const head = ["after", "anonymous", "highest", "resident"];
  console.log(
    `\nMemory of the exporter beside ${where}, MiB (of the last ${window} scrapes):\n${table([head, ...rows])}`,
  );
}
