// Requests per second: a wave by day, less at the weekend, some minutes busier than others.

import { logUniform, normal, type Random, uniform } from "./draws.ts";
import { day, hour, minute, step } from "./units.ts";

export interface TrafficShape {
  /** Requests per second, over a day. */
  mean: number;
  /** The busiest hour to the quietest. */
  peakToTrough: number;
  /** Of the day, UTC. */
  peakHour: number;
  /** Of a weekend day to a working day. */
  weekend: number;
  /** What else multiplies it at a time, for example a campaign. */
  trend?: (time: number) => number;
}

export interface Traffic {
  /** Requests per second at a time, with its noise. */
  at: (time: number) => number;
  /** The same to its mean over a day: 1 on average. */
  load: (time: number) => number;
  /** `load` without noise, at any time, for looking ahead. */
  expectedLoad: (time: number) => number;
}

export function trafficShape(random: Random, options: Partial<TrafficShape> = {}): TrafficShape {
  return {
    mean: logUniform(random, 2.5, 300),
    peakToTrough: logUniform(random, 2.1, 9),
    peakHour: uniform(random, 11, 21),
    weekend: uniform(random, 0.25, 1),
    ...options,
  };
}

/** Known from `start` to `end`, in seconds. */
export function makeTraffic(random: Random, shape: TrafficShape, start: number, end: number): Traffic {
  const wave = dailyWave(shape);
  const expectedLoad = (time: number) => wave(time) * weekendFactor(shape, time) * (shape.trend?.(time) ?? 1);
  const loads = noiseByStep(random, Math.ceil((end - start) / step) + 1);
  for (let i = 0; i < loads.length; i++) loads[i] = (loads[i] as number) * expectedLoad(start + i * step);
  const load = (time: number) => {
    const index = Math.min(Math.max(Math.round((time - start) / step), 0), loads.length - 1);
    return loads[index] as number;
  };
  return { at: (time) => shape.mean * load(time), load, expectedLoad };
}

/** A narrow peak and a wide valley, as services of one time zone have it; 1 on average over the day. */
function dailyWave({ peakToTrough, peakHour }: TrafficShape): (time: number) => number {
  const steepness = Math.log(peakToTrough) / 2;
  const mean = besselI0(steepness);
  return (time) => Math.exp(steepness * Math.cos((2 * Math.PI * (time - peakHour * hour)) / day)) / mean;
}

/** Mean of exp(x cos a) over a turn. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-9; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

function weekendFactor({ weekend }: TrafficShape, time: number): number {
  const dayOfWeek = ((Math.floor(time / day) % 7) + 7) % 7;
  return dayOfWeek >= 5 ? weekend : 1;
}

/** Busy and quiet quarters of an hour, and the noise of counting on top. */
function noiseByStep(random: Random, count: number): Float64Array {
  const keep = Math.exp(-step / (15 * minute));
  let slow = 0;
  return Float64Array.from({ length: count }, () => {
    slow = keep * slow + 0.1 * Math.sqrt(1 - keep ** 2) * normal(random);
    return Math.exp(slow + 0.065 * normal(random));
  });
}
