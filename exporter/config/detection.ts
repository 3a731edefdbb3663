// `detection:` of the configuration: the few thresholds of the judge that users change. detection/judge.ts has them all, with reasons;
// docs/detection.md says what happens when each is moved.

import type { JudgeSettings } from "../../detection/judge.ts";
import { DecodeError, type Decoder, duration, mapping, type Path } from "./decode.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const file = mapping({
  critical_within: between(10 * minute, 2 * day),
  high_within: between(10 * minute, 30 * day),
  medium_within: between(10 * minute, 365 * day),
  confirm: between(0, hour),
  keep: between(0, day),
  points: number(0, 20),
  notable_growth: number(0.001, 1),
  near_limit: number(0.5, 1),
});

/** What the file names; the rest stays as shipped. */
export type DetectionChanges = ReturnType<typeof file>;

export const decodeDetection: Decoder<DetectionChanges> = (value, path) => {
  const found = file(value, path);
  const { critical_within: critical, high_within: high, medium_within: medium } = found;
  order(path, ["critical_within", critical ?? 2 * hour], ["high_within", high ?? day]);
  order(path, ["high_within", high ?? day], ["medium_within", medium ?? 7 * day]);
  return found;
};

/** Settings with these changes. */
export function withDetection(settings: JudgeSettings, changes: DetectionChanges): JudgeSettings {
  const { severityTimes, words, card, windowRules, keepClaim } = settings;
  const confirm = changes.confirm;
  return {
    ...settings,
    severityTimes: {
      critical: changes.critical_within ?? severityTimes.critical,
      high: changes.high_within ?? severityTimes.high,
      medium: changes.medium_within ?? severityTimes.medium,
    },
    windowRules: confirm === undefined ? windowRules : windowRules.map((rule) => ({ ...rule, for: confirm })),
    keepClaim: changes.keep ?? keepClaim,
    card: { ...card, threshold: changes.points ?? card.threshold },
    words: {
      ...words,
      notable: changes.notable_growth ?? words.notable,
      high: changes.near_limit ?? words.high,
    },
  };
}

/** What is worse must be nearer. */
function order(path: Path, [worse, sooner]: readonly [string, number], [less, later]: readonly [string, number]): void {
  if (sooner <= later) return;
  throw new DecodeError([...path, worse], `${worse} to be at most ${less}`, `${sooner / hour}h and ${later / hour}h`);
}

function between(shortest: number, longest: number): Decoder<number> {
  return (value, path) => {
    const seconds = duration(value, path);
    if (seconds >= shortest && seconds <= longest) return seconds;
    throw new DecodeError(path, `a duration from ${shortest / minute}m to ${longest / minute}m`, value);
  };
}

function number(least: number, most: number): Decoder<number> {
  return (value, path) => {
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw new DecodeError(path, `a number from ${least} to ${most}`, value);
  };
}
