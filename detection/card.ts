// The card of points, as a form: an additive model with one table for each number. points.ts has the tables.

/** Points by where a number lies: below the first edge, between two, at the last or above; and where the window does not fit yet. */
export interface CardTable {
  /** `27h.noise`, or `level`: how much of the limit is used. */
  readonly feature: string;
  readonly edges: readonly number[];
  /** One more than edges. */
  readonly points: readonly number[];
  readonly absent: number;
}

export interface Card {
  readonly base: number;
  /** So many points are a leak. */
  readonly threshold: number;
  readonly tables: readonly CardTable[];
}
