// Gradient boosting of small trees with the logistic loss: each new table corrects what the ones before it got wrong.
// Friedman, Greedy Function Approximation (2001), https://doi.org/10.1214/aos/1013203451; second-order gains as in
// https://doi.org/10.1145/2939672.2939785

import type { CardTable } from "../../detection/card.ts";

export interface BoostOptions {
  readonly rounds: number;
  /** Questions in a row. */
  readonly depth: number;
  readonly learningRate: number;
  /** Parts into which a number is cut. */
  readonly bins: number;
  /** Shares of the examples and of the features that each round sees. */
  readonly sample: number;
  readonly features: number;
  /** Pulls points towards 0, and the least weight of a cell. */
  readonly lambda: number;
  readonly leastWeight: number;
}

export interface Boosted {
  readonly base: number;
  readonly tables: CardTable[];
  /** By feature: how much its questions gained. */
  readonly gains: Float64Array;
}

interface Split {
  gain: number;
  feature: number;
  bin: number;
  absentIsBelow: boolean;
  /** Points where nothing is asked. */
  value: number;
}

export class Booster {
  private readonly options: BoostOptions;
  private readonly directions: readonly number[];
  private readonly random: () => number;
  private readonly edges: Float64Array[] = [];
  /** By feature: the part into which each example falls. The one behind the last edge's stands for absent. */
  private readonly parts: Uint8Array[] = [];
  private readonly leaks: Uint8Array;
  private readonly weights: Float64Array;
  private readonly scores: Float64Array;
  private readonly gradients: Float64Array;
  private readonly curvatures: Float64Array;
  private readonly order: Int32Array;
  private readonly spare: Int32Array;
  private readonly sums: Float64Array;
  private readonly curves: Float64Array;
  private asked = new Uint8Array(0);
  private readonly gains: Float64Array;

  /** `values` row by row. `directions`: more of a number speaks only for (1) or only against (-1) a leak. */
  constructor(
    { values, leaks, weights }: { values: Float32Array; leaks: Uint8Array; weights: ArrayLike<number> },
    directions: readonly number[],
    options: BoostOptions,
    random: () => number,
  ) {
    this.options = options;
    this.directions = directions;
    this.random = random;
    this.leaks = leaks;
    this.weights = Float64Array.from(weights);
    const count = leaks.length;
    for (let feature = 0; feature < directions.length; feature++) this.cut(values, feature, count);
    this.scores = new Float64Array(count);
    this.gradients = new Float64Array(count);
    this.curvatures = new Float64Array(count);
    this.order = new Int32Array(count);
    this.spare = new Int32Array(count);
    this.sums = new Float64Array(options.bins + 2);
    this.curves = new Float64Array(options.bins + 2);
    this.gains = new Float64Array(directions.length);
  }

  run(tell: (round: number, loss: number) => void): Boosted {
    const base = this.start();
    const tables: CardTable[] = [];
    for (let round = 0; round < this.options.rounds; round++) {
      this.differentiate();
      let count = 0;
      for (let i = 0; i < this.leaks.length; i++) if (this.random() < this.options.sample) this.order[count++] = i;
      this.asked = Uint8Array.from(this.directions, () => Number(this.random() < this.options.features));
      const grown = this.grow(0, count, this.options.depth);
      for (let i = 0; i < this.scores.length; i++)
        this.scores[i] = (this.scores[i] as number) + this.pointsOf(grown, i);
      tables.push(this.shown(grown));
      if (round % 50 === 49) tell(round + 1, this.loss());
    }
    return { base, tables, gains: this.gains };
  }

