// Parts of a process's memory that many families share.

import { happens, logUniform, type Random, uniform } from "./draws.ts";
import { clamp } from "./runtimes.ts";
import type { Leak, Part } from "./service.ts";
import { minute } from "./units.ts";

/** Approaches `bytes`, with a time constant in seconds. */
export function warmUp(bytes: number, tau: number): Part {
  return () =>
    ({ age }) =>
      bytes * (1 - Math.exp(-age / tau));
}

/** Follows the traffic, some minutes late; `bytes` at mean load. */
export function followsLoad(bytes: number, lag = 10 * minute): Part {
  return (_, step) => {
    const keep = Math.exp(-step / lag);
    let smooth: number | undefined;
    return ({ load }) => {
      smooth = keep * (smooth ?? load) + (1 - keep) * load;
      return bytes * smooth;
    };
  };
}

/** Single requests that need much for a minute or a few. */
export function requestSpikes(random: Random, base: number): Part {
  const perDay = logUniform(random, 0.3, 5);
  return (life, step) => {
    let until = Number.NEGATIVE_INFINITY;
    let bytes = 0;
    return ({ time }) => {
      if (time >= until && happens(life, step, perDay)) {
        until = time + uniform(life, 0.5, 4) * minute;
        bytes = base * uniform(life, 0.05, 0.35);
      }
      return time < until ? bytes : 0;
    };
  };
}

/** Goes from nothing to `bytes` between two times, along a curve from 0 to 1. */
export function rise(
  bytes: number,
  from: number,
  to: number,
  curve: (share: number) => number = (share) => share,
): Part {
  return () =>
    ({ time }) =>
      bytes * curve(clamp((time - from) / (to - from)));
}

/** The same by the age of the process. */
export function riseByAge(bytes: number, to: number, curve: (share: number) => number = (share) => share): Part {
  return () =>
    ({ age }) =>
      bytes * curve(clamp(age / to));
}

/** Bytes per second, always the same. */
export function steadyLeak(rate: number): Leak {
  return (_, step) => () => rate * step;
}

/** Bytes per second at mean traffic. */
export function leakPerRequest(rate: number): Leak {
  return (_, step) =>
    ({ load }) =>
      rate * step * load;
}

/** `bytes` each `period` seconds, on the clock, spread over the seconds that the job runs. */
export function leakPerRun(bytes: number, period: number, offset: number, duration: number): Leak {
  return (_, step) =>
    ({ time }) => {
      const running = (((time - offset) % period) + period) % period;
      return running < duration ? (bytes * step) / duration : 0;
    };
}

/** Leaks for a while, then not for a while; both in seconds, on average. `rate` is bytes per second while it leaks. */
export function leakWithStalls(rate: number, running: [number, number], stalled: [number, number]): Leak {
  return (random, step) => {
    let leaks = false;
    let until = Number.NEGATIVE_INFINITY;
    return ({ time }) => {
      if (time >= until) {
        leaks = !leaks;
        const [low, high] = leaks ? running : stalled;
        until = time + uniform(random, low, high);
      }
      return leaks ? rate * step : 0;
    };
  };
}
