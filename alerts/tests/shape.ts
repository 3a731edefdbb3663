// Shapes of series, in the notation of promtool, one sample a minute.
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series

export const MiB = 1024 ** 2;
export const GiB = 1024 * MiB;

/** Times are in minutes. */
export const minute = 1;
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
  stretches.map(({ minutes, from }) => (from === undefined ? gap(minutes) : level(value, minutes)));

/** Minute by minute; undefined where there is no sample. */
export const valuesOf = (stretches: readonly Stretch[]): (number | undefined)[] =>
  stretches.flatMap(({ minutes, from, step }) =>
    Array.from({ length: minutes }, (_, i) => (from === undefined ? undefined : from + step * i)),
  );

/** The other way round, in as few pieces as can be: bytes are told to half a one. */
export function stretchesOf(values: readonly (number | undefined)[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (let begin = 0; begin < values.length; ) {
    const [from, next] = [values[begin], values[begin + 1]];
    const step = from === undefined || next === undefined ? 0 : next - from;
    let end = begin + 1;
    while (end < values.length && isOn(values[end], from, step * (end - begin))) end++;
    stretches.push({ minutes: end - begin, from, step: end - begin > 1 ? step : 0 });
    begin = end;
  }
  return stretches;
}

const isOn = (value: number | undefined, from: number | undefined, gained: number) =>
  value === undefined || from === undefined ? value === from : Math.abs(value - from - gained) < 0.5;

export const notation = (stretches: readonly Stretch[]) =>
  stretches
    .filter(({ minutes }) => minutes > 0)
    .map(notationOf)
    .join(" ");

function notationOf({ minutes, from, step }: Stretch): string {
  if (from === undefined) return `_x${minutes}`;
  if (step === 0) return `${from}x${minutes - 1}`;
  return `${from}${step < 0 ? "-" : "+"}${Math.abs(step)}x${minutes - 1}`;
}
