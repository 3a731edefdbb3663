// Evaluates an expression at every time of a grid, with the semantics of a Prometheus server, for the part of the language
// that parse.ts reads. One difference: NaN is absence here, so a division by zero gives no element instead of a NaN.
// https://prometheus.io/docs/prometheus/latest/querying/operators/

import type {
  Aggregate,
  ArithmeticOp,
  Binary,
  ComparisonOp,
  Expr,
  Matcher,
  Matching,
  Selector,
  Subquery,
} from "./ast.ts";
import { PromqlError } from "./error.ts";
import { matches } from "./matcher.ts";
import {
  type Column,
  groupBy,
  type LabelSet,
  mergeSame,
  type Samples,
  signature,
  type Vector,
  withoutName,
} from "./series.ts";
import { regression, windowFunctions } from "./windows.ts";

/** Where an expression's series come from. */
export interface Source {
  /** The series of this name. `from` and `to` bound the times that will be looked at, in seconds. */
  series(name: string, from: number, to: number): readonly Samples[];
}

/** How far back an instant selector looks for a sample, in seconds: Prometheus' default. */
export const lookback = 300;

type Value = { scalar: Float64Array } | { vector: Vector };

/** The vector at each time of the grid, which ascends; a scalar becomes an element without labels. */
export function evaluate(expr: Expr, source: Source, times: Float64Array): Vector {
  const value = new Evaluation(source, times).value(expr);
  return "vector" in value ? value.vector : [{ labels: {}, values: value.scalar }];
}

class Evaluation {
  private readonly source: Source;
  private readonly times: Float64Array;

  constructor(source: Source, times: Float64Array) {
    this.source = source;
    this.times = times;
  }

  value(expr: Expr): Value {
    switch (expr.kind) {
      case "number":
        return { scalar: new Float64Array(this.times.length).fill(expr.value) };
      case "text":
        throw new PromqlError(`expected a value, got the text "${expr.value}"`);
      case "selector":
        return { vector: this.instant(expr) };
      case "negate":
        return this.mapped(expr.of, (x) => -x);
      case "call":
        return this.call(expr.name, expr.args);
      case "binary":
        return this.binary(expr);
      case "aggregate":
        return { vector: this.aggregate(expr) };
      case "subquery":
        throw new PromqlError("a subquery is only possible inside a function over time");
    }
  }

  private vector(expr: Expr): Vector {
    const value = this.value(expr);
    if ("scalar" in value) throw new PromqlError("expected a vector, got a number");
    return value.vector;
  }

  private scalar(expr: Expr): Float64Array {
    const value = this.value(expr);
    if ("vector" in value) throw new PromqlError("expected a number, got a vector");
    return value.scalar;
  }

  /** The last sample of each series, if it is neither older than the lookback nor stale. */
  private instant({ name, matchers, offset, range }: Selector): Vector {
    if (range !== undefined) throw new PromqlError("a range is only possible inside a function over time");
    const shifted = this.shifted(offset);
    return this.selected(name, matchers, shifted, lookback).map(({ labels, times, values, holds }) => {
      const column = new Float64Array(shifted.length);
      let last = -1;
      for (let i = 0; i < shifted.length; i++) {
        const t = shifted[i] as number;
        while (last + 1 < times.length && (times[last + 1] as number) <= t) last++;
        const isRecent = last >= 0 && (holds === true || (times[last] as number) > t - lookback);
        column[i] = isRecent ? (values[last] as number) : Number.NaN;
      }
      return { labels, values: column };
    });
  }

  private selected(name: string, matchers: readonly Matcher[], times: Float64Array, range: number): readonly Samples[] {
    if (times.length === 0) return [];
    const from = (times[0] as number) - range;
    const found = this.source.series(name, from, times[times.length - 1] as number);
    return matchers.length === 0 ? found : found.filter(({ labels }) => matchers.every((m) => matches(m, labels)));
  }

  private shifted(offset: number): Float64Array {
    return offset === 0 ? this.times : this.times.map((t) => t - offset);
  }

