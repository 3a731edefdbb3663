// What a colour means, and from which number on: the same on every dashboard, the preview and the page. Words stand beside
// colours everywhere, for those who do not see them.

import { words } from "../detection/judge.ts";
import { rules } from "../detection/rules.ts";
import type { Severity } from "./alerts.ts";
import type { RestartReason } from "./metrics.ts";
import type { Verdict } from "./verdicts.ts";

/** Names of Grafana's palette, so that they fit its dark and its light theme. */
export const colours = {
  fine: "green",
  /** Plain yellow can hardly be read on white. */
  watch: "dark-yellow",
  today: "orange",
  now: "red",
  unknown: "#8e8e8e",
  /** A number that is neither good nor bad. */
  neutral: "text",
  young: "blue",
  limit: "red",
  floor: "purple",
  projection: "orange",
  memory: "blue",
  deploy: "blue",
  restart: "orange",
  oomKill: "red",
  lastWeek: "#8e8e8e",
} as const;

export type Colour = (typeof colours)[keyof typeof colours];

/** The colour of an alert's severity. */
export const severityColours: Record<Severity, Colour> = {
  critical: colours.now,
  warning: colours.today,
  info: colours.watch,
};

export const verdictColours: Record<Verdict, Colour> = {
  collecting: colours.unknown,
  stable: colours.fine,
  spiky: colours.fine,
  high_stable: colours.watch,
  warming_up: colours.young,
  bounded_growth: colours.watch,
  growing: colours.watch,
  leaking: colours.today,
  masked_leak: colours.today,
  restart_loop: colours.now,
};

/** Why a process was started again: killed for lack of memory, planned by a clock, or ended by itself. */
export const reasonColours: Record<RestartReason, Colour> = {
  oom: colours.now,
  suspected_oom: colours.today,
  scheduled: colours.young,
  exit: colours.unknown,
  unknown: colours.watch,
};

/** A step of a scale: the colour from this value on. `null` is everything below. */
export interface Step {
  readonly value: number | null;
  readonly color: Colour;
}

const within = (severity: Severity) =>
  (rules.oomPredicted.find((one) => one.severity === severity) ?? { within: 0 }).within;

/** What would happen so many seconds from now worries nobody today. */
export const farAway = 30 * 86_400;

/** Time to OOM in seconds: red while the alert is a warning or worse, orange today, yellow later. */
export const timeToOomSteps: readonly Step[] = [
  { value: null, color: colours.now },
  { value: within("warning"), color: colours.today },
  { value: within("info"), color: colours.watch },
  { value: farAway, color: colours.unknown },
];

/** A time to OOM beyond this, in seconds, is noise of a level process, and no sight of an end. */
export const inSight = 90 * 86_400;

/** Share of the limit that is in use. High alone is not a leak, so it is red only where the alert fires. */
export const usedSteps: readonly Step[] = [
  { value: null, color: colours.fine },
  { value: 0.75, color: colours.watch },
  { value: words.high, color: colours.now },
];

/** A number that should be 0. */
export const noneSteps: readonly Step[] = [
  { value: null, color: colours.fine },
  { value: 1, color: colours.today },
];
