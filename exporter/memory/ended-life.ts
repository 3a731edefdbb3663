// Did a process life still grow, steadily and without slowing, when it ended? One such end is a hint; many of them in a
// row are a leak that restarts hide.

import { type EndedLifeThresholds, endedLife } from "../../detection/ended-life.ts";
import type { LifeHistory } from "./life-history.ts";
import { median, type Point, theilSenSlope } from "./statistics.ts";

/** Why the judgement came out as it did, in the order in which the tests are made. */
export type EndedLifeReason =
  | "growing"
  | "too short"
  | "too few samples"
  | "small gain"
  | "noise"
  | "no new high"
  | "slowing"
  | "one step";

export interface EndedLifeVerdict {
  readonly growing: boolean;
  readonly reason: EndedLifeReason;
  /** Slope of the floor after warm-up, in bytes per second; undefined for a life too short to say. */
  readonly growthPerSecond: number | undefined;
  /** How much faster it grew in the last third than in the middle one, in bytes per second, for each second between them. */
  readonly acceleration?: number;
  /** Level of the floor's line where warm-up ends, in bytes. */
  readonly level?: number;
}

/** `atLimit`: was it killed for its memory? x of a point is the part of the life, y the part's floor in bytes. */
export function judgeEndedLife(
  history: LifeHistory,
  thresholds: EndedLifeThresholds = endedLife,
  atLimit = false,
): EndedLifeVerdict {
  const { parts } = thresholds;
  const span = history.spanSeconds;
  // warm-up ends below the limit: what reached it is judged by less
  if (span < (atLimit ? thresholds.minimumSpanAtLimitSeconds : thresholds.minimumSpanSeconds))
    return { growing: false, reason: "too short", growthPerSecond: undefined };

  const known = knownParts(history.floorsOfParts(parts));
  const settled = known.filter(({ x }) => x >= parts / 3);
  const middle = settled.filter(({ x }) => x < (2 * parts) / 3);
  const last = settled.filter(({ x }) => x >= (2 * parts) / 3);
  if (middle.length < 3 || last.length < 3) {
    return { growing: false, reason: "too few samples", growthPerSecond: undefined };
  }

  const slope = theilSenSlope(settled);
  const gain = slope * ((2 * parts) / 3);
  const level = median(settled.map(({ y }) => y));
  const center = median(settled.map(({ x }) => x));
  const wobble = median(settled.map(({ x, y }) => Math.abs(y - level - slope * (x - center))));
  const end = median(last.slice(-3).map(({ y }) => y));
  const before = Math.max(...known.filter(({ x }) => x >= 1 && x < (2 * parts) / 3).map(({ y }) => y));
  // each pace takes in the part before it, so that a step on the border counts for one of them
  const middlePace = theilSenSlope(known.filter(({ x }) => x >= parts / 3 - 1 && x < (2 * parts) / 3));
  const lastPace = theilSenSlope([...middle.slice(-1), ...last]);
  const steps = settled.slice(1).map(({ y }, i) => y - (settled[i] as Point).y);

  const judged = (reason: EndedLifeReason) => ({
    growing: reason === "growing",
    reason,
    growthPerSecond: slope / (span / parts),
    acceleration: accelerationOf(history, parts) / (span / parts) ** 2,
    level: level + slope * (parts / 3 - center),
  });
  if (gain < thresholds.minimumGain * level) return judged("small gain");
  if (gain < thresholds.minimumSignal * wobble) return judged("noise");
  if (end - before < thresholds.minimumNewHigh * gain) return judged("no new high");
  if (middlePace > 0 && lastPace < thresholds.minimumPace * middlePace) return judged("slowing");
  if (Math.max(...steps) > thresholds.maximumStep * gain) return judged("one step");
  return judged("growing");
}

/** How much faster the last third grew than the middle one, in bytes a part, for each part between them. */
function accelerationOf(history: LifeHistory, parts: number): number {
  const lows = history.lowsOfParts(parts);
  const third = (from: number) => lows.slice(from - 1, from + parts / 3).filter((low) => low !== undefined);
  const [middle, last] = [third(parts / 3), third((2 * parts) / 3)];
  const center = (points: readonly Point[]) => median(points.map(({ x }) => x));
  return (theilSenSlope(last) - theilSenSlope(middle)) / (center(last) - center(middle));
}

function knownParts(floors: readonly (number | undefined)[]): Point[] {
  return floors.flatMap((y, x) => (y === undefined ? [] : [{ x, y }]));
}
