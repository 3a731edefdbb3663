// Process groups and their slots. A process takes a free slot; when it ends, the next one takes it over. So the number of series is the
// largest number of processes that ran at once, however often they restart. Masters and workers do not take over each other's slots.

import { type Detection, detection } from "../../catalog/detection.ts";
import { CountRise } from "../memory/count-rise.ts";
import { SlotMemory } from "../memory/slot-memory.ts";
import type { Life } from "./life.ts";

export type Role = "root" | "worker";

export interface Slot {
  life: Life | undefined;
  /** Of the life in it, or of the last one. */
  role: Role | undefined;
  /** Start times of the last roots in this slot, oldest first; in seconds since boot. */
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

  /** Index of a free slot for this role: the wanted one if it is free, else the lowest that no other role had, made if there is none. */
  freeSlot(role: Role, wanted?: Slot): number {
    const index = wanted === undefined ? -1 : this.slots.indexOf(wanted);
    if (index >= 0 && wanted?.life === undefined) return index;
    const free = this.slots.findIndex((slot) => slot.life === undefined && (slot.role ?? role) === role);
    if (free >= 0) return free;
    this.slots.push(this.emptySlot(this.slots.length));
    return this.slots.length - 1;
  }

  /** Puts a process into a free slot. */
  fill(slot: Slot, life: Life, role: Role): void {
    slot.life = life;
    slot.role = role;
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
      role: undefined,
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
