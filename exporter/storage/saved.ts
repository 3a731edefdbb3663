// What is written down of a service and of each of its processes, and how it comes back. Only of processes that still run, told by
// their pid and start: nothing is made up about what happened meanwhile.

import type { ClaimState } from "../judge/slot-state.ts";
import type { GroupAccount } from "../ledger/ledger.ts";
import type { SavedCounts } from "../memory/count-history.ts";
import type { SavedLife } from "../memory/life-history.ts";
import type { SavedService } from "../memory/service-memory.ts";
import type { SavedHistory } from "../memory/slot-history.ts";
import type { Group, Role, Slot } from "../model/group.ts";
import type { Life } from "../model/life.ts";

/** A line about a service. */
export interface SavedGroup {
  readonly group: string;
  readonly account: GroupAccount;
  readonly memory: SavedService;
}

/** A line about a slot; `pid` is null where no process filled it. */
export interface SavedSlot {
  readonly slot: number;
  readonly group: string;
  readonly pid: number | null;
  readonly bornAt: number | null;
  readonly firstSeen: number | null;
  readonly role: Role | null;
  readonly starts: readonly number[];
  readonly history: SavedHistory;
  readonly claims: readonly (readonly [string, ClaimState])[];
  readonly life: SavedLife | null;
  readonly descriptors: SavedCounts;
  readonly threads: SavedCounts;
}

export const saveGroup = (group: Group, account: GroupAccount): SavedGroup => ({
  group: group.name,
  account,
  memory: group.memory.save(),
});

export function saveSlot({ name }: Group, index: number, slot: Slot): SavedSlot {
  const { life, state } = slot;
  return {
    slot: index,
    group: name,
    pid: life?.pid ?? null,
    bornAt: life?.bornAt ?? null,
    firstSeen: life?.firstSeen ?? null,
    role: slot.role ?? null,
    starts: slot.starts,
    history: state.history.save(),
    claims: state.saveClaims(),
    life: life?.history.save() ?? null,
    descriptors: slot.descriptors.save(),
    threads: slot.threads.save(),
  };
}

/** What the last exporter knew, until each piece is asked for. */
export class Remembered {
  private readonly groups = new Map<string, SavedGroup>();
  private readonly slots = new Map<string, SavedSlot[]>();
  private readonly processes = new Map<string, SavedSlot>();
  /** Those of them, so that they find their slots free. */
  readonly pids = new Set<number>();

  add(line: Record<string, unknown>): void {
    if (typeof line["slot"] !== "number") this.groups.set(String(line["group"]), line as unknown as SavedGroup);
    else {
      const slot = line as unknown as SavedSlot;
      const others = this.slots.get(slot.group) ?? [];
      others.push(slot);
      this.slots.set(slot.group, others);
      if (slot.pid !== null) this.pids.add(slot.pid);
      if (slot.pid !== null) this.processes.set(keyOf(slot.pid, slot.bornAt as number), slot);
    }
  }

  get size(): number {
    return this.processes.size;
  }

  /** What was counted of each group. */
  *accounts(): Generator<[string, GroupAccount]> {
    for (const [name, { account }] of this.groups) yield [name, account];
  }

  /** A group is met again: what it learned, and its slots, all of them free. */
  fillGroup(group: Group): void {
    const saved = this.groups.get(group.name);
    if (saved !== undefined) group.memory.restore(saved.memory);
    for (const slot of this.slots.get(group.name) ?? []) {
      const target = group.slotAt(slot.slot);
      target.role = slot.role ?? undefined;
      target.starts = [...slot.starts];
      target.state.history.restore(slot.history);
    }
  }

  /** The slot that a process had, where it is the same one. */
  slotOf({ pid, bornAt, group }: Life): number | undefined {
    const saved = this.processes.get(keyOf(pid, bornAt));
    return saved?.group === group.name ? saved.slot : undefined;
  }

  /** A process is met again. Returns since when it has been watched, in seconds since boot; undefined for one that is new. */
  fillProcess({ pid, bornAt, history }: Life, slot: Slot): number | undefined {
    const saved = this.processes.get(keyOf(pid, bornAt));
    if (saved === undefined) return undefined;
    this.processes.delete(keyOf(pid, bornAt));
    slot.state.history.restore(saved.history);
    slot.state.restoreClaims(saved.claims);
    if (saved.life !== null) history.restore(saved.life);
    slot.descriptors.restore(saved.descriptors);
    slot.threads.restore(saved.threads);
    return saved.firstSeen ?? undefined;
  }
}

/** Start times are whole ticks of the kernel. */
const keyOf = (pid: number, bornAt: number) => `${pid} ${Math.round(bornAt * 100)}`;
