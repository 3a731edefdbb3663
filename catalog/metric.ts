// What a series declaration looks like. `metrics.ts` holds the declarations themselves.

/** A base unit of the Prometheus naming rules: the last word of the series' name. */
export type Unit = "bytes" | "seconds" | "ratio" | "bytes_per_second";

/** `info` is a gauge whose value is always 1 and whose labels carry the text. */
export type MetricType = "gauge" | "counter" | "info";

/** One declared series family. */
export interface Metric<Label extends string = string> {
  readonly name: string;
  readonly type: MetricType;
  /** One sentence for people; it becomes the HELP line. */
  readonly help: string;
  /** Undefined for plain counts, which have no unit. */
  readonly unit: Unit | undefined;
  /** Label names, in the order in which they are written. */
  readonly labels: readonly Label[];
}

/** Exactly the labels of a metric, each with a text: one too many or too few does not compile. */
export type Labels<M extends Metric> = Readonly<Record<M["labels"][number], string>>;

type Named<U extends Unit | undefined> = U extends Unit ? `leakwatch_${string}_${U}` : `leakwatch_${string}`;
type NamedCounter<U extends Unit | undefined> = U extends Unit
  ? `leakwatch_${string}_${U}_total`
  : `leakwatch_${string}_total`;

/** Declares a value that can rise and fall. The name must end in the unit, if there is one. */
export function gauge<const L extends string = never, const U extends Unit | undefined = undefined>(
  name: Named<NoInfer<U>>,
  help: string,
  options: { unit?: U; labels?: readonly L[] } = {},
): Metric<L> {
  return { name, type: "gauge", help, unit: options.unit, labels: options.labels ?? [] };
}

/** Declares a value that only rises until a restart. The name must end in `_total`. */
export function counter<const L extends string = never, const U extends Unit | undefined = undefined>(
  name: NamedCounter<NoInfer<U>>,
  help: string,
  options: { unit?: U; labels?: readonly L[] } = {},
): Metric<L> {
  return { name, type: "counter", help, unit: options.unit, labels: options.labels ?? [] };
}

/** Declares a series whose labels carry text and whose value is 1. */
export function info<const L extends string>(
  name: `leakwatch_${string}_info`,
  help: string,
  options: { labels: readonly L[] },
): Metric<L> {
  return { name, type: "info", help, unit: undefined, labels: options.labels };
}
