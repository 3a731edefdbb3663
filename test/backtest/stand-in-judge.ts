// A judge for tests of what surrounds the judge: simple enough to be known by heart. A life leaks when the low of each of the last
// three half hours is above that of the one before it by 2 MiB; a service masks a leak when three of its lives ended so within a day.

import type { JudgedSample, ServiceFinding, ServiceJudge, SlotFinding } from "../../exporter/backtest/judged.ts";
import { MiB } from "../support/fixtures.ts";

const hour = 3600;
const block = hour / 2;
const step = 2 * MiB;

interface Slot {
  startTime: number;
  /** Low of each half hour of the life. */
  lows: Map<number, number>;
  last: JudgedSample;
  since: number;
}

export class StandInJudge implements ServiceJudge {
  /** Everything that came, by slot. */
  readonly samples = new Map<string, JudgedSample[]>();
  private readonly slots = new Map<string, Slot>();
  private readonly endedGrowing: number[] = [];

  add(name: string, sample: JudgedSample): void {
    this.samples.set(name, [...(this.samples.get(name) ?? []).slice(-5000), sample]);
    let slot = this.slots.get(name);
    if (slot === undefined || !Object.is(slot.startTime, sample.startTime)) {
      if (slot !== undefined && isGrowing(slot)) this.endedGrowing.push(sample.time);
      slot = { startTime: sample.startTime, lows: new Map(), last: sample, since: sample.time };
      this.slots.set(name, slot);
    }
    const index = Math.floor((sample.time - slot.since) / block);
    slot.lows.set(index, Math.min(sample.bytes, slot.lows.get(index) ?? Number.POSITIVE_INFINITY));
    slot.last = sample;
  }

  slotFinding(name: string): SlotFinding {
    const slot = this.slots.get(name) as Slot;
    const growth = growthOf(slot);
    const timeToOom =
      growth === undefined || Number.isNaN(slot.last.limit) ? undefined : (slot.last.limit - slot.last.bytes) / growth;
    const severity = growth === undefined ? 0 : timeToOom !== undefined && timeToOom < 2 * hour ? 3 : 2;
    const word = growth === undefined ? "stable" : "leaking";
    return { word, severity, growth, confidence: undefined, timeToOom, reasons: [] };
  }

  finding(time: number): ServiceFinding {
    const recent = this.endedGrowing.filter((at) => at > time - 24 * hour);
    return recent.length >= 3 ? { word: "masked_leak", severity: 2 } : { word: "stable", severity: 0 };
  }
}

const isGrowing = (slot: Slot) => growthOf(slot) !== undefined;

/** Bytes per second, of a life that leaks. */
function growthOf({ lows }: Slot): number | undefined {
  const last = [...lows.values()].slice(-5, -1); // the block that is not over is not known
  if (last.length < 4) return undefined;
  const rises = last.slice(1).map((low, i) => low - (last[i] as number));
  return rises.every((rise) => rise >= step) ? ((last[3] as number) - (last[0] as number)) / (3 * block) : undefined;
}
