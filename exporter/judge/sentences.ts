// Reasons as sentences: for the page, the JSON API, `detect`, and whoever asks why.

import { humanBytes, humanDuration, humanGrowth, humanShare } from "../text/human.ts";
import type { Finding, Reason } from "./finding.ts";

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
    case "tooYoung":
      return `collecting data (${progressText(reason.watched, reason.needed)})`;
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
