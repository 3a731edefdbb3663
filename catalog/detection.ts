// Everything that decides what is called a leak, as one value: rules, dashboards and the analysis are functions of it, so that
// users can change a threshold, and the demo can run the same rules in seconds instead of hours.

import type { Severity } from "./alerts.ts";
import { endedLife } from "./ended-life.ts";
import * as windows from "./windows.ts";

/** A constant as what it may be changed to: any number, any severity. */
type Changeable<T> = T extends number
  ? number
  : T extends Severity
    ? Severity
    : T extends string
      ? T
      : { readonly [key in keyof T]: Changeable<T[key]> };

const all = { ...windows, endedLife };

export type Detection = Changeable<typeof all>;

/** As shipped. */
export const detection: Detection = all;

/** The windows of the rules that ask for a new high, in the order of the label. */
export const newHighWindows = ({ urgent: { fortyMinutes, twoHours, twelveHours } }: Detection) =>
  [
    { window: fortyMinutes.window, over: fortyMinutes.over, level: "floor" },
    { window: twoHours.window, over: twoHours.over, level: "floor" },
    { window: twelveHours.window, over: twelveHours.over, level: "hourFloor" },
  ] as const;

/** Numbers that are times, in seconds, by their name. All others are shares, counts or bytes, which have no clock. */
export const times: ReadonlySet<string> = new Set(
  [
    "fast slow rare short hour recent day seconds over timeLeft for maximumAge lookedAt far near minimumAge dayPeakAge youngLife longer",
    "urgent steady masked oomPredicted oomLoop restartLoop within settled step known noLimitFor verdictAge per stretch",
    "down absent rememberExporter staleSample unreadable targetGone missed podsStale firstBucketSeconds minimumSpanSeconds minimumSpanAtLimitSeconds toleranceSeconds minimumSeconds",
  ].flatMap((names) => names.split(" ")),
);

/** The same on a faster clock: an hour takes 3600 / speed seconds. Names of series, shares and counts stay. */
export function compressed(from: Detection, speed: number): Detection {
  return faster(from, speed, "") as Detection;
}

function faster(value: unknown, speed: number, name: string): unknown {
  if (typeof value === "number") return times.has(name) ? value / speed : value;
  if (Array.isArray(value)) return value.map((one) => faster(one, speed, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, faster(one, speed, key)]));
}
