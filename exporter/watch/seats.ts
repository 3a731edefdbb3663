// Who sits where: processes in the slots of their groups, roots and workers apart. A root that takes the place of one that ended is a restart.

import { endedLives } from "../../detection/judge.ts";
import { type BoundName, Bounds } from "../discovery/bounds.ts";
import type { KernelFiles } from "../kernel/files.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Vacancies } from "../ledger/vacancies.ts";
import { Group } from "../model/group.ts";
import { type Life, rootOf } from "../model/life.ts";
import { tookOverSockets } from "../samplers/inherited-sockets.ts";
import type { Remembered } from "../storage/saved.ts";
import type { Ancestry } from "./ancestry.ts";

export class Seats {
  readonly groups = new Map<string, Group>();
  readonly bounds: Bounds;
  private readonly files: KernelFiles;
  private readonly ledger: Ledger;
  private readonly vacancies: Vacancies;
  private readonly ancestry: Ancestry;
  private readonly speed: number;
  /** What an earlier exporter knew; undefined once everything that still runs was met. */
  remembered: Remembered | undefined;
  private runningGroups = 0;

  constructor(options: {
    files: KernelFiles;
    ledger: Ledger;
    vacancies: Vacancies;
    ancestry: Ancestry;
    speed: number;
    remembered?: Remembered | undefined;
    maxProcesses: number | undefined;
  }) {
    this.files = options.files;
    this.ledger = options.ledger;
    this.vacancies = options.vacancies;
    this.ancestry = options.ancestry;
    this.speed = options.speed;
    this.remembered = options.remembered;
    this.bounds = new Bounds(options.maxProcesses);
  }

  /** The bound that keeps a process of this owner out of a group; undefined where there is room. */
  boundAgainst(owner: string, group: string): BoundName | undefined {
    const inGroup = this.groups.get(group)?.processes || undefined;
    return this.bounds.against(owner, { groups: this.runningGroups, inGroup });
  }

  group(name: string): Group {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new Group(name, this.speed);
      this.remembered?.fillGroup(group);
      this.groups.set(name, group);
    }
    return group;
  }

  /** Puts a process into a slot of its group, as a worker or as a root. `now` is in seconds since boot. */
  assignSlot(life: Life, now: number): void {
    const { group } = life;
    life.parent = this.ancestry.parentIn(group, life);
    const role = life.parent === undefined ? "root" : "worker";
    const vacancy = role === "root" ? this.vacancies.placeFor(life) : undefined;
    const before = this.remembered?.slotOf(life);
    life.slot = group.freeSlot(role, vacancy?.slot ?? (before === undefined ? undefined : group.slots[before]));
    const slot = group.slots[life.slot];
    if (slot === undefined) return;
    life.firstSeen = this.remembered?.fillProcess(life, slot) ?? life.firstSeen;
    if (!group.running) this.runningGroups++;
    group.fill(slot, life, role);
    group.memory.begin(String(life.slot), now, endedLives.followedWithin / this.speed, life.bornAt);
    this.noteRunning(life);
    if (role === "worker") return;
    this.ancestry.isRoot(life, true);
    // the same service all along, under another process id
    if (vacancy !== undefined && tookOverSockets(this.files, vacancy.root.sockets, life)) return;
    if (slot.starts.at(-1) !== life.bornAt)
      slot.starts = [...slot.starts, life.bornAt].slice(-this.ledger.rememberedStarts);
    if (vacancy !== undefined) this.vacancies.restarted(vacancy, life, slot.starts, now);
  }

  private noteRunning(life: Life): void {
    const account = this.ledger.account(life.group.name);
    const { podUid, programName } = life.identity;
    account.goneSince = undefined;
    account.podUid = programName === undefined ? undefined : podUid;
    if (life.parent === undefined) return;
    account.hasWorkers = true;
    rootOf(life).hasWorkers = true;
  }

  freeSlot(life: Life, now: number): void {
    const { group } = life;
    this.ancestry.isRoot(life, false);
    const slot = group.slots[life.slot];
    if (slot !== undefined) group.free(slot);
    if (group.running) return;
    this.runningGroups--;
    this.ledger.account(group.name).goneSince = now;
  }

  /** Not an end and no restart: the process goes on under another name. Returns the bound that leaves it without a slot. */
  move(life: Life, name: string, now: number): BoundName | undefined {
    const state = life.group.slots[life.slot]?.state;
    this.leave(life, now);
    this.bounds.giveBack(life.owner);
    const bound = this.boundAgainst(life.owner, name);
    this.bounds.take(life.owner);
    if (bound !== undefined) return bound;
    life.group = this.group(name);
    this.assignSlot(life, now);
    const slot = life.group.slots[life.slot];
    if (slot !== undefined && state !== undefined) slot.state = state; // what is known of it goes with it
    return undefined;
  }

  /** It goes on, but not here: a name that it wore for a moment leaves nothing behind. */
  leave(life: Life, now: number): void {
    const { group } = life;
    this.freeSlot(life, now);
    if (group.running || !this.ledger.isEmpty(group.name)) return;
    this.groups.delete(group.name);
    this.ledger.forget(group.name);
  }

  /** Workers whose master has ended go on by themselves: each is then a root. */
  promoteOrphans(lives: Iterable<Life>, now: number, outlivedSeconds: number): void {
    for (const life of lives) {
      const { parent } = life;
      if (parent?.endedAt === undefined) continue;
      if (parent.parent !== undefined) life.parent = parent.parent;
      else if (now - parent.endedAt >= outlivedSeconds) {
        life.parent = undefined;
        this.ancestry.isRoot(life, true);
        const slot = life.group.slots[life.slot];
        if (slot !== undefined) slot.role = "root";
      }
    }
  }

  /** Slots without a process keep a history; those of many processes that ended would fill the memory. */
  forgetFreeSlots(): void {
    let slots = 0;
    for (const group of this.groups.values()) slots += group.slots.length;
    if (slots <= this.bounds.processes) return;
    for (const group of this.groups.values()) group.forgetFreeSlots();
  }
}
