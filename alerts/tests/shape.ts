// Shapes of series, in the notation of promtool, one sample a minute.
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series

export const MiB = 1024 ** 2;
export const GiB = 1024 * MiB;

/** Times are in minutes. */
export const hour = 60;
export const day = 24 * hour;

/** A piece of a series: its first value and what each minute adds; no samples where the first is undefined. */
export interface Stretch {
  readonly minutes: number;
  readonly from: number | undefined;
  readonly step: number;
}

export const level = (value: number, minutes: number): Stretch => ({ minutes, from: value, step: 0 });

/** Straight from one value towards another, which the next stretch would begin with. */
export const line = (from: number, to: number, minutes: number): Stretch => ({
  minutes,
  from,
  step: (to - from) / minutes,
});

/** No samples: missed scrapes, or nothing there to be scraped. */
export const gap = (minutes: number): Stretch => ({ minutes, from: undefined, step: 0 });

/** What was scraped before is gone: Prometheus marks its series at the next scrape, and shows them no longer. */
export const gone: Stretch = { minutes: 1, from: Number.NaN, step: 0 };

export const notation = (stretches: readonly Stretch[]) =>
  stretches
    .filter(({ minutes }) => minutes > 0)
    .map(notationOf)
    .join(" ");

function notationOf({ minutes, from, step }: Stretch): string {
  if (from === undefined) return `_x${minutes}`;
  if (Number.isNaN(from)) return "stale";
  if (step === 0) return `${from}x${minutes - 1}`;
  return `${from}${step < 0 ? "-" : "+"}${Math.abs(step)}x${minutes - 1}`;
}
