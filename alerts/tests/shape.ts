// Shapes of series, in the notation of promtool, one sample a minute.
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series

export const MiB = 1024 ** 2;
export const GiB = 1024 * MiB;

/** Times are in minutes. */
export const minute = 1;
export const hour = 60;
export const day = 24 * hour;

/** A piece of a series. `text` is undefined where there are no samples. */
export interface Stretch {
  readonly minutes: number;
  readonly text: string | undefined;
}

export const level = (value: number, minutes: number): Stretch => ({ minutes, text: `${value}x${minutes - 1}` });

/** Straight from one value towards another, which the next stretch would begin with. */
export function line(from: number, to: number, minutes: number): Stretch {
  const step = (to - from) / minutes;
  return { minutes, text: `${from}${step < 0 ? "-" : "+"}${Math.abs(step)}x${minutes - 1}` };
}

/** No samples: missed scrapes, or nothing there to be scraped. */
export const gap = (minutes: number): Stretch => ({ minutes, text: undefined });

/** From one value towards a ceiling: in each half time half of what is left, as straight pieces of five minutes. */
export function bend(from: number, ceiling: number, halfTime: number, minutes: number): Stretch[] {
  const at = (time: number) => Math.round(ceiling - (ceiling - from) / 2 ** (time / halfTime));
  return times(minutes / 5, (i) => [line(at(5 * i), at(5 * i + 5), 5)]);
}

/** A wave of a day: down in its first half, up in its second. */
export const dailyWave = (low: number, high: number, days: number): Stretch[] =>
  times(days, () => [line(high, low, day / 2), line(low, high, day / 2)]);

/** Teeth of garbage collection, `height` above a floor. */
export const teeth = (floor: (tooth: number) => number, height: number, each: number, count: number): Stretch[] =>
  times(count, (i) => [line(floor(i), floor(i) + height, each)]);

export const times = (count: number, stretches: (i: number) => readonly Stretch[]): Stretch[] =>
  Array.from({ length: count }, (_, i) => stretches(i)).flat();

export const lengthOf = (stretches: readonly Stretch[]) => stretches.reduce((sum, { minutes }) => sum + minutes, 0);

/** The same stretches with another value, and the same gaps: what else was scraped at those times. */
export const alongside = (stretches: readonly Stretch[], value: number): Stretch[] =>
  stretches.map(({ minutes, text }) => (text === undefined ? gap(minutes) : level(value, minutes)));

export const notation = (stretches: readonly Stretch[]) =>
  stretches.map(({ minutes, text }) => text ?? `_x${minutes}`).join(" ");
