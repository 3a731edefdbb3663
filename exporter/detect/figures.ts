// The numbers of one process that every form of the report shows, computed once.

import { links } from "../../catalog/links.ts";
import type { Kind } from "./answer.ts";
import type { ProcessOutcome } from "./observe.ts";

/** Bytes, or a count for descriptors and threads, per second. Only of what is reported: growth beside "no leak seen" would contradict it. */
export function growthOf({ answer, loads }: ProcessOutcome): number | undefined {
  if (loads !== undefined || (answer.word !== "leaking" && answer.word !== "suspicious")) return undefined;
  return answer.rises.at(-1)?.pace;
}

export const isCount = (kind: Kind): boolean => kind === "descriptors" || kind === "threads";

export interface Room {
  /** Bytes. */
  readonly limit: number;
  readonly isHeap: boolean;
  /** Until it is reached at this pace, in seconds. */
  readonly seconds: number;
}

/** Which limit this growth reaches first, and when; undefined where nothing grows or nothing limits it. */
export function roomOf(target: ProcessOutcome): Room | undefined {
  const { observed, answer } = target;
  const pace = growthOf(target);
  if (pace === undefined || !(pace > 0) || isCount(answer.kind)) return undefined;
  const { limit, heapMaximum, series } = observed;
  const rooms = [room(limit, series.memory.values.at(-1), pace, false)];
  if (answer.kind === "live") rooms.push(room(heapMaximum, series.live.values.at(-1), pace, true));
  return rooms.filter((target) => target !== undefined).sort((a, b) => a.seconds - b.seconds)[0];
}

function room(limit: number | undefined, level: number | undefined, pace: number, isHeap: boolean): Room | undefined {
  if (limit === undefined || level === undefined || Number.isNaN(level)) return undefined;
  return { limit, isHeap, seconds: Math.max(0, (limit - level) / pace) };
}

/** Where to read on, by what grows. */
export const guideFor = (kind: Kind): string => {
  const anchors: Record<Kind, string> = {
    live: "heap",
    outside: "native",
    memory: "which-memory-grows",
    descriptors: "descriptors",
    threads: "threads",
  };
  return `${links.runbook("finding-the-cause")}#${anchors[kind]}`;
};
