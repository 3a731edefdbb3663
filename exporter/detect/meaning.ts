// Why a process is called what it is called, in a few sentences: for the report, for JUnit's, and for the annotation.

import { humanBytes, humanDuration } from "../text/human.ts";
import { listed } from "../text/words.ts";
import type { Kind } from "./answer.ts";
import { isCount, roomOf } from "./figures.ts";
import type { Outcome, ProcessOutcome } from "./observe.ts";

export function meaningOf(target: ProcessOutcome, outcome: Outcome): string {
  const { answer, loads } = target;
  if (answer.word === "no_verdict") return whyNoVerdict(outcome);
  if (loads !== undefined) return meaningOfLoads(target);
  const { endedEarly } = outcome;
  const sentences = [
    answer.word === "no_leak_seen"
      ? levelMeaning(target, outcome)
      : `${riseMeaning(target)}${reachMeaning(target, outcome)}.`,
    answer.word === "no_leak_seen" || endedEarly !== undefined ? "" : doubtOf(target),
    endedEarly === undefined ? "" : `Then the run was cut short: ${endedEarly}.`,
  ];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

function riseMeaning({ answer: { kind, rises } }: ProcessOutcome): string {
  const [first, second] = rises.map(({ steps }) => stepsOf(kind, steps));
  if (!rises.every(({ isSteady }) => isSteady))
    return `${subjects[kind]} rose, but not in each quarter of the run (${[first, second].filter(Boolean).join("; then ")})`;
  const again = second === undefined ? "" : `, and again in as much time after it (${second})`;
  return `${subjects[kind]} rose in each quarter of the run (${first})${again}`;
}

function reachMeaning(target: ProcessOutcome, { endedEarly }: Outcome): string {
  const room = roomOf(target);
  if (room === undefined || endedEarly !== undefined) return "";
  const limit = `${room.isHeap ? "the heap's maximum of " : ""}${humanBytes(room.limit)}`;
  return ` and would reach ${limit} in ${humanDuration(room.seconds)}`;
}

function levelMeaning({ answer: { kind, rises } }: ProcessOutcome, { lookedOn }: Outcome): string {
  const last = rises.at(-1);
  const steps = last === undefined ? "" : ` (${stepsOf(kind, last.steps)})`;
  const time = lookedOn ? "the run, nor of as much time after it" : "the run";
  return `${subjects[kind]} did not rise in each quarter of ${time}${steps}.`;
}

const subjects: Record<Kind, string> = {
  live: "Memory in use, without garbage,",
  outside: "Memory beside a level heap",
  memory: "Memory",
  descriptors: "The number of open descriptors",
  threads: "The number of threads",
};

/** With its sign. */
export const amount = (kind: Kind, value: number) =>
  isCount(kind) ? `${value >= 0 ? "+" : "−"}${Math.abs(value)}` : `${value > 0 ? "+" : ""}${humanBytes(value)}`;

const stepsOf = (kind: Kind, steps: readonly number[]) => steps.map((step) => amount(kind, step)).join(", ");

function doubtOf({ observed, answer }: ProcessOutcome): string {
  if (isCount(answer.kind)) return "";
  if (answer.word === "suspicious" && observed.runtime !== "none" && observed.runtime !== "collected") {
    const why = observed.unavailable ?? "it was not asked to collect it";
    return `That may be garbage, of which its runtime says nothing: ${why}.`;
  }
  return "A cache or heap that is still filling looks the same: run again for longer than it needs to fill.";
}

function meaningOfLoads({ observed, answer, loads }: ProcessOutcome): string {
  const { kind, word } = answer;
  const gains = loads?.gains ?? [];
  const each = gains.map((gain, i) => `${amount(kind, gain)} by load ${i + 2}`);
  const text = `${subjects[kind]} after each load and a pause changed by ${listed(each)}.`;
  if (word === "no_leak_seen") return `${text} A leak would have grown with each load.`;
  if (word === "leaking")
    return `${text} The first load fills caches and warms up; what grows with each further load is a leak, or a cache that holds more than ${gains.length + 1} loads.`;
  const why = observed.runtime === "silent" || observed.runtime === "passive" ? "may be garbage" : "slows down";
  return `${text} That is more than warming up, but ${why}.`;
}

function whyNoVerdict({ endedEarly, planned, took }: Outcome): string {
  if (endedEarly !== undefined)
    return `No verdict: ${endedEarly}, after ${humanDuration(took)} of ${humanDuration(planned)}.`;
  return "No verdict: no process lived long enough, or this machine was too busy to take enough samples.";
}
