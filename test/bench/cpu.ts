// CPU time and latency per scrape: of our exporter, of its peer, and of the bare reads in C. All of them run in every
// round, in changing order, and a ratio is taken within its round: what disturbs the machine disturbs all of them alike.

import { setTimeout as sleep } from "node:timers/promises";
import { type RunningExporter, startOurs, startPeer } from "./exporters.ts";
import { BareReads, type Farm } from "./farm.ts";
import type { Finding } from "./limits.ts";
import { countSeries, type Mode, median, modes, quantile } from "./measure.ts";
import { cpuTime } from "./programs.ts";
import { show, table } from "./table.ts";

export interface CpuPlan {
  /** Rounds in each mode. */
  rounds: number;
  pacedRounds: number;
  /** Scrapes in a row within a round; of the peer, which takes some thirty times as long, fewer do. */
  scrapes: number;
  peerScrapes: number;
  /** Scrapes of everybody within a paced round, and the pause after each, in milliseconds. */
  pacedScrapes: number;
  gap: number;
}

type Name = "ours" | "peer" | "C reads";

/** Whoever takes samples. */
interface Contestant {
  name: Name;
  /** Samples in a row. */
  scrapes: number;
  /** Samples until everything is compiled and cached. */
  warmUp: number;
  /** Returns the milliseconds until the answer was there; NaN where nobody asks over HTTP. */
  sample(mode: Mode): Promise<number>;
  /** Milliseconds of CPU time used so far. */
  cpu(): number;
}

/** What everybody did in one mode. */
type Results = ReadonlyMap<Name, { cpu: number[]; latencies: number[] }>;

export async function compareCpu(farm: Farm, plan: CpuPlan): Promise<Finding[]> {
  const ours = await startOurs({ alone: true });
  const peer = await startPeer({ alone: true });
  const reads = new BareReads(farm, { alone: true });
  const contestants = [
    scraped("ours", ours, plan.scrapes, 60),
    scraped("peer", peer, plan.peerScrapes, 4),
    bare(reads, plan.scrapes),
  ];
  for (const { warmUp, sample } of contestants) {
    for (let i = 0; i < warmUp; i++) await sample(i % 2 === 0 ? "plain" : "gzip");
  }
  await reportAnswers({ ours, peer });

  const findings: Finding[] = [];
  for (const [how, rounds, round] of [
    ["back to back", plan.rounds, inARow],
    ["paced", plan.pacedRounds, paced],
  ] as const) {
    for (const mode of modes) {
      const results = await runRounds(contestants, rounds, (order) => round(order, mode, plan));
      report(`${how}, ${mode}`, results);
      findings.push({ limit: "cpuOfPeer", how: `${how}, ${mode}`, value: median(ratios(results, "ours", "peer")) });
      // the reads in C compress nothing, so there is nothing to compare gzip with
      if (mode === "plain")
        findings.push({ limit: "cpuOfReads", how, value: median(ratios(results, "ours", "C reads")) });
    }
  }
  for (const program of [ours, peer, reads]) await program.stop();
  return findings;
}

function scraped(name: Name, { scraper, pid }: RunningExporter, scrapes: number, warmUp: number): Contestant {
  const sample = async (mode: Mode) => (await scraper.scrape(mode)).milliseconds;
  return { name, scrapes, warmUp, sample, cpu: () => cpuTime(pid) };
}

function bare(reads: BareReads, scrapes: number): Contestant {
  let used = 0;
  const sample = async () => {
    used += await reads.sample();
    return Number.NaN;
  };
  return { name: "C reads", scrapes, warmUp: scrapes, sample, cpu: () => used };
}

/** What one contestant did in one round: CPU milliseconds per sample, and the latency of each. */
interface Lap {
  name: Name;
  cpu: number;
  latencies: number[];
}

async function runRounds(
  contestants: readonly Contestant[],
  rounds: number,
  run: (order: readonly Contestant[]) => Promise<Lap[]>,
): Promise<Results> {
  const results: Results = new Map(contestants.map(({ name }) => [name, { cpu: [], latencies: [] }]));
  const orders = permutations(contestants);
  for (let round = 0; round < rounds; round++) {
    for (const { name, cpu, latencies } of await run(orders[round % orders.length] ?? [])) {
      results.get(name)?.cpu.push(cpu);
      results.get(name)?.latencies.push(...latencies);
    }
  }
  return results;
}

/** One after the other, each some scrapes in a row. */
async function inARow(order: readonly Contestant[], mode: Mode): Promise<Lap[]> {
  const laps: Lap[] = [];
  for (const { name, scrapes, sample, cpu } of order) {
    const latencies: number[] = [];
    const before = cpu();
    for (let i = 0; i < scrapes; i++) latencies.push(await sample(mode));
    laps.push({ name, cpu: (cpu() - before) / scrapes, latencies });
  }
  return laps;
}

/** Everybody once, then a pause: caches are cold, as they are for a scraper, and what runs between scrapes counts too. */
async function paced(order: readonly Contestant[], mode: Mode, { pacedScrapes, gap }: CpuPlan): Promise<Lap[]> {
  const laps = order.map((who) => ({ who, before: who.cpu(), latencies: [] as number[] }));
  for (let i = 0; i < pacedScrapes; i++) {
    for (const { who, latencies } of laps) latencies.push(await who.sample(mode));
    await sleep(gap);
  }
  return laps.map(({ who, before, latencies }) => ({
    name: who.name,
    cpu: (who.cpu() - before) / pacedScrapes,
    latencies,
  }));
}

/** Every order once: who comes after whom matters, for it finds the caches as the other left them. */
function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, i) => permutations(items.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

/** CPU time of one against another, round by round. */
function ratios(results: Results, name: Name, against: Name): number[] {
  const base = results.get(against)?.cpu ?? [];
  return (results.get(name)?.cpu ?? []).map((cpu, round) => cpu / (base[round] ?? Number.NaN));
}

function report(how: string, results: Results): void {
  const rows = [["", "CPU ms", "/ peer", "lowest", "highest", "/ C reads", "latency ms", "p95", "/ peer"]];
  const peerLatency = median(results.get("peer")?.latencies ?? []);
  for (const [name, { cpu, latencies }] of results) {
    const toPeer = ratios(results, name, "peer");
    const numbers = [
      median(cpu),
      median(toPeer),
      Math.min(...toPeer),
      Math.max(...toPeer),
      median(ratios(results, name, "C reads")),
      median(latencies),
      quantile(latencies, 0.95),
      median(latencies) / peerLatency,
    ];
    rows.push([name, ...numbers.map(show)]);
  }
  console.log(`\nPer scrape, ${how} (medians; ${results.get("ours")?.cpu.length} rounds):\n${table(rows)}`);
}

/** Costs can be compared only if it is known what was got for them. */
async function reportAnswers(exporters: Readonly<Record<string, RunningExporter>>): Promise<void> {
  const rows = [["answer", "series", "kB", "kB gzipped"]];
  for (const [name, { scraper }] of Object.entries(exporters)) {
    const plain = (await scraper.scrape("plain")).body;
    const gzip = (await scraper.scrape("gzip")).body;
    rows.push([
      name,
      ...[countSeries(plain.toString()), plain.length / 1000, gzip.length / 1000].map((n) => n.toFixed()),
    ]);
  }
  console.log(`\n${table(rows)}`);
}
