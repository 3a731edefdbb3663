// Copies: the same process, seen more than once. Two Prometheus servers scrape the same targets and a store holds both, or one
// server scrapes an exporter by two ways. Copies must not count as two processes, and two processes must not be taken for
// copies: labels only make a suspicion, and memory itself is asked.

import { median } from "../memory/statistics.ts";
import { maximumPoints, type PrometheusApi, sampleValue } from "../prometheus/api.ts";
import { groupBy, type LabelSet, signature } from "../prometheus/labels.ts";
import { commonSelector } from "./common-selector.ts";
import type { GivenSelector } from "./gauges.ts";
import { identityOf, isReplicaLabel, type LabelKnowledge, nothingLearned } from "./identity.ts";
import type { Stretch } from "./stretch.ts";

/** Copies are sampled seconds apart: a median difference of more than this share is that of two processes. */
const sameMemory = 0.05;
/** Labels that nobody knows need more: this close, and memory that moves. */
const surelySame = { share: 0.01, moves: 0.01 } as const;
/** Points of each series that are compared, and sets of suspected copies of each kind. */
const probe = { points: 120, fewest: 5, sets: 4 } as const;

export interface LearnedLabels extends LabelKnowledge {
  /** Labels by which copies differ, for the report. */
  readonly copiesBy: readonly string[];
  /** Series that another job scraped from the same target, too. */
  readonly scrapedTwice: ReadonlySet<LabelSet>;
}

/** Looks for copies among the series of a gauge. */
export async function learnLabels(
  api: PrometheusApi,
  gauge: GivenSelector,
  found: readonly LabelSet[],
  stretch: Stretch,
  replicaLabels: readonly string[] = [],
): Promise<LearnedLabels> {
  const ask = new Probe(api, gauge, stretch);
  let learned: LabelKnowledge = { ...nothingLearned, ignored: new Set(replicaLabels) };
  const unknown = await unknownReplicaLabel(ask, found, learned);
  if (unknown !== undefined) learned = { ...learned, ignored: new Set([...learned.ignored, unknown]) };
  const copiesBy = new Set<string>();
  // what turns out to tell processes apart may leave other copies to be found
  for (let round = 0; round < 4; round++) {
    const kept = new Set(learned.kept);
    copiesBy.clear();
    for (const [text, sets] of suspects(found, learned)) {
      const labels = text.split("\u0001");
      if (await ask.areCopies(sets, sameMemory, 0)) for (const label of labels) copiesBy.add(label);
      else {
        const ofScrapes = labels.filter((label) => !isReplicaLabel(label) && !learned.ignored.has(label));
        for (const label of ofScrapes.length > 0 ? ofScrapes : labels) kept.add(label);
      }
    }
    if (kept.size === learned.kept.size) break;
    learned = { ...learned, kept };
  }
  return { ...learned, copiesBy: [...copiesBy].sort(), scrapedTwice: await scrapedTwice(ask, found, learned) };
}

/** Sets of series that would be copies, by the labels in which they differ. */
function suspects(found: readonly LabelSet[], learned: LabelKnowledge): Map<string, LabelSet[][]> {
  const identified = found.map((labels) => ({ labels, ...identityOf(labels, learned) }));
  const sets = new Map<string, LabelSet[][]>();
  for (const same of groupBy(identified, ({ process, life }) => `${process}\u0003${life}`).values()) {
    const first = same[0];
    if (first === undefined || same.length < 2) continue;
    const names = new Set(same.flatMap(({ copy }) => Object.keys(copy)));
    const differing = [...names].filter((name) => same.some(({ copy }) => copy[name] !== first.copy[name])).sort();
    if (differing.length === 0) continue;
    const key = differing.join("\u0001");
    sets.set(key, [...(sets.get(key) ?? []), same.map(({ labels }) => labels)]);
  }
  return sets;
}