  private call(name: string, args: readonly Expr[]): Value {
    const [first, ...rest] = args;
    if (name === "time") return { scalar: this.times };
    if (first === undefined) throw new PromqlError(`${name} needs an argument`);
    if (Object.hasOwn(windowFunctions, name)) return { vector: this.overTime(name, first) };
    switch (name) {
      case "clamp_min":
        return this.clamped(first, rest, (x, low) => Math.max(x, low));
      case "clamp_max":
        return this.clamped(first, rest, (x, high) => Math.min(x, high));
      case "abs":
        return this.mapped(first, Math.abs);
      case "floor":
        return this.mapped(first, Math.floor);
      case "ceil":
        return this.mapped(first, Math.ceil);
      case "round":
        return this.mapped(first, (x) => Math.floor(x + 0.5));
      case "sqrt":
        return this.mapped(first, Math.sqrt);
      case "sgn":
        return this.mapped(first, Math.sign);
      case "predict_linear":
        return { vector: this.predicted(first, rest) };
      case "label_replace":
        return { vector: this.labelReplaced(first, rest) };
      case "vector":
        return { vector: [{ labels: {}, values: this.scalar(first) }] };
      default:
        throw new PromqlError(`the function ${name} is not known here`);
    }
  }

  private overTime(name: string, over: Expr): Vector {
    const compute = windowFunctions[name] as (typeof windowFunctions)[string];
    const [samples, times, range] = this.range(name, over);
    // last_over_time keeps the name, as in Prometheus; the others give another metric
    const labelsOf = name === "last_over_time" ? (labels: LabelSet) => labels : withoutName;
    return samples.map((one) => ({ labels: labelsOf(one.labels), values: compute(one, times, range) }));
  }

  private predicted(over: Expr, [ahead]: readonly Expr[]): Vector {
    if (ahead?.kind !== "number") throw new PromqlError("predict_linear needs a number of seconds");
    const [samples, times, range] = this.range("predict_linear", over);
    return samples.map((one) => ({
      labels: withoutName(one.labels),
      values: regression(one, times, range, ahead.value),
    }));
  }

  private range(name: string, over: Expr): [samples: readonly Samples[], times: Float64Array, range: number] {
    if (over.kind === "subquery") return [this.subquery(over), this.shifted(over.offset), over.range];
    if (over.kind !== "selector" || over.range === undefined) throw new PromqlError(`${name} needs a range vector`);
    const times = this.shifted(over.offset);
    return [this.selected(over.name, over.matchers, times, over.range), times, over.range];
  }

  /** The inner expression at every multiple of the step within reach, as Prometheus aligns it. */
  private subquery({ of, range, step, offset }: Subquery): readonly Samples[] {
    const first = (this.times[0] ?? 0) - offset - range;
    const last = (this.times[this.times.length - 1] ?? 0) - offset;
    const from = Math.floor(first / step) + 1;
    const grid = Float64Array.from(
      { length: Math.max(0, Math.floor(last / step) - from + 1) },
      (_, i) => (from + i) * step,
    );
    return new Evaluation(this.source, grid).vector(of).map(({ labels, values }) => ({ labels, times: grid, values }));
  }

  private mapped(of: Expr, map: (x: number) => number): Value {
    const value = this.value(of);
    if ("scalar" in value) return { scalar: value.scalar.map(map) };
    return {
      vector: value.vector.map(({ labels, values }) => ({ labels: withoutName(labels), values: values.map(map) })),
    };
  }

  private clamped(of: Expr, [bound]: readonly Expr[], clamp: (x: number, bound: number) => number): Value {
    if (bound === undefined) throw new PromqlError("clamp_min and clamp_max need a bound");
    const bounds = this.scalar(bound);
    return {
      vector: this.vector(of).map(({ labels, values }) => ({
        labels: withoutName(labels),
        values: values.map((x, i) => (Number.isNaN(x) ? x : clamp(x, bounds[i] as number))),
      })),
    };
  }