  private cut(values: Float32Array, feature: number, count: number): void {
    const width = this.directions.length;
    const known: number[] = [];
    for (let i = 0; i < count; i++) {
      const value = values[i * width + feature] as number;
      if (!Number.isNaN(value)) known.push(value);
    }
    const sorted = Float64Array.from(known).sort();
    const edges: number[] = [];
    for (let part = 1; part < this.options.bins; part++) {
      const edge = Number(
        (sorted[Math.floor((sorted.length * part) / this.options.bins)] ?? Number.NaN).toPrecision(4),
      );
      if (edge > (edges.at(-1) ?? Number.NEGATIVE_INFINITY)) edges.push(edge);
    }
    this.edges.push(Float64Array.from(edges));
    const parts = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const value = values[i * width + feature] as number;
      parts[i] = Number.isNaN(value) ? edges.length + 1 : edges.filter((edge) => value >= edge).length;
    }
    this.parts.push(parts);
  }

  private start(): number {
    let leaking = 0;
    let all = 0;
    this.weights.forEach((weight, i) => {
      all += weight;
      leaking += weight * (this.leaks[i] as number);
    });
    const base = Math.log(leaking / (all - leaking));
    this.scores.fill(base);
    return base;
  }

  private differentiate(): void {
    for (let i = 0; i < this.scores.length; i++) {
      const probability = 1 / (1 + Math.exp(-(this.scores[i] as number)));
      const weight = this.weights[i] as number;
      this.gradients[i] = weight * ((this.leaks[i] as number) - probability);
      this.curvatures[i] = weight * probability * (1 - probability);
    }
  }

  private grow(from: number, to: number, depth: number): Grown {
    const split = this.bestSplit(from, to);
    if (split.feature < 0 || depth === 0) return { points: this.options.learningRate * split.value };
    this.gains[split.feature] = (this.gains[split.feature] as number) + split.gain;
    let middle = from;
    let count = 0;
    for (let k = from; k < to; k++) {
      const example = this.order[k] as number;
      if (this.isBelow(split, example)) this.order[middle++] = example;
      else this.spare[count++] = example;
    }
    this.order.set(this.spare.subarray(0, count), middle);
    return { split, below: this.grow(from, middle, depth - 1), notBelow: this.grow(middle, to, depth - 1) };
  }

  private bestSplit(from: number, to: number): Split {
    const { lambda, leastWeight } = this.options;
    let [sum, curve] = [0, 0];
    for (let k = from; k < to; k++) {
      sum += this.gradients[this.order[k] as number] as number;
      curve += this.curvatures[this.order[k] as number] as number;
    }
    const best: Split = { gain: 1e-3, feature: -1, bin: 0, absentIsBelow: false, value: sum / (curve + lambda) };
    if (curve < 2 * leastWeight) return best;
    for (let feature = 0; feature < this.directions.length; feature++) {
      if (this.asked[feature] === 1) this.tryFeature(feature, from, to, { sum, curve }, best);
    }
    return best;
  }

  private tryFeature(
    feature: number,
    from: number,
    to: number,
    all: { sum: number; curve: number },
    best: Split,
  ): void {
    const { lambda, leastWeight } = this.options;
    const edges = (this.edges[feature] as Float64Array).length;
    const parts = this.parts[feature] as Uint8Array;
    const direction = this.directions[feature] as number;
    const { sums, curves } = this;
    sums.fill(0, 0, edges + 2);
    curves.fill(0, 0, edges + 2);
    for (let k = from; k < to; k++) {
      const example = this.order[k] as number;
      const part = parts[example] as number;
      sums[part] = (sums[part] as number) + (this.gradients[example] as number);
      curves[part] = (curves[part] as number) + (this.curvatures[example] as number);
    }
    const [absentSum, absentCurve] = [sums[edges + 1] as number, curves[edges + 1] as number];
    const worth = (sum: number, curve: number) => (sum * sum) / (curve + lambda);
    const before = worth(all.sum, all.curve);
    let [low, lowCurve] = [0, 0];
    for (let bin = 0; bin <= edges; bin++) {
      low += sums[bin] as number;
      lowCurve += curves[bin] as number;
      const [high, highCurve] = [all.sum - absentSum - low, all.curve - absentCurve - lowCurve];
      const isEnd = bin === edges; // all that is known against what is absent
      const slope = isEnd ? 0 : high / (highCurve + lambda) - low / (lowCurve + lambda);
      if (direction * slope < 0) continue;
      for (const absentIsBelow of isEnd ? [false] : [false, true]) {
        const [a, ac] = absentIsBelow ? [low + absentSum, lowCurve + absentCurve] : [low, lowCurve];
        const [b, bc] = [all.sum - a, all.curve - ac];
        if (ac < leastWeight || bc < leastWeight) continue;
        const gain = worth(a, ac) + worth(b, bc) - before;
        if (gain > best.gain) Object.assign(best, { gain, feature, bin, absentIsBelow });
      }
    }
  }

  private isBelow({ feature, bin, absentIsBelow }: Split, example: number): boolean {
    const part = (this.parts[feature] as Uint8Array)[example] as number;
    return part === (this.edges[feature] as Float64Array).length + 1 ? absentIsBelow : part <= bin;
  }

  private pointsOf(grown: Grown, example: number): number {
    let node = grown;
    while ("split" in node) node = this.isBelow(node.split, example) ? node.below : node.notBelow;
    return node.points;
  }

  private shown(grown: Grown): CardTable {
    if (!("split" in grown)) return Number(grown.points.toPrecision(3));
    const { feature, bin, absentIsBelow } = grown.split;
    const edge = (this.edges[feature] as Float64Array)[bin] ?? 1e9;
    return [feature, edge, absentIsBelow ? 1 : 0, this.shown(grown.below), this.shown(grown.notBelow)];
  }

  private loss(): number {
    let [loss, all] = [0, 0];
    this.scores.forEach((score, i) => {
      const probability = 1 / (1 + Math.exp(-score));
      loss -= (this.weights[i] as number) * Math.log(this.leaks[i] === 1 ? probability : 1 - probability);
      all += this.weights[i] as number;
    });
    return loss / all;
  }
}

type Grown = { readonly points: number } | { readonly split: Split; readonly below: Grown; readonly notBelow: Grown };
