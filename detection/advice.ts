// May a scheduled restart come less often, or go? The numbers behind that answer. docs/restarts.md says how it is computed; test/advice/laws.test.ts
// holds it against simulated services.

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

export const advice = {
  /** At most this share of processes may reach the limit before the longest safe life is over. */
  risk: 0.01,
  /** Processes that must have exited, or run, before anything is said. */
  lives: 5,
  /**
   * How far the next process may lie from each that was seen: `width` spreads of the logarithm of growth, divided by the root of their number.
   * With 3, of lognormal growth with a spread of .5 at most 1.06 % reach the limit, measured with 8 to 64 lives of six hours; with 2 it is 1.5 %.
   */
  width: 3,
  /**
   * A spread that is believed before any was seen, and for how many lives it counts: paces of quiet and of busy days, three times apart, have .55.
   * Without it five processes may all be of quiet days: 4.4 % reach the limit where two days in seven grow three times as fast, with it none.
   */
  priorSpread: 0.6,
  priorLives: 4,
  /** Growth below this share of the mean counts as that: only fast growth shortens the answer, and slow growth would look like spread. */
  slowest: 0.3,
  /** The spread of levels counts as a share of the headroom, and that as no less than this share of the level. */
  leastHeadroom: 0.1,
  /** Paces that speed up are believed up to this one-sided confidence bound of the mean. */
  accelerationConfidence: 0.75,
  /**
   * No answer is longer than so many times the longest life seen, whatever the pace promises: two hours do not show whether growth increases
   * by the factor e in eight. With 16 instead of 4, 45 % of the processes of such a service reach the limit, by what 20 of them showed.
   */
  furthest: 4,
  /** A process that was killed for its memory had reached its limit, where its last sample was at this share of it. */
  atLimit: 0.9,
  /** A longer interval is worth a change from this multiple of the present one on. */
  lessOften: 1.5,
  /** Where the first of all processes would last so many intervals, a shorter answer means that they are too few, not that the restart is needed. */
  muchLonger: 3,
  /** The restart may go where growth, at this one-sided confidence bound of its mean, leaves the limit so far away, in seconds … */
  confidence: 0.95,
  ahead: 90 * day,
  /** … and the processes of the newest version ran over this time, which has every hour of a day. */
  span: day,
  /** Intervals that people put into a crontab, from the shortest: a step, in seconds, up to so many seconds. */
  steps: [
    { step: minute, below: hour },
    { step: 10 * minute, below: 2 * hour },
    { step: hour, below: 3 * day },
    { step: day, below: Number.POSITIVE_INFINITY },
  ],
} as const;

type Numbers<T> = T extends number ? number : { readonly [name in keyof T]: Numbers<T[name]> };

export type AdviceSettings = Numbers<typeof advice>;
