// What services of the wide set have in common. The recordings say: what an allocator once got it seldom gives back, many services
// stand still to the page when nothing grows, and only V8's young generation is never quiet.

import { logUniform, pick, type Random, uniform } from "../draws.ts";
import { followsLoad, requestSpikes } from "../parts.ts";
import { runtimeNoise, sawtooth } from "../runtimes.ts";
import type { Part, Runtime, Service } from "../service.ts";
import { MiB, minute } from "../units.ts";
import { anyRuntime, usualService, type Words } from "../usual.ts";
import { wideBase } from "./sizes.ts";

/** How often memory that is free goes back to the kernel. */
const givesBackShare: Record<Runtime, number> = { v8: 0.8, go: 0.4, python: 0.3, native: 0.3, jvm: 0.15 };

/** `noise` of the words is on top of how quiet or noisy the service happens to be; 0 for a process that brings its own. */
export function wideService(random: Random, words: Words): Service {
  const base = words.base ?? wideBase(random);
  const runtime = words.runtime ?? anyRuntime(random);
  const noise = (words.noise ?? 1) * pick(random, [logUniform(random, 0.005, 0.1), logUniform(random, 0.1, 0.6), 1]);
  const loadShare = logUniform(random, 0.002, 0.12);
  const givesBack = noise === 0 || random() < givesBackShare[runtime];
  const moving = [
    runtimeNoise(random, runtime, base * noise),
    requestSpikes(random, base * noise),
    ...(words.loadShare === undefined ? [followsLoad(base * loadShare)] : []),
  ];
  // many say one that is just large enough for nothing to happen
  const saysHeapLimit = (runtime === "v8" || runtime === "jvm") && random() < 0.3;
  return usualService(random, {
    ...(saysHeapLimit && { heap: { beyond: logUniform(random, 1.05, 3) } }),
    warmShare: logUniform(random, 0.01, 0.25),
    loadShare: givesBack ? loadShare : 0,
    ...words,
    base,
    runtime,
    noise: givesBack ? noise : 1e-5,
    parts: [
      ...(words.parts ?? []),
      ...(givesBack ? [] : [highWater(moving, base * (noise * uniform(random, 0.1, 0.5) + loadShare))]),
      ...(runtime === "v8" && noise > 0 ? [youngGeneration(random)] : []),
    ],
  });
}

/** What was needed at most so far, up to `most` bytes. */
function highWater(parts: readonly Part[], most: number): Part {
  return (life, step) => {
    const moving = parts.map((part) => part(life, step));
    let highest = 0;
    return (moment) => {
      const now = moving.reduce((sum, part) => sum + part(moment), 0);
      highest = Math.max(highest, Math.min(now, most));
      return highest;
    };
  };
}

/** V8 fills and empties it within seconds or minutes, whatever the size of the service. */
function youngGeneration(random: Random): Part {
  const height = logUniform(random, 0.2, 12) * MiB;
  return sawtooth({ height, period: logUniform(random, 0.1, 6) * minute, spread: 0.1, loadShare: 0.9, jitter: 0.01 });
}
