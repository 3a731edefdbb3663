// The verdict words and the numbers that stand for them in series, from harmless to grave: the worst of several is the
// greatest.

export const verdicts = [
  { code: 0, word: "insufficient_data", meaning: "Too young, or seen for too short a time, to say anything." },
  { code: 1, word: "stable", meaning: "The floor is level." },
  {
    code: 2,
    word: "spiky",
    meaning: "Level below, with peaks of more than half as much again: batch work, not a leak.",
  },
  { code: 3, word: "high_stable", meaning: "Level, and near the limit: a matter of capacity, not a leak." },
  { code: 4, word: "warming_up", meaning: "Young and growing: caches, pools and heaps fill." },
  {
    code: 5,
    word: "bounded_growth",
    meaning: "Growing, but not as a leak does: unevenly, slowing, or below an earlier high.",
  },
  { code: 6, word: "leaking", meaning: "Grows in every stretch of a window that is long enough for the time left." },
  { code: 7, word: "masked_leak", meaning: "Most lives end while they still grow: restarts hide a leak." },
  { code: 8, word: "restart_loop", meaning: "Restarts over and over, so that nothing else can be judged." },
] as const;

export type Verdict = (typeof verdicts)[number]["word"];

/** Number of a word. */
export const verdictCode = Object.fromEntries(verdicts.map(({ word, code }) => [word, code])) as Readonly<
  Record<Verdict, number>
>;
