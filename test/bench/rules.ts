// What the shipped rules cost on a real Prometheus: a thousand slots with days of history behind them, older parts in
// blocks and the last hours in the head, as a server that has been running for long has them.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processMetrics } from "../../catalog/metrics.ts";
import { type Fleet, type FleetSeries, makeFleet } from "./fleet.ts";
import { type Finding, limits } from "./limits.ts";
import { median } from "./measure.ts";
import { CannotRun, cpuTime } from "./programs.ts";
import { PrometheusServer, prometheusProgram } from "./prometheus.ts";
import { encodeLabels, encodeWrite } from "./remote-write.ts";
import { type FileGroup, longestRawRange, parseRuleFile, seconds, withInterval } from "./rule-file.ts";
import { show, table } from "./table.ts";

export interface RulesPlan {
  /** Evaluations of each group that count. */
  evaluations: number;
}

const slots = 1000;
/** Seconds between two evaluations, so that one need not wait for those that come every five minutes. */
const interval = 15;
/** The first ones find nothing in any cache. */
const warmUp = 2;
/** A request has this much of the past, in seconds: the server takes nothing that is an hour older than what it has. */
const slice = 1800;
/** Series in a request. */
const seriesAtOnce = 1000;

const ruleFile = fileURLToPath(new URL("../../alerts/generated/leakwatch.rules.yml", import.meta.url));

/** One process in `leaks` leaks. */
export async function measureRules(plan: RulesPlan, leaks: number, program: string | undefined): Promise<Finding[]> {
  const { path, version } = prometheusProgram(program);
  const groups = parseRuleFile(readFileSync(ruleFile, "utf8"));
  const now = Math.floor(Date.now() / 1000);
  const started = performance.now();
  const fleet = makeFleet(groups, slots, now, leaks);
  const server = await PrometheusServer.start(path);
  try {
    const feed = new Feed(server, fleet);
    await feed.writeHistory(now);
    await untilCompacted(server);
    const took = (performance.now() - started) / 1000;
    console.log(
      `\nRules on Prometheus ${version}: ${slots} slots, one in ${leaks} leaking, ${(feed.samples / 1e6).toFixed(1)} million samples of history in ` +
        `${await server.own("prometheus_tsdb_blocks_loaded")} blocks and the head (${took.toFixed(0)} s)`,
    );
    if (fleet.absent.length > 0) console.log(`  not there, and read by rules: ${fleet.absent.join(", ")}`);
    const plain = await evaluate(server, [plainCopies], plan.evaluations, feed);
    const { times, cpu } = await evaluate(server, groups, plan.evaluations, feed);
    const perSlot = (await countRecorded(server, groups)) / slots;
    const findings = report(groups, times, perSlot, version);
    console.log(`  CPU time of the server, scrapes taken off: ${show(cpu)} ms for one evaluation of all groups`);
    const copying = median(plain.times.get(plainCopies.name)?.group ?? []);
    console.log(
      `  Only to copy ${limits.recordedSeries.must} series of each process takes ${show(copying)} ms here, and ${show(plain.cpu)} ms of CPU: ` +
        `the rules cost ${show(sumOfMedians(times) / copying)} times that, and ${show(cpu / plain.cpu)} times the CPU`,
    );
    return findings;
  } finally {
    await server.stop();
  }
}

/** What it costs to record as many series as the rules may, and nothing else: a measure for the machine. */
const plainCopies: FileGroup = {
  name: "plain-copies",
  interval: "1m",
  rules: Array.from({ length: limits.recordedSeries.must }, (_, i) => ({
    record: `slot:plain_copy:number${i}`,
    expr: processMetrics.memoryLimit.name,
  })),
};

const sumOfMedians = (times: ReadonlyMap<string, Times>) =>
  [...times.values()].reduce((sum, { group }) => sum + median(group), 0);