  private labelReplaced(of: Expr, args: readonly Expr[]): Vector {
    const [target, replacement, source, pattern] = args.map((arg) => (arg.kind === "text" ? arg.value : undefined));
    if (target === undefined || replacement === undefined || source === undefined || pattern === undefined) {
      throw new PromqlError("label_replace needs four texts");
    }
    const regex = new RegExp(`^(?:${pattern})$`, "s");
    const result = this.vector(of).map(({ labels, values }) => {
      const match = regex.exec(labels[source] ?? "");
      if (match === null) return { labels, values };
      const text = replacement.replace(/\$(\d+)/g, (_, group: string) => match[Number(group)] ?? "");
      const { [target]: _, ...others } = labels;
      return { labels: text === "" ? others : { ...others, [target]: text }, values }; // an empty label is none
    });
    return mergeSame(result, this.times);
  }

  private binary(expr: Binary): Value {
    if (expr.op === "and" || expr.op === "or" || expr.op === "unless") return { vector: this.setOperation(expr) };
    const [left, right] = [this.value(expr.left), this.value(expr.right)];
    const isComparison = Object.hasOwn(comparisons, expr.op);
    if ("scalar" in left && "scalar" in right) {
      const operate = isComparison
        ? zeroOrOne(comparisons[expr.op as ComparisonOp])
        : arithmetic[expr.op as ArithmeticOp];
      return { scalar: left.scalar.map((x, i) => operate(x, right.scalar[i] as number)) };
    }
    const operate = operation(expr);
    const labelsOf = isComparison && !expr.bool ? (labels: LabelSet) => labels : withoutName;
    if ("scalar" in right) {
      return {
        vector: (left as { vector: Vector }).vector.map((column) => zip(column, right.scalar, operate, labelsOf)),
      };
    }
    if ("scalar" in left) {
      // a comparison keeps the value of the vector, on whichever side it stands
      const kept =
        isComparison && !expr.bool
          ? (x: number, y: number) => (Number.isNaN(operate(y, x)) ? Number.NaN : x)
          : (x: number, y: number) => operate(y, x);
      return { vector: right.vector.map((column) => zip(column, left.scalar, kept, labelsOf)) };
    }
    return { vector: this.matched(left.vector, right.vector, expr, operate, labelsOf) };
  }

  /** Each element of the many side with its one partner of the other side. */
  private matched(
    left: Vector,
    right: Vector,
    { matching }: Binary,
    operate: (x: number, y: number) => number,
    labelsOf: (labels: LabelSet) => LabelSet,
  ): Vector {
    const keep = keepLabels(matching);
    const swapped = matching?.many === "right";
    const [many, one] = swapped ? [right, left] : [left, right];
    const partners = groupBy(one, ({ labels }) => signature(labels, keep));
    const results = many.flatMap((column) => {
      const matches = partners.get(signature(column.labels, keep));
      if (matches === undefined) return [];
      const partner = onlyOneAtATime(matches, this.times);
      const values = new Float64Array(this.times.length);
      for (let i = 0; i < values.length; i++) {
        const [x, y] = [column.values[i] as number, partner.values[i] as number];
        values[i] = swapped ? operate(y, x) : operate(x, y);
      }
      return [{ labels: resultLabels(labelsOf(column.labels), partner.labels, matching, keep), values }];
    });
    return mergeSame(results, this.times);
  }

