// What a check is: a question, and a function from observed facts to an answer in plain words.

/** `unknown` is neither good nor bad: it could not be found out. */
export type Status = "ok" | "warning" | "failure" | "unknown";

export interface Answer {
  readonly status: Status;
  /** What is the case, as one or two sentences. */
  readonly sentence: string;
  /** What to do about it. */
  readonly advice?: string;
  /** Names and numbers behind the sentence, for `--verbose` and `--json`. */
  readonly details?: readonly string[];
}

export interface Check<Facts> {
  /** Stable: programs may rely on it. */
  readonly id: string;
  /** For docs/doctor.md. */
  readonly question: string;
  /** Undefined where the question does not arise. */
  answer(facts: Facts): Answer | undefined;
}

export interface Section<Facts> {
  readonly title: string;
  readonly checks: readonly Check<Facts>[];
}

export interface Finding extends Answer {
  readonly id: string;
  readonly section: string;
}

/** The answers of all checks, in their order. */
export function examine<Facts>(sections: readonly Section<Facts>[], facts: Facts): Finding[] {
  return sections.flatMap(({ title, checks }) =>
    checks.flatMap(({ id, answer }) => {
      const found = answer(facts);
      return found === undefined ? [] : [{ id, section: title, ...found }];
    }),
  );
}

/** 0: all is fine; 1: something is worse than it could be; 2: it cannot work like this. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ status }) => status === "failure")) return 2;
  return findings.some(({ status }) => status === "warning") ? 1 : 0;
}

export const ok = (sentence: string, details?: readonly string[]): Answer => answer("ok", sentence, undefined, details);

export const unknown = (sentence: string, advice?: string): Answer => answer("unknown", sentence, advice);

export const warning = (sentence: string, advice?: string, details?: readonly string[]): Answer =>
  answer("warning", sentence, advice, details);

export const failure = (sentence: string, advice?: string, details?: readonly string[]): Answer =>
  answer("failure", sentence, advice, details);

function answer(status: Status, sentence: string, advice?: string, details?: readonly string[]): Answer {
  return {
    status,
    sentence,
    ...(advice === undefined ? {} : { advice }),
    ...(details === undefined || details.length === 0 ? {} : { details }),
  };
}