/** Writes what the fleet would have exposed, from the past up to the present. */
class Feed {
  samples = 0;
  private readonly server: PrometheusServer;
  private readonly fleet: Fleet;
  private readonly labels = new Map<FleetSeries, Uint8Array>();
  private writtenUntil = 0;

  constructor(server: PrometheusServer, fleet: Fleet) {
    this.server = server;
    this.fleet = fleet;
    for (const series of [...fleet.scraped, ...fleet.recorded]) this.labels.set(series, encodeLabels(series.labels));
  }

  async writeHistory(until: number): Promise<void> {
    const all = [...this.fleet.recorded, ...this.fleet.scraped];
    const longest = Math.max(...all.map(({ reach }) => reach));
    for (let from = until - longest; from < until; from += slice) {
      await this.write(all, from, Math.min(from + slice, until), until);
    }
    this.writtenUntil = until;
    await this.keepUp();
  }

  /** What was scraped since the last call. */
  async keepUp(): Promise<void> {
    const until = Math.floor(Date.now() / 1000);
    await this.write(this.fleet.scraped, this.writtenUntil, until, this.writtenUntil);
    this.writtenUntil = until;
  }

  /** From `from` on, `to` excluded; nothing that lies further before `present` than the rules look. */
  private async write(all: readonly FleetSeries[], from: number, to: number, present: number): Promise<void> {
    let stretches = [];
    for (const series of all) {
      const { step, reach, value } = series;
      const times: number[] = [];
      const values: number[] = [];
      for (let time = Math.ceil(Math.max(from, present - reach) / step) * step; time < to; time += step) {
        const sample = value(time);
        if (Number.isNaN(sample)) continue;
        times.push(time);
        values.push(sample);
      }
      if (times.length === 0) continue;
      this.samples += times.length;
      stretches.push({ labels: this.labels.get(series) as Uint8Array, times, values });
      if (stretches.length === seriesAtOnce) {
        await this.server.write(encodeWrite(stretches));
        stretches = [];
      }
    }
    if (stretches.length > 0) await this.server.write(encodeWrite(stretches));
  }
}

/** Until the server has made blocks of what is old. */
async function untilCompacted(server: PrometheusServer): Promise<void> {
  let last = -1;
  let quiet = 0;
  for (let tries = 0; tries < 120 && quiet < 5; tries++) {
    await sleep(1000);
    const done = await server.own("prometheus_tsdb_compactions_total");
    quiet = done === last ? quiet + 1 : 0;
    last = done;
  }
}

/** Milliseconds of every evaluation: of a group, and of each of its rules in their order. */
interface Times {
  group: number[];
  rules: number[][];
}

interface Evaluations {
  times: Map<string, Times>;
  /** Milliseconds of CPU, all threads together, for one evaluation of all groups. */
  cpu: number;
}

async function evaluate(
  server: PrometheusServer,
  groups: readonly FileGroup[],
  evaluations: number,
  feed: Feed,
): Promise<Evaluations> {
  const idle = await idleCost(server, feed);
  await server.loadRules(withInterval(groups, interval));
  const seen = new Map<string, { last: string; count: number }>();
  const times = new Map<string, Times>();
  const cost: { from?: { cpu: number; at: number } } = {};
  const deadline = Date.now() + (evaluations + warmUp + 3) * interval * 1000;
  while (![...groups].every(({ name }) => (times.get(name)?.group.length ?? 0) >= evaluations)) {
    if (Date.now() > deadline) throw new CannotRun("prometheus did not evaluate all groups in time");
    await sleep(1000);
    await feed.keepUp();
    if (cost.from === undefined && [...seen.values()].some(({ count }) => count >= warmUp)) {
      cost.from = { cpu: cpuTime(server.pid), at: performance.now() };
    }
    for (const { name, evaluationTime, lastEvaluation, rules } of await server.groups()) {
      const before = seen.get(name) ?? { last: "", count: 0 };
      if (lastEvaluation === before.last || lastEvaluation.startsWith("0001")) continue;
      seen.set(name, { last: lastEvaluation, count: before.count + 1 });
      for (const rule of rules) {
        if (rule.health === "err") throw new CannotRun(`the rule ${rule.name} failed: ${rule.lastError}`);
      }
      if (before.count < warmUp) continue;
      const found = times.get(name) ?? { group: [], rules: rules.map(() => []) };
      times.set(name, found);
      found.group.push(evaluationTime * 1000);
      rules.forEach((rule, i) => {
        found.rules[i]?.push(rule.evaluationTime * 1000);
      });
    }
  }
  const { cpu, at } = cost.from ?? { cpu: Number.NaN, at: Number.NaN };
  const elapsed = (performance.now() - at) / 1000;
  return { times, cpu: ((cpuTime(server.pid) - cpu) / elapsed - idle) * interval };
}

