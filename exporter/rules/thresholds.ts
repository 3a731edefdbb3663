// The thresholds that users change, from a file of theirs: few, since each of the others was weighed against all the rest.
// docs/rules.md explains them; catalog/windows.ts has them all.

import type { Detection } from "../../catalog/detection.ts";
import { DecodeError, type Decoder, duration, mapping, wholeNumber } from "../config/decode.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** As the file has them; what it does not name stays as it is. */
const thresholdsFile = mapping({
  urgent: mapping({
    growth: share,
    critical_within: between(10 * minute, 9 * hour),
    warning_within: between(hour, 2 * day),
  }),
  steady: mapping({ growth: share }),
  slow: mapping({ growth: share }),
  oom_predicted: mapping({ critical: prediction(), warning: prediction(), info: prediction() }),
  near_limit: mapping({ level: share, for: between(minute, day) }),
  no_limit: mapping({ for: between(minute, 7 * day) }),
  oom_loop: mapping({ kills: wholeNumber(1, 100), within: hours }),
  restart_loop: mapping({ restarts: wholeNumber(2, 1000) }),
  exhaustion: mapping({ within: between(hour, 30 * day) }),
  exporter: mapping({ down: between(minute, day) }),
  target_gone: mapping({ for: between(minute, 6 * hour) }),
});

export type Thresholds = ReturnType<typeof thresholdsFile>;

/** The whole document. An empty one changes nothing. */
export const decodeThresholds: Decoder<Thresholds> = (value, path) => thresholdsFile(value ?? {}, path);

/** A detection with these thresholds. Throws DecodeError when they contradict those that stay. */
export function withThresholds(from: Detection, changes: Thresholds): Detection {
  const { urgent, steady, slow, near_limit, no_limit, oom_loop, restart_loop, exhaustion, exporter } = changes;
  const { fortyMinutes, twoHours, twelveHours } = from.urgent;
  const [soon, today, tomorrow] = from.oomPredicted;
  const predicted = (one: Detection["oomPredicted"][number]) => ({ ...one, ...changes.oom_predicted?.[one.severity] });
  const gain = urgent?.growth;
  const critical = urgent?.critical_within;
  const changed: Detection = {
    ...from,
    urgent: {
      ...from.urgent,
      // the shorter window asks for a nearer limit: it moves with the other
      fortyMinutes: {
        ...fortyMinutes,
        gain: gain ?? fortyMinutes.gain,
        timeLeft: (fortyMinutes.timeLeft * (critical ?? twoHours.timeLeft)) / twoHours.timeLeft,
      },
      twoHours: { ...twoHours, gain: gain ?? twoHours.gain, timeLeft: critical ?? twoHours.timeLeft },
      twelveHours: {
        ...twelveHours,
        gain: gain ?? twelveHours.gain,
        timeLeft: urgent?.warning_within ?? twelveHours.timeLeft,
      },
    },
    steady: { ...from.steady, gain: steady?.growth ?? from.steady.gain },
    // the window by day and by night asks for less in more time: it moves with the other
    uneven: { ...from.uneven, gain: (from.uneven.gain * (steady?.growth ?? from.steady.gain)) / from.steady.gain },
    slow: { ...from.slow, gain: slow?.growth ?? from.slow.gain },
    oomPredicted: [predicted(soon), predicted(today), predicted(tomorrow)],
    capacity: {
      ...from.capacity,
      nearLimit: near_limit?.level ?? from.capacity.nearLimit,
      for: near_limit?.for ?? from.capacity.for,
      noLimitFor: no_limit?.for ?? from.capacity.noLimitFor,
    },
    restarts: {
      ...from.restarts,
      oomLoop: {
        over: oom_loop?.within ?? from.restarts.oomLoop.over,
        count: oom_loop?.kills ?? from.restarts.oomLoop.count,
      },
      loop: { ...from.restarts.loop, count: restart_loop?.restarts ?? from.restarts.loop.count },
    },
    countLeak: { ...from.countLeak, within: exhaustion?.within ?? from.countLeak.within },
    health: {
      ...from.health,
      down: exporter?.down ?? from.health.down,
      targetGone: changes.target_gone?.for ?? from.health.targetGone,
    },
  };
  checkOrder(changed, changes);
  return changed;
}

/** What is worse must be nearer. */
function checkOrder({ urgent, oomPredicted }: Detection, changes: Thresholds): void {
  const [page, ticket] = [urgent.twoHours.timeLeft, urgent.twelveHours.timeLeft];
  if (ticket < page) {
    const given = changes.urgent?.warning_within === undefined ? "critical_within" : "warning_within";
    throw new DecodeError(["urgent", given], "critical_within to be at most warning_within", inHours(page, ticket));
  }
  for (const [i, one] of oomPredicted.entries()) {
    const worse = oomPredicted[i - 1];
    if (worse === undefined || worse.within < one.within) continue;
    const given = changes.oom_predicted?.[one.severity] === undefined ? worse.severity : one.severity;
    throw new DecodeError(
      ["oom_predicted", given, "within"],
      `${worse.severity} to be nearer than ${one.severity}`,
      inHours(worse.within, one.within),
    );
  }
}

const inHours = (...times: readonly number[]) => times.map((time) => `${time / hour}h`).join(" and ");

function prediction() {
  return mapping({ within: between(10 * minute, 7 * day), level: share });
}

/** A share: above 0, and 1 at most. */
function share(value: unknown, path: Parameters<Decoder<number>>[1]): number {
  if (typeof value !== "number" || !(value > 0 && value <= 1)) {
    throw new DecodeError(path, "a share above 0 and up to 1, such as 0.05", value);
  }
  return value;
}

function between(shortest: number, longest: number): Decoder<number> {
  return (value, path) => {
    const seconds = duration(value, path);
    if (seconds < shortest || seconds > longest) {
      throw new DecodeError(path, `a duration from ${words(shortest)} to ${words(longest)}`, value);
    }
    return seconds;
  };
}

/** What the ledger counts is summed by the hour. */
function hours(value: unknown, path: Parameters<Decoder<number>>[1]): number {
  const seconds = between(hour, day)(value, path);
  if (seconds % hour !== 0) throw new DecodeError(path, "whole hours", value);
  return seconds;
}

const words = (seconds: number) =>
  seconds % day === 0 ? `${seconds / day}d` : seconds % hour === 0 ? `${seconds / hour}h` : `${seconds / minute}m`;
