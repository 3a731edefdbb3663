// Series and vectors over a grid of times: the values that expressions have. One array per series and a loop per operator
// make a week of minutes as cheap as a few.

import { PromqlError } from "./error.ts";

export type LabelSet = Readonly<Record<string, string>>;

/** Samples of one series, oldest first. A value of NaN ends the series until the next sample: it went stale. */
export interface Samples {
  readonly labels: LabelSet;
  /** Seconds. */
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** A value holds until the next one, however long that takes: for what is known without being sampled. */
  readonly holds?: boolean;
}

/** One element of a vector at every time of a grid; NaN where the vector has no such element. */
export interface Column {
  readonly labels: LabelSet;
  readonly values: Float64Array;
}

export type Vector = readonly Column[];

/** Both are asked for the same few label sets over and over. */
const signatures = new WeakMap<LabelSet, string>();
const nameless = new WeakMap<LabelSet, LabelSet>();

/** Labels as one text, for comparing and for keys of maps; the name is left out. */
export function signature(labels: LabelSet, keep?: (label: string) => boolean): string {
  if (keep !== undefined) return textOf(labels, keep);
  const known = signatures.get(labels);
  if (known !== undefined) return known;
  const text = textOf(labels, () => true);
  signatures.set(labels, text);
  return text;
}

function textOf(labels: LabelSet, keep: (label: string) => boolean): string {
  let text = "";
  for (const label of Object.keys(labels).sort()) {
    if (label !== "__name__" && keep(label)) text += `${label}\u0001${labels[label]}\u0002`;
  }
  return text;
}

export function withoutName(labels: LabelSet): LabelSet {
  if (labels["__name__"] === undefined) return labels;
  const known = nameless.get(labels);
  if (known !== undefined) return known;
  const { __name__: _, ...rest } = labels;
  nameless.set(labels, rest);
  return rest;
}

/**
 * Columns with the same labels as one, if they take turns; an error if they do not, as in Prometheus. With `leftWins` the
 * first one counts where several have a value.
 */
export function mergeSame(columns: readonly Column[], times: Float64Array, leftWins = false): Vector {
  const groups = groupBy(columns, ({ labels }) => `${labels["__name__"] ?? ""}\u0002${signature(labels)}`);
  if (groups.size === columns.length) return columns;
  return [...groups.values()].map((same) => {
    const [first, ...others] = same as [Column, ...Column[]];
    if (others.length === 0) return first;
    const values = first.values.slice();
    for (const other of others) {
      for (let i = 0; i < values.length; i++) {
        if (Number.isNaN(other.values[i] as number)) continue;
        if (Number.isNaN(values[i] as number)) values[i] = other.values[i] as number;
        else if (!leftWins) {
          throw new PromqlError(`several elements have the labels ${JSON.stringify(first.labels)} at ${times[i]}`);
        }
      }
    }
    return { labels: first.labels, values };
  });
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
