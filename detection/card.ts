// The card of points: for growth over hours and days many small tables give points, each from at most four numbers of the windows'
// shapes. points.ts has the tables; scripts/fit-card.ts makes them.

/** A table as questions: is this number below the edge? `[feature, edge, absentIsBelow, below, notBelow]`; a number is points. */
export type CardTable =
  | number
  | readonly [feature: number, edge: number, absentIsBelow: 0 | 1, below: CardTable, notBelow: CardTable];

export interface Card {
  /** The numbers that tables ask for: `27h.noise` is the noise of the window of 27 hours, `level` how much of the limit is used. */
  readonly features: readonly string[];
  readonly base: number;
  /** So many points are a leak. */
  readonly threshold: number;
  readonly tables: readonly CardTable[];
}
