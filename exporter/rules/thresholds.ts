// The thresholds that users change, from a file of theirs: few, since each of the others was weighed against all the rest.
// docs/rules.md explains them; detection/rules.ts has them all. What is called a leak is the exporter's: `detection` in its configuration.

import type { Rules } from "../../detection/rules.ts";
import { DecodeError, type Decoder, duration, mapping, wholeNumber } from "../config/decode.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** As the file has them; what it does not name stays as it is. */
const thresholdsFile = mapping({
  oom_predicted: mapping({ critical: prediction(), warning: prediction(), info: prediction() }),
  growth_rate: mapping({ limit_per_day: aboveZero, for: between(minute, 7 * day) }),
  near_limit: mapping({ for: between(minute, day) }),
  no_limit: mapping({ for: between(minute, 7 * day) }),
  heap_near_limit: mapping({ level: share, for: between(minute, day) }),
  oom_loop: mapping({ kills: wholeNumber(1, 100), within: hours }),
  restart_loop: mapping({ restarts: wholeNumber(2, 1000) }),
  exhaustion: mapping({ within: between(hour, 30 * day) }),
  exporter: mapping({ down: between(minute, day) }),
  target_gone: mapping({ for: between(minute, 6 * hour) }),
});

export type Thresholds = ReturnType<typeof thresholdsFile>;

/** The whole document. An empty one changes nothing. */
export const decodeThresholds: Decoder<Thresholds> = (value, path) => thresholdsFile(value ?? {}, path);

/** Rules with these thresholds. Throws DecodeError when they contradict those that stay. */
export function withThresholds(from: Rules, changes: Thresholds): Rules {
  const { growth_rate, near_limit, no_limit, heap_near_limit, oom_loop, restart_loop, exhaustion, exporter } = changes;
  const changed: Rules = {
    ...from,
    oomPredicted: from.oomPredicted.map((one) => ({ ...one, ...changes.oom_predicted?.[one.severity] })),
    growthRate: {
      ...from.growthRate,
      limitPerDay: growth_rate?.limit_per_day ?? from.growthRate.limitPerDay,
      for: growth_rate?.for ?? from.growthRate.for,
    },
    capacity: {
      for: near_limit?.for ?? from.capacity.for,
      noLimitFor: no_limit?.for ?? from.capacity.noLimitFor,
    },
    heap: {
      nearLimit: heap_near_limit?.level ?? from.heap.nearLimit,
      for: heap_near_limit?.for ?? from.heap.for,
    },
    restarts: {
      ...from.restarts,
      oomLoop: {
        over: oom_loop?.within ?? from.restarts.oomLoop.over,
        count: oom_loop?.kills ?? from.restarts.oomLoop.count,
      },
      loop: { ...from.restarts.loop, count: restart_loop?.restarts ?? from.restarts.loop.count },
    },
    countLimit: { ...from.countLimit, within: exhaustion?.within ?? from.countLimit.within },
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
function checkOrder({ oomPredicted }: Rules, changes: Thresholds): void {
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
  return mapping({ within: between(10 * minute, 7 * day) });
}

/** A share: above 0, and 1 at most. */
function share(value: unknown, path: Parameters<Decoder<number>>[1]): number {
  if (typeof value !== "number" || !(value > 0 && value <= 1)) {
    throw new DecodeError(path, "a share above 0 and up to 1, such as 0.05", value);
  }
  return value;
}

function aboveZero(value: unknown, path: Parameters<Decoder<number>>[1]): number {
  if (typeof value !== "number" || !(value > 0 && value < 1000)) throw new DecodeError(path, "a number above 0", value);
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
