// Reasons as sentences: for the page, the JSON API, `detect`, and whoever asks why.

import { humanBytes, humanDuration, humanGrowth, humanShare } from "../text/human.ts";
import type { Finding, Reason } from "./finding.ts";
import type { Change } from "./outlook.ts";

/** One reason, without a full stop. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case "grew":
      return `grew by ${humanBytes(reason.bytes)} in the last ${humanDuration(reason.seconds)}`;
    case "steady":
      return `steady: the slowest quarter grew at ${humanShare(Math.max(0, reason.slowest))} of the mean pace, and its floor deviates by ${humanShare(reason.deviation)} of the growth from a straight line`;
    case "slowing":
      return `slowing down: the second half grew at ${humanShare(Math.max(0, reason.bend))} of the first half's pace`;
    case "stopped":
      return "growth has stopped";
    case "uneven":
      return `uneven: it deviates by ${humanShare(reason.deviation)} of the growth from a straight line`;
    case "newHigh":
      return `${humanBytes(reason.bytes)} above its highest peak before that`;
    case "belowEarlierHigh":
      return `still ${humanBytes(reason.bytes)} below its highest peak before that`;
    case "aboveEarlierLives":
      return `earlier processes of this service stood at ${humanBytes(reason.earlier)} at this age, this one is at ${humanBytes(reason.level)}`;
    case "withinEarlierLives":
      return `earlier processes of this service reached ${humanBytes(reason.earlier)} at this age, this one is at ${humanBytes(reason.level)}`;
    case "timeLeft":
      return `${humanBytes(reason.headroom)} are left of ${humanBytes(reason.limit)}: about ${humanDuration(reason.seconds)} at this pace`;
    case "sharedLimit":
      return `${humanBytes(reason.others)} of the limit are used by others`;
    case "heapMaximum":
      return `its heap may grow to ${humanBytes(reason.bytes)}${reason.below ? ", and garbage alone can fill it" : ""}`;
    case "points":
      return `${reason.points.toFixed(1)} points for growth over hours and days, ${reason.threshold.toFixed(1)} are a leak`;
    case "endedGrowing":
      return reason.killed
        ? `${reason.growing} of ${reason.ended} processes that exited within ${humanDuration(reason.seconds)} were still growing, and were killed for their memory`
        : `${reason.growing} of ${reason.ended} processes that exited within ${humanDuration(reason.seconds)} were still growing`;
    case "replicas":
      return `${reason.leaking} of ${reason.of} replicas leak: the fastest grows by ${humanGrowth(reason.highest)} an hour, the median by ${humanGrowth(reason.median)}`;
    case "version":
      return `version ${reason.version}: of ${reason.ended} processes of other versions that exited, ${reason.growing === 0 ? "none was" : `${reason.growing} were`} still growing`;
    case "tooYoung":
      return `collecting data (${progressText(reason.watched, reason.needed)})`;
  }
}

/** What would change the verdict, without a full stop: `called a leak if …`, or what ends it. */
export function outlookText(changes: readonly Change[]): string | undefined {
  const [first] = changes;
  if (first === undefined) return undefined;
  if (first.kind === "stops")
    return `no longer called a leak once it has not grown like this for ${humanDuration(first.seconds)}`;
  if (first.kind === "fewerGrow")
    return `no longer called a leak once fewer than ${humanShare(first.share)} of the processes that exit are still growing`;
  if (first.kind === "moreData") return `first verdict in ${humanDuration(first.seconds)}`;
  if (first.kind === "growsAtAll")
    return `called growing if it grows by more than ${humanBytes(first.bytes)} in ${humanDuration(first.seconds)}`;
  const near = changes.filter(({ kind }) => kind !== "morePoints").map(changeText);
  const slow = changes.filter(({ kind }) => kind === "morePoints").map(changeText);
  return `called a leak if ${[near.join(" and "), ...slow].filter((text) => text !== "").join(", or if ")}`;
}

function changeText(change: Change): string {
  switch (change.kind) {
    case "growsMore":
      return `it grows by ${humanBytes(change.bytes)} in ${humanDuration(change.seconds)}`;
    case "exceedsPeak":
      return `it grows by another ${humanBytes(change.bytes)}, well above its earlier peak`;
    case "exceedsEarlierLives":
      return `it grows by another ${humanBytes(change.bytes)}, above what earlier processes of this service reached at this age`;
    case "steadier":
      return `its floor deviates by at most ${humanShare(change.most)} of the growth from a straight line (now ${humanShare(change.now)})`;
    case "withoutStep":
      return `no quarter grows at more than ${humanShare(change.most)} of the mean pace (now ${humanShare(change.now)})`;
    case "withoutPause":
      return `its slowest quarter grows at ${humanShare(change.least)} of the mean pace or more (now ${humanShare(Math.max(0, change.now))})`;
    case "goesOn":
      return `it keeps its pace for another ${humanDuration(change.seconds)}`;
    case "nearerLimit":
      return `the limit comes within ${humanDuration(change.within)}${Number.isFinite(change.now) ? ` (now ${humanDuration(change.now)})` : ""}`;
    case "holds":
      return "it goes on like this for some minutes";
    case "morePoints":
      return `its growth over hours and days reaches ${change.threshold.toFixed(1)} points (now ${change.points.toFixed(1)})`;
    default:
      return "";
  }
}

/** `12 of 20 min`, from seconds; on the fast clock of a demonstration `12 of 20 s`. */
export function progressText(watched: number, needed: number): string {
  return needed < 120
    ? `${Math.floor(watched)} of ${Math.ceil(needed)} s`
    : `${Math.floor(watched / 60)} of ${Math.ceil(needed / 60)} min`;
}

/** All reasons of a finding, the weightiest first. */
export const reasonTexts = ({ reasons }: Finding): string[] => reasons.map(reasonText);
