// The places that roots have left. The next root of the service takes one over, and that is a restart, for the reason for which the one before
// had ended. Where an engine or an API describes the container, it is asked first.

import { ledger as defaults } from "../../catalog/defaults.ts";
import type { Slot } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import { type ContainerStates, isOfEndAfter, reasonByState } from "./container-state.ts";
import { isOom, occupantOf } from "./exit.ts";
import type { LastEnd, Ledger } from "./ledger.ts";
import type { Finding } from "./oom-evidence.ts";
import { type EndedOccupant, isRestart, type Occupant } from "./restart.ts";
import type { UnseenRestarts } from "./unseen-restarts.ts";

/** A place that a root has left. */
export interface Vacancy {
  readonly root: Life;
  readonly occupant: EndedOccupant;
  readonly slot: Slot | undefined;
  readonly end: LastEnd;
  readonly growing: boolean;
  /** Was its end counted? That of a helper is when it turns out to be a service. */
  readonly isBooked: boolean;
  /** Was a kill of those seconds nobody else's, though it was far from its limit? */
  readonly mayHaveBurst: boolean;
}

/** A restart that is booked when the engine has said how the container before it ended, or when it did not in time. */
interface Undecided {
  readonly vacancy: Vacancy;
  readonly group: string;
  readonly starts: readonly number[];
  readonly startTime: number;
  readonly until: number;
}

/** Places that are remembered of one group. */
const mostVacancies = 256;

export class Vacancies {
  private readonly ledger: Ledger;
  private readonly lives: ReadonlyMap<number, Life>;
  private readonly states: ContainerStates | undefined;
  private readonly unseen: UnseenRestarts | undefined;
  private readonly ofGroup = new Map<string, Vacancy[]>();
  private undecided: Undecided[] = [];
  /** Unix time of the boot, by the time of day of this pass. */
  private bootedAt = Number.NaN;

  constructor(options: {
    ledger: Ledger;
    lives: ReadonlyMap<number, Life>;
    states: ContainerStates | undefined;
    unseen: UnseenRestarts | undefined;
  }) {
    this.ledger = options.ledger;
    this.lives = options.lives;
    this.states = options.states;
    this.unseen = options.unseen;
  }

  /** A pass begins. `now` is in seconds since boot, `unix` the time of day. */
  begin({ now, unix }: { now: number; unix: number }): void {
    this.bootedAt = unix - now;
  }

  /** A root has left its place. */
  add(vacancy: Vacancy): void {
    const { root } = vacancy;
    this.show(root, "end");
    const { containerId } = root.identity;
    if (containerId !== undefined) this.states?.ended(containerId);
    const vacancies = this.ofGroup.get(root.group.name) ?? [];
    this.ofGroup.set(root.group.name, vacancies);
    vacancies.push(vacancy);
    if (vacancies.length > mostVacancies) vacancies.shift();
  }

  /** What a root left behind ended later: what killed it was what ended the service. */
  worsen(root: Life, finding: Finding): void {
    const vacancy = this.ofGroup.get(root.group.name)?.find((one) => one.root === root);
    if (vacancy !== undefined && isOom(finding) && !isOom(vacancy.end)) Object.assign(vacancy.end, finding);
  }

  /** The place that a new root takes over, if that makes it a restart. It is nobody else's from then on. */
  placeFor(life: Life): Vacancy | undefined {
    const vacancies = this.ofGroup.get(life.group.name);
    if (vacancies === undefined) return undefined;
    const occupant = occupantOf(life);
    const fitting = vacancies.filter((vacancy) => isRestart(vacancy.occupant, occupant));
    const inPlace = fitting.find(({ occupant: { place } }) => place !== undefined && place === occupant.place);
    const found = inPlace ?? fitting[0];
    if (found !== undefined) vacancies.splice(vacancies.indexOf(found), 1);
    return found;
  }

  /** A root took a place over: the service was restarted. `starts` are those in that place, seconds since boot, the new one last. */
  restarted(vacancy: Vacancy, life: Life, starts: readonly number[], now: number): void {
    const occupant = occupantOf(life);
    byPlace(vacancy, occupant);
    if (vacancy.occupant.place === occupant.place) this.show(life, "restart");
    const { containerId } = vacancy.root.identity;
    const restart = { vacancy, group: life.group.name, starts, startTime: life.startTime };
    if (containerId !== undefined && this.states?.peek(containerId) !== undefined) {
      this.undecided.push({ ...restart, until: now + defaults.stateWithinSeconds });
      this.decide(now);
    } else this.book(restart);
  }

  /** A pass is over: what the engine says of a container's end decides; else, after a while, what was concluded. */
  settle(now: number): void {
    this.decide(now);
    for (const [group, vacancies] of this.ofGroup) {
      const left = vacancies.filter(({ occupant }) => now - occupant.endedAt <= defaults.restart.inContainerSeconds);
      if (left.length === 0) this.ofGroup.delete(group);
      else if (left.length < vacancies.length) this.ofGroup.set(group, left);
    }
  }

  private decide(now: number): void {
    this.undecided = this.undecided.filter((restart) => {
      const { end, root } = restart.vacancy;
      const state = this.stateOf(restart.vacancy);
      if (state === undefined && now < restart.until) return true;
      if (state !== undefined) Object.assign(end, reasonByState(state, end, root.heapLimit, root.recentHigh.bytes));
      this.book(restart);
      return false;
    });
  }

  /** What the engine says of this very end. */
  private stateOf({ root, occupant }: Vacancy) {
    const { containerId } = root.identity;
    const state = containerId === undefined ? undefined : this.states?.endOf(containerId);
    return state && isOfEndAfter(state, this.bootedAt + occupant.lastSeenAt) ? state : undefined;
  }

  private book({ vacancy, group, starts, startTime }: Omit<Undecided, "until">): void {
    const { end, growing, isBooked, occupant } = vacancy;
    if (!isBooked) this.ledger.recordEnd(group, end, { growing, time: occupant.endedAt });
    const { reason } = end;
    if (reason === "scheduled" || reason === "recycled") return; // an end is neither before its restart
    this.ledger.recordRestart(group, reason, starts, startTime);
  }

  /** Tells of what the main process of a container does; what that starts in it is no business of the engine's. */
  private show(life: Life, what: "end" | "restart"): void {
    const { containerId } = life.identity;
    const parent = this.lives.get(life.parentPid);
    if (containerId === undefined || parent?.identity.containerId === containerId) return;
    this.unseen?.showed(containerId, life.group.name, what);
  }
}

/** Where a container comes back says what the machine's counter cannot: one that is replaced by another was taken away. */
function byPlace({ occupant, end, mayHaveBurst }: Vacancy, { place }: Occupant): void {
  if (occupant.place === undefined || !occupant.isContainer) return;
  const inPlace = place === occupant.place;
  if (end.evidence === "node_oom_kill" && !inPlace) Object.assign(end, { reason: "exit", evidence: "none" });
  if (end.reason === "exit" && mayHaveBurst && inPlace) {
    Object.assign(end, { reason: "suspected_oom", evidence: "node_oom_kill" });
  }
}