  private setOperation({ op, left, right, matching }: Binary): Vector {
    const keep = keepLabels(matching);
    const [a, b] = [this.vector(left), this.vector(right)];
    const presence = (vector: Vector) => {
      const present = new Map<string, Uint8Array>();
      for (const { labels, values } of vector) {
        const key = signature(labels, keep);
        const marks = present.get(key) ?? new Uint8Array(values.length);
        for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i] as number)) marks[i] = 1;
        present.set(key, marks);
      }
      return present;
    };
    const masked = (vector: Vector, marks: Map<string, Uint8Array>, wanted: 0 | 1) =>
      vector.map(({ labels, values }) => {
        const present = marks.get(signature(labels, keep));
        return { labels, values: values.map((x, i) => ((present?.[i] ?? 0) === wanted ? x : Number.NaN)) };
      });
    if (op === "and") return masked(a, presence(b), 1);
    if (op === "unless") return masked(a, presence(b), 0);
    return mergeSame([...a, ...masked(b, presence(a), 0)], this.times, true);
  }

  private aggregate({ op, mode, labels: names, of }: Aggregate): Vector {
    const keep = (label: string) => names.includes(label) === (mode === "by");
    const groups = groupBy(this.vector(of), ({ labels }) => signature(labels, keep));
    return [...groups.values()].map((columns) => {
      const values = new Float64Array(this.times.length);
      for (let i = 0; i < values.length; i++) values[i] = aggregateAt(op, columns, i);
      const labels = Object.entries((columns[0] as Column).labels).filter(
        ([label]) => label !== "__name__" && keep(label),
      );
      return { labels: Object.fromEntries(labels), values };
    });
  }
}

const arithmetic: Record<ArithmeticOp, (x: number, y: number) => number> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / y,
  "%": (x, y) => x % y,
  "^": (x, y) => x ** y,
};

const comparisons: Record<ComparisonOp, (x: number, y: number) => boolean> = {
  "==": (x, y) => x === y,
  "!=": (x, y) => x !== y,
  ">": (x, y) => x > y,
  "<": (x, y) => x < y,
  ">=": (x, y) => x >= y,
  "<=": (x, y) => x <= y,
};

function operation({ op, bool }: Binary): (x: number, y: number) => number {
  if (!Object.hasOwn(comparisons, op)) return arithmetic[op as ArithmeticOp];
  const compare = comparisons[op as ComparisonOp];
  if (bool) {
    return (x, y) => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Number(compare(x, y)));
  }
  return (x, y) => (Number.isNaN(y) || !compare(x, y) ? Number.NaN : x);
}

const zeroOrOne = (compare: (x: number, y: number) => boolean) => (x: number, y: number) => Number(compare(x, y));

function zip(
  { labels, values }: Column,
  other: Float64Array,
  operate: (x: number, y: number) => number,
  labelsOf: (labels: LabelSet) => LabelSet,
): Column {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = operate(values[i] as number, other[i] as number);
  return { labels: labelsOf(labels), values: result };
}

function keepLabels(matching: Matching | undefined): ((label: string) => boolean) | undefined {
  if (matching === undefined) return undefined;
  return (label) => matching.labels.includes(label) === (matching.mode === "on");
}

/** The many side's labels and those it takes over; without grouping only the labels that were matched on. */
function resultLabels(
  labels: LabelSet,
  partner: LabelSet,
  matching: Matching | undefined,
  keep: ((label: string) => boolean) | undefined,
): LabelSet {
  if (matching === undefined || keep === undefined) return labels;
  if (matching.many === undefined) return Object.fromEntries(Object.entries(labels).filter(([label]) => keep(label)));
  const taken = matching.include.map((label) => [label, partner[label] ?? ""] as const);
  const result = Object.fromEntries([...Object.entries(labels), ...taken]);
  return Object.fromEntries(Object.entries(result).filter(([, value]) => value !== ""));
}

/** Several series with the same labels are one if they take turns, and an error if they do not: as in Prometheus. */
function onlyOneAtATime(columns: readonly Column[], times: Float64Array): Column {
  return columns.length === 1
    ? (columns[0] as Column)
    : (mergeSame(
        columns.map((c) => ({ ...c, labels: {} })),
        times,
      )[0] as Column);
}

function aggregateAt(op: Aggregate["op"], columns: readonly Column[], i: number): number {
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { values } of columns) {
    const x = values[i] as number;
    if (Number.isNaN(x)) continue;
    count++;
    sum += x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (count === 0) return Number.NaN;
  return { sum, count, min, max, avg: sum / count, group: 1 }[op];
}
