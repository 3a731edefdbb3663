// Series and vectors over a grid of times: the values that expressions have. One array per series and a loop per operator
// make a week of minutes as cheap as a few.

export type LabelSet = Readonly<Record<string, string>>;

/** Samples of one series, oldest first. A value of NaN ends the series until the next sample: it went stale. */
export interface Samples {
  readonly labels: LabelSet;
  /** Seconds. */
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** One element of a vector at every time of a grid; NaN where the vector has no such element. */
export interface Column {
  readonly labels: LabelSet;
  readonly values: Float64Array;
}

export type Vector = readonly Column[];

/** Labels as one text, for comparing and for keys of maps; the name is left out. */
export function signature(labels: LabelSet, keep: (label: string) => boolean = () => true): string {
  let text = "";
  for (const label of Object.keys(labels).sort()) {
    if (label !== "__name__" && keep(label)) text += `${label}\u0001${labels[label]}\u0002`;
  }
  return text;
}

export function withoutName(labels: LabelSet): LabelSet {
  if (labels["__name__"] === undefined) return labels;
  const { __name__: _, ...rest } = labels;
  return rest;
}