/** Milliseconds of CPU per second that the server takes for scrapes alone. */
async function idleCost(server: PrometheusServer, feed: Feed): Promise<number> {
  await feed.keepUp();
  const [before, started] = [cpuTime(server.pid), performance.now()];
  while (performance.now() - started < 2 * interval * 1000) {
    await sleep(1000);
    await feed.keepUp();
    await server.groups();
  }
  return (cpuTime(server.pid) - before) / ((performance.now() - started) / 1000);
}

/** Recorded series that the last evaluations wrote. */
async function countRecorded(server: PrometheusServer, groups: readonly FileGroup[]): Promise<number> {
  const names = new Set(groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? [])));
  return server.value(`count(last_over_time({__name__=~"${[...names].join("|")}"}[${2 * interval}s]))`);
}

function report(
  groups: readonly FileGroup[],
  times: ReadonlyMap<string, Times>,
  perSlot: number,
  version: string,
): Finding[] {
  const timesOf = (name: string) => times.get(name) ?? { group: [], rules: [] };
  const least = (values: readonly number[]) => Math.min(...values);
  const sum = (of: (values: readonly number[]) => number) =>
    groups.reduce((total, { name }) => total + of(timesOf(name).group), 0);
  const perHour = ({ name, interval: every }: FileGroup) =>
    (median(timesOf(name).group) * 3600) / seconds(every) / 1000;
  const rows = groups.map((group) => {
    const { group: all } = timesOf(group.name);
    const counts = [group.interval, String(group.rules.length)];
    return [group.name, ...counts, show(least(all)), show(median(all)), show(perHour(group))];
  });
  const total = ["all groups", "", String(groups.reduce((n, { rules }) => n + rules.length, 0)), show(sum(least))];
  const totalPerHour = groups.reduce((hour, group) => hour + perHour(group), 0);
  console.log(`\nAn evaluation takes (${timesOf(groups[0]?.name ?? "").group.length} of each group):`);
  console.log(
    table([
      ["group", "interval", "rules", "least ms", "median ms", "s per hour"],
      ...rows,
      [...total, show(sum(median)), show(totalPerHour)],
    ]),
  );

  const dearest = groups
    .flatMap(({ name, rules }) =>
      rules.map((rule, i) => ({ name: rule.record ?? rule.alert ?? "", all: timesOf(name).rules[i] ?? [] })),
    )
    .sort((a, b) => median(b.all) - median(a.all))
    .slice(0, 10);
  const cost = dearest.map(({ name, all }) => [name, show(least(all)), show(median(all))]);
  console.log(`\nThe dearest rules:\n${table([["rule", "least ms", "median ms"], ...cost])}`);

  const range = longestRawRange(groups);
  console.log(`\n  longest range on raw series: ${range.seconds} s, on ${range.series} in ${range.rule}`);
  const how = `Prometheus ${version}`;
  return [
    { limit: "rulesTime", how, value: sum(median) },
    { limit: "recordedSeries", how: `${slots} slots`, value: perSlot },
    { limit: "rawRange", how: range.rule, value: range.seconds / 3600 },
  ];
}
