// What a pipeline reads of a run.

import type { Word } from "./answer.ts";
import type { Outcome } from "./observe.ts";

/**
 * 1 and 2 are failures and wrong options, and Node.js itself exits with up to 14 where it breaks (a wrong NODE_OPTIONS is 9, an internal error
 * 10): none of these may pass for a finding.
 */
export const exitCodes = { no_leak_seen: 0, leaking: 20, suspicious: 21, no_verdict: 22 } as const satisfies Record<
  Word,
  number
>;

export type ExitCode = (typeof exitCodes)[Word];

/** Of the gravest process. One that could not be judged says nothing where others could. */
export const wordOf = ({ processes }: Pick<Outcome, "processes">): Word => processes[0]?.answer.word ?? "no_verdict";

export const exitCodeOf = (outcome: Outcome): ExitCode => exitCodes[wordOf(outcome)];

/** As people read it. */
export const wordText = (word: Word): string => word.replaceAll("_", " ");
