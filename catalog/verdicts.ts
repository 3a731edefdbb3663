// The verdict words and the numbers that stand for them in series, from harmless to grave: the worst of several is the greatest.

export const verdicts = [
  { code: 0, word: "collecting", meaning: "Observed for too short a time to judge." },
  { code: 1, word: "stable", meaning: "Memory is flat." },
  {
    code: 2,
    word: "spiky",
    meaning: "Flat, with peaks of more than half as much again: batch work, not a leak.",
  },
  { code: 3, word: "high_stable", meaning: "Flat and near the limit: a capacity problem, not a leak." },
  { code: 4, word: "warming_up", meaning: "Young and growing, but slowing down: caches, pools and heaps fill." },
  {
    code: 5,
    word: "bounded_growth",
    meaning: "Growing, but not as a leak does: slowing down, or below an earlier high.",
  },
  { code: 6, word: "growing", meaning: "Growing notably, and too young or too uneven to judge." },
  { code: 7, word: "leaking", meaning: "Grows as leaks do: steadily, without slowing down, and to new highs." },
  { code: 8, word: "masked_leak", meaning: "Its processes still grow when they exit: restarts mask a leak." },
  { code: 9, word: "restart_loop", meaning: "Restarts repeatedly, so that nothing else can be judged." },
] as const;

export type Verdict = (typeof verdicts)[number]["word"];

/** Number of a word. */
export const verdictCode = Object.fromEntries(verdicts.map(({ word, code }) => [word, code])) as Readonly<
  Record<Verdict, number>
>;

/** How urgent a leak is, by its number: from the time that is left, and whether the evidence allows so short a time. */
export const leakSeverities = ["none", "low", "medium", "high", "critical"] as const;

/** 0 (none) to 4 (critical). */
export type LeakSeverity = 0 | 1 | 2 | 3 | 4;

/** Confidence, from 0 to 1, that what is called a leak has at least. */
export const leastConfidence = 0.5;
