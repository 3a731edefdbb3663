// How the memory of a process moves by itself, by the kind of its runtime. Shares are of the service's base.
//   v8      /|/|/|    garbage until a collection, faster under load
//   go      /\/\/\    the same, but pages go back to the kernel bit by bit
//   jvm     __/‾‾     committed heap does not come back; it grows by steps
//   python  ~~~~      arenas come and go
//   native  ~~~~      the same, less

import { integer, logUniform, normal, type Random, uniform } from "./draws.ts";
import type { Part, Runtime } from "./service.ts";
import { hour, minute } from "./units.ts";

export function runtimeNoise(random: Random, runtime: Runtime, base: number): Part {
  switch (runtime) {
    case "v8":
      return v8(random, base);
    case "go":
      return go(random, base);
    case "jvm":
      return jvm(base);
    case "python":
      return wander({
        deviation: base * uniform(random, 0.008, 0.016),
        tau: uniform(random, 15, 40) * minute,
        jitter: base * 0.0015,
      });
    case "native":
      return wander({
        deviation: base * uniform(random, 0.0045, 0.0095),
        tau: uniform(random, 15, 40) * minute,
        jitter: base * 0.001,
      });
  }
}

function v8(random: Random, base: number): Part {
  const height = base * logUniform(random, 0.05, 0.2);
  return sawtooth({ height, period: logUniform(random, 4, 30) * minute, spread: 0.3, loadShare: 0.75, jitter: 0.08 });
}

export interface Sawtooth {
  /** Bytes of garbage at which it is collected, on average. */
  height: number;
  /** Seconds to get there at mean load. */
  period: number;
  /** Relative deviation of the height from tooth to tooth. */
  spread: number;
  /** How much of the garbage is made by requests, 0 to 1. */
  loadShare: number;
  /** Deviation from the straight line, to the height. */
  jitter: number;
}

export function sawtooth({ height, period, spread, loadShare, jitter }: Sawtooth): Part {
  return (random, step) => {
    const nextHeight = () => height * Math.exp(spread * normal(random));
    let ceiling = nextHeight();
    let garbage = 0;
    return ({ load }) => {
      garbage += (step / period) * height * (1 - loadShare + loadShare * load);
      if (garbage > ceiling) {
        garbage = height * uniform(random, 0, 0.1);
        ceiling = nextHeight();
      }
      return Math.max(0, garbage + jitter * height * normal(random));
    };
  };
}

function go(random: Random, base: number): Part {
  const height = base * logUniform(random, 0.06, 0.2);
  const period = logUniform(random, 4, 14) * minute;
  return returnedSlowly(sawtooth({ height, period, spread: 0.45, loadShare: 0.3, jitter: 0.04 }), 2 * minute);
}

/** Memory that falls goes back to the kernel by and by. */
export function returnedSlowly(part: Part, tau: number): Part {
  return (random, step) => {
    const used = part(random, step);
    const keep = Math.exp(-step / tau);
    let resident = 0;
    return (moment) => {
      const now = used(moment);
      resident = Math.max(now, now + keep * (resident - now));
      return resident;
    };
  };
}

function jvm(base: number): Part {
  return (random) => {
    const commits = Array.from({ length: integer(random, 2, 5) }, () => ({
      age: logUniform(random, 0.03, 40) * hour,
      bytes: base * logUniform(random, 0.02, 0.2),
      seconds: uniform(random, 1, 12) * minute,
    }));
    return ({ age }) => {
      let committed = 0;
      for (const commit of commits) committed += commit.bytes * clamp((age - commit.age) / commit.seconds);
      return committed + 0.0012 * base * normal(random);
    };
  };
}

export interface Wander {
  /** Bytes. */
  deviation: number;
  /** How long it takes to forget where it was, in seconds. */
  tau: number;
  /** Deviation from sample to sample, in bytes. */
  jitter: number;
}

/** A random walk that is pulled back to zero (Ornstein-Uhlenbeck). */
export function wander({ deviation, tau, jitter }: Wander): Part {
  return (random, step) => {
    const keep = Math.exp(-step / tau);
    let place = 0;
    return () => {
      place = keep * place + deviation * Math.sqrt(1 - keep ** 2) * normal(random);
      return place + jitter * normal(random);
    };
  };
}

export function clamp(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}
