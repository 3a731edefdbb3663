// Labels of series, as servers give them.

export type LabelSet = Readonly<Record<string, string>>;

/** Labels as one text, for comparing and for keys of maps; the name is left out. */
export function signature(labels: LabelSet): string {
  let text = "";
  for (const label of Object.keys(labels).sort()) {
    if (label !== "__name__") text += `${label}\u0001${labels[label]}\u0002`;
  }
  return text;
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
