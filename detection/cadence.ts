// A restart that a clock orders: the last starts keep a beat.

export const cadence = {
  /** So many equal intervals between starts … */
  intervals: 3,
  /** … that differ by no more than this share of their median … */
  tolerance: 0.02,
  /** … or this many seconds, and are at least this long, in seconds: shorter ones are a crash loop. */
  toleranceSeconds: 2,
  minimumSeconds: 60,
} as const;

export type Cadence = { readonly [name in keyof typeof cadence]: number };
