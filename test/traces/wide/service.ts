// What services of the wide set have in common. The recordings say: most of them are quieter than a garbage collector's name suggests,
// many stand still to the page when nothing grows, and what an allocator once got it seldom gives back.

import { logUniform, pick, type Random, uniform } from "../draws.ts";
import { requestSpikes } from "../parts.ts";
import { runtimeNoise } from "../runtimes.ts";
import type { Part, Service } from "../service.ts";
import { anyRuntime, usualService, type Words } from "../usual.ts";
import { wideBase } from "./sizes.ts";

/** `noise` of the words is on top of how quiet or noisy the service happens to be; 0 for a process that brings its own. */
export function wideService(random: Random, words: Words): Service {
  const base = words.base ?? wideBase(random);
  const runtime = words.runtime ?? anyRuntime(random);
  const noise = (words.noise ?? 1) * pick(random, [logUniform(random, 0.005, 0.1), logUniform(random, 0.1, 0.6), 1]);
  const givesBack = noise === 0 || random() < 0.6;
  const parts = words.parts ?? [];
  return usualService(random, {
    warmShare: logUniform(random, 0.01, 0.25),
    loadShare: logUniform(random, 0.002, 0.12),
    ...words,
    base,
    runtime,
    noise: givesBack ? noise : Math.min(noise, 0.003),
    parts: givesBack ? parts : [...parts, highWater(random, base * noise, runtimeNoise(random, runtime, base * noise))],
  });
}

/** What garbage and single requests needed at most so far, up to a third of `bytes` or so. */
function highWater(random: Random, bytes: number, noise: Part): Part {
  const most = bytes * uniform(random, 0.1, 0.5);
  const spikes = requestSpikes(random, bytes);
  return (life, step) => {
    const moving = [noise(life, step), spikes(life, step)];
    let highest = 0;
    return (moment) => {
      const now = moving.reduce((sum, part) => sum + part(moment), 0);
      highest = Math.max(highest, Math.min(now, most));
      return highest;
    };
  };
}