/** A label of which most processes have two values at once, and the same memory with both. */
async function unknownReplicaLabel(
  ask: Probe,
  found: readonly LabelSet[],
  learned: LabelKnowledge,
): Promise<string | undefined> {
  const identified = found.map((labels) => ({ labels, ...identityOf(labels, learned) }));
  const processes = new Set(identified.map(({ process }) => process)).size;
  const names = new Set(identified.flatMap(({ service }) => Object.keys(service)));
  for (const name of ["instance", "workload", "container", "namespace"]) names.delete(name);
  for (const name of names) {
    const without = identified.filter(({ labels }) => labels[name] !== undefined);
    const merged = groupBy(without, ({ labels }) => {
      const { [name]: _, ...others } = labels;
      return signature(others);
    });
    const sets = [...merged.values()].filter((same) => same.length > 1);
    const inSets = sets.reduce((sum, same) => sum + same.length, 0);
    const isPlaced = sets.every(([one]) => one?.labels["instance"] !== undefined || one?.called !== "");
    if (inSets < processes / 2 || inSets === 0 || !isPlaced) continue;
    const labels = sets.map((same) => same.map((one) => one.labels));
    if (await ask.areCopies(labels, surelySame.share, surelySame.moves)) return name;
  }
  return undefined;
}

/** One target under two jobs. Targets that only share a name, such as the exporters of a host, have other memory. */
async function scrapedTwice(ask: Probe, found: readonly LabelSet[], learned: LabelKnowledge): Promise<Set<LabelSet>> {
  const targets = found.filter((labels) => labels["instance"] && identityOf(labels, learned).called === "");
  const sets = groupBy(targets, ({ job: _, ...others }) => identityOf(others, learned).process);
  const twice = new Set<LabelSet>();
  for (const same of sets.values()) {
    const [first, ...others] = [...same].sort((a, b) => ((a["job"] ?? "") < (b["job"] ?? "") ? -1 : 1));
    const again = others.filter((labels) => labels["job"] !== first?.["job"]);
    if (again.length === 0 || !(await ask.areCopies([same], surelySame.share, surelySame.moves))) continue;
    for (const labels of again) twice.add(labels);
  }
  return twice;
}

class Probe {
  private readonly api: PrometheusApi;
  private readonly gauge: GivenSelector;
  private readonly stretch: Stretch;

  constructor(api: PrometheusApi, gauge: GivenSelector, stretch: Stretch) {
    this.api = api;
    this.gauge = gauge;
    this.stretch = stretch;
  }

  /** Is the memory in each of these sets the same? Series that are never there at once are no contradiction. */
  async areCopies(sets: readonly (readonly LabelSet[])[], share: number, moves: number): Promise<boolean> {
    for (const set of sets.slice(0, probe.sets)) if (!(await this.agree(set, share, moves))) return false;
    return true;
  }

  private async agree(set: readonly LabelSet[], share: number, moves: number): Promise<boolean> {
    const { from, to, step } = this.stretch;
    const points = Math.min(maximumPoints, probe.points);
    const wide = Math.max(step, Math.ceil((to - from) / points / step) * step);
    const selector = commonSelector(this.gauge.name, set, this.gauge.matchers);
    const results = await this.api.range(selector, from, to, wide);
    const wanted = new Set(set.map(signature));
    const [first, ...others] = results
      .filter(({ metric }) => wanted.has(signature(metric)))
      .map(({ values }) => new Map(values.map(([t, text]) => [t, sampleValue(text)])));
    if (first === undefined) return moves === 0;
    return others.every((other) => isSame(first, other, share, moves)) && (others.length > 0 || moves === 0);
  }
}

function isSame(
  one: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
  share: number,
  moves: number,
): boolean {
  const pairs = [...one].flatMap(([t, value]) => {
    const same = other.get(t);
    return same === undefined || !(value > 0) ? [] : [[value, same] as const];
  });
  if (pairs.length < probe.fewest) return moves === 0;
  const differences = pairs.map(([a, b]) => Math.abs(a - b) / Math.max(a, b));
  const values = pairs.map(([a]) => a);
  const spread = (Math.max(...values) - Math.min(...values)) / Math.max(...values);
  return median(differences) <= share && spread >= moves;
}
