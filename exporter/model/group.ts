// Process groups and their slots. A process takes a free slot; when it ends, the next one takes it over. So the number of series is the
// largest number of processes that ran at once, however often they restart. Masters and workers do not take over each other's slots.

import type { Finding, ServiceFinding } from "../judge/finding.ts";
import { newSlot, type SlotState } from "../judge/slot-state.ts";
import { CountHistory } from "../memory/count-history.ts";
import { ServiceMemory } from "../memory/service-memory.ts";
import type { Life } from "./life.ts";

export type Role = "root" | "worker";

export interface Slot {
  life: Life | undefined;
  /** Of the life in it, or of the last one. */
  role: Role | undefined;
  /** Start times of the last roots in this slot, oldest first; in seconds since boot. */
  starts: number[];
  /** Memory over time, and what is claimed of it. It goes with a process that is named anew. */
  state: SlotState;
  /** What the judge said last of the process in it; undefined before it said anything. */
  finding: Finding | undefined;
  readonly descriptors: CountHistory;
  readonly threads: CountHistory;
}

export class Group {
  readonly name: string;
  readonly slots: Slot[] = [];
  /** What ended lives taught. */
  readonly memory = new ServiceMemory();
  /** What the judge said last of the service. */
  finding: ServiceFinding | undefined;
  /** Processes that would count as still growing if they exited now; undefined before one was watched for long enough. */
  growing: number | undefined;
  /** Slots that a process fills. */
  private taken = 0;
  private readonly speed: number;

  /** `speed`: how many times faster than life the judge's clock runs. */
  constructor(name: string, speed = 1) {
    this.name = name;
    this.speed = speed;
  }

  /** Index of a free slot for this role: the wanted one if it is free, else the lowest that no other role had, made if there is none. */
  freeSlot(role: Role, wanted?: Slot): number {
    const index = wanted === undefined ? -1 : this.slots.indexOf(wanted);
    if (index >= 0 && wanted?.life === undefined) return index;
    const free = this.slots.findIndex((slot) => slot.life === undefined && (slot.role ?? role) === role);
    if (free >= 0) return free;
    this.slots.push(this.emptySlot());
    return this.slots.length - 1;
  }

  /** The slot of this index, made with all before it if need be. */
  slotAt(index: number): Slot {
    while (this.slots.length <= index) this.slots.push(this.emptySlot());
    return this.slots[index] as Slot;
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
    slot.finding = undefined;
    this.taken--;
  }

  get processes(): number {
    return this.taken;
  }

  /** Forgets what slots without a process remember; the last of them go. */
  forgetFreeSlots(): void {
    while (this.slots.length > 0 && this.slots.at(-1)?.life === undefined) this.slots.pop();
    for (const [slot, { life }] of this.slots.entries()) {
      if (life === undefined) this.slots[slot] = this.emptySlot();
    }
  }

  private emptySlot(): Slot {
    return {
      life: undefined,
      role: undefined,
      starts: [],
      state: newSlot(this.speed),
      finding: undefined,
      descriptors: new CountHistory(this.speed),
      threads: new CountHistory(this.speed),
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
