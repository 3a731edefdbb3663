// Process groups and their slots. A process takes the lowest free slot; when it ends, the next one takes it over. So the
// number of series is the largest number of processes that ran at once, however often they restart.

import { type Detection, detection } from "../../catalog/detection.ts";
import { CountRise } from "../memory/count-rise.ts";
import { SlotMemory } from "../memory/slot-memory.ts";
import type { Life } from "./life.ts";

/** A life that has ended, for the one that takes its slot. */
export interface EndedLife {
  /** On the monotonic clock, in seconds. */
  endedAt: number;
  reason: EndReason;
}

/** How a life ended, before it is known whether it was on schedule. */
export type EndReason = "oom" | "suspected_oom" | "exit" | "unknown";

export interface Slot {
  life: Life | undefined;
  lastEnd: EndedLife | undefined;
  /** Unix start times of the last lives in this slot, oldest first. */
  starts: number[];
  /** Memory over time, over restarts too. */
  readonly memory: SlotMemory;
  readonly descriptors: CountRise;
  readonly threads: CountRise;
}

export class Group {
  readonly name: string;
  readonly slots: Slot[] = [];
  /** Slots that a process fills. */
  private taken = 0;
  private readonly detection: Detection;

  constructor(name: string, windows: Detection = detection) {
    this.name = name;
    this.detection = windows;
  }

  /** Lowest free slot, made if there is none. */
  freeSlot(): number {
    const free = this.slots.findIndex(({ life }) => life === undefined);
    if (free >= 0) return free;
    this.slots.push(this.emptySlot(this.slots.length));
    return this.slots.length - 1;
  }

  /** Puts a process into a free slot. */
  fill(slot: Slot, life: Life): void {
    slot.life = life;
    this.taken++;
  }

  /** The process of the slot is gone. */
  free(slot: Slot): void {
    slot.life = undefined;
    this.taken--;
  }

  get processes(): number {
    return this.taken;
  }

  /** Forgets what slots without a process remember; the last of them go. */
  forgetFreeSlots(): void {
    while (this.slots.length > 0 && this.slots.at(-1)?.life === undefined) this.slots.pop();
    for (const [slot, { life }] of this.slots.entries()) {
      if (life === undefined) this.slots[slot] = this.emptySlot(slot);
    }
  }

  private emptySlot(slot: number): Slot {
    return {
      life: undefined,
      lastEnd: undefined,
      starts: [],
      memory: new SlotMemory({ group: this.name, slot: String(slot) }, this.detection),
      descriptors: new CountRise(this.detection),
      threads: new CountRise(this.detection),
    };
  }

  /** Processes that run now, by slot. */
  lives(): Life[] {
    return this.slots.flatMap(({ life }) => (life === undefined ? [] : [life]));
  }

  get running(): boolean {
    return this.taken > 0;
  }
}
