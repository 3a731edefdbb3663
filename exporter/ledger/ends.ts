// The ends of processes, and what they mean for their service. A root that ended takes its workers with it, and leaves a place that the next
// root takes: that is a restart. A worker that ends under a living root was recycled. Of jobs only their OOM kills are told.

import { ledger as defaults } from "../../catalog/defaults.ts";
import { type Detection, detection } from "../../catalog/detection.ts";
import type { EndedLifeThresholds } from "../../catalog/ended-life.ts";
import { isOneShot } from "../discovery/origin.ts";
import { type EndedLifeVerdict, judgeEndedLife } from "../memory/ended-life.ts";
import { column, type ProcessTable } from "../memory/process-table.ts";
import type { Slot } from "../model/group.ts";
import { isService, type Life, rootOf } from "../model/life.ts";
import type { ExitStatus } from "../procfs/stat.ts";
import { type Cgroups, killCounterOf, type WatchedCgroup } from "../samplers/cgroups.ts";
import { type ContainerStates, isOfEndAfter, reasonByState } from "./container-state.ts";
import { growthShares } from "./growth-shares.ts";
import type { LastEnd, Ledger } from "./ledger.ts";
import { type EndedFacts, type Finding, findReasons } from "./oom-evidence.ts";
import { type EndedOccupant, isRestart, type Occupant } from "./restart.ts";
import { UnclaimedKills } from "./unclaimed-kills.ts";
import type { UnseenRestarts } from "./unseen-restarts.ts";

/** What else is known while ends are booked. */
export interface Surroundings {
  readonly table: ProcessTable;
  readonly cgroups: Cgroups;
  /** All that are watched, those that have just ended included. */
  readonly lives: ReadonlyMap<number, Life>;
  /** Share of the machine's memory that is in use; NaN where it is not known. */
  readonly nodeUsedRatio: number;
}

/** One pass. Times in seconds since boot. */
export interface Look {
  readonly now: number;
  /** Unix time of now. */
  readonly unix: number;
  /** OOM kills on the machine since the last pass; undefined where the kernel does not say. */
  readonly nodeOomKills: number | undefined;
  /** Were passes missed, so that nobody saw what happened? */
  readonly missed: boolean;
  /** Lets other work run when it is time. */
  readonly pause: () => Promise<void> | undefined;
}

export interface Ended {
  readonly life: Life;
  /** How it ended, where that was seen. */
  readonly exit: ExitStatus | undefined;
}

/** One end, with everything that is concluded from it. */
interface Exit {
  readonly life: Life;
  readonly root: Life;
  finding: Finding;
  readonly verdict: EndedLifeVerdict;
  readonly limitRatio: number | undefined;
  readonly lifetime: number;
  readonly lastSeenAt: number;
  readonly at: number;
}

/** A place that a root has left. */
interface Vacancy {
  readonly root: Life;
  readonly occupant: EndedOccupant;
  readonly containerId: string | undefined;
  readonly slot: Slot | undefined;
  readonly end: LastEnd;
  readonly growing: boolean;
  /** Was its end counted? That of a helper is when it turns out to be a service. */
  readonly isBooked: boolean;
  /** Was the machine's kill of those seconds nobody else's, though it was far from its limit? */
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

/** One kill of all that was in a cgroup. Its victims end one after the other. */
interface GroupKill {
  /** In seconds since boot. */
  readonly seenAt: number;
  /** Groups to which it was credited. */
  readonly credited: Set<string>;
}

/** Places that are remembered of one group. */
const mostVacancies = 256;

export class Ends {
  private readonly surroundings: Surroundings;
  private readonly ledger: Ledger;
  private readonly thresholds: EndedLifeThresholds;
  private readonly hour: number;
  private readonly states: ContainerStates | undefined;
  private readonly unseen: UnseenRestarts | undefined;
  private readonly kills = new UnclaimedKills();
  /** Events that killed all of a cgroup at once, by the counter that saw them. */
  private readonly groupKills = new Map<string, GroupKill>();
  private readonly vacancies = new Map<string, Vacancy[]>();
  /** Exits of workers whose master may be ending too. */
  private waiting: Exit[] = [];
  private undecided: Undecided[] = [];
  private lastLook = Number.NEGATIVE_INFINITY;
  /** Unix time of the boot, by the time of day of the last look. */
  private bootedAt = Number.NaN;

  constructor(options: {
    surroundings: Surroundings;
    ledger: Ledger;
    thresholds?: EndedLifeThresholds;
    detection?: Detection;
    states?: ContainerStates | undefined;
    unseen?: UnseenRestarts | undefined;
  }) {
    const windows = options.detection ?? detection;
    this.surroundings = options.surroundings;
    this.ledger = options.ledger;
    this.thresholds = options.thresholds ?? windows.endedLife;
    this.hour = 60 * windows.evaluation.fast;
    this.states = options.states;
    this.unseen = options.unseen;
  }

  /** Books the ends of one pass together: one counter may have seen several of them, and a master ends with its workers. */
  async record(ended: readonly Ended[], look: Look): Promise<void> {
    this.seeKills(look);
    this.bootedAt = look.unix - look.now;
    for (const { life } of ended) life.endedAt = look.now;
    const exits = await this.examine(ended, look);
    for (const exit of exits) if (exit.life === exit.root) this.bookRoot(exit, exits);
    for (const exit of exits) if (exit.life !== exit.root) this.waitForMaster(exit);
    this.bookWorkers(look.now);
    this.decide(look.now);
    this.forgetVacancies(look.now);
    this.lastLook = look.now;
  }

  /** The place that a new root takes over, if that makes it a restart. It is nobody else's from then on. */
  placeFor(life: Life): Vacancy | undefined {
    const vacancies = this.vacancies.get(life.group.name);
    if (vacancies === undefined) return undefined;
    const occupant = occupantOf(life);
    const fitting = vacancies.filter((vacancy) => isRestart(vacancy.occupant, occupant));
    const found =
      fitting.find(({ occupant: { place } }) => place !== undefined && place === occupant.place) ?? fitting[0];
    if (found !== undefined) vacancies.splice(vacancies.indexOf(found), 1);
    return found;
  }

  /** A root took a place over: the service was restarted. `starts` are those in that place, seconds since boot, the new one last. */
  restarted(vacancy: Vacancy, life: Life, starts: readonly number[], now: number): void {
    const occupant = occupantOf(life);
    this.byPlace(vacancy, occupant);
    if (vacancy.occupant.place === occupant.place) this.show(life, "restart");
    const { containerId } = vacancy;
    const restart = { vacancy, group: life.group.name, starts, startTime: life.startTime };
    if (containerId !== undefined && this.states?.peek(containerId) !== undefined) {
      this.undecided.push({ ...restart, until: now + defaults.stateWithinSeconds });
      this.decide(now);
    } else this.book(restart);
  }

  /** What the engine says of a container's end decides; else what was concluded. */
  private decide(now: number): void {
    this.undecided = this.undecided.filter((restart) => {
      const { end, root } = restart.vacancy;
      const state = this.stateOf(restart.vacancy);
      if (state === undefined && now < restart.until) return true;
      if (state !== undefined) Object.assign(end, reasonByState(state, end, root.identity.heap, root.recentHigh.bytes));
      this.book(restart);
      return false;
    });
  }

  /** What the engine says of this very end. */
  private stateOf({ containerId, occupant }: Vacancy) {
    const state = containerId === undefined ? undefined : this.states?.endOf(containerId);
    return state && isOfEndAfter(state, this.bootedAt + occupant.lastSeenAt) ? state : undefined;
  }

  /** Tells of what the main process of a container does; what that starts in it is no business of the engine's. */
  private show(life: Life, what: "end" | "restart"): void {
    const { containerId } = life.identity;
    const parent = this.surroundings.lives.get(life.parentPid);
    if (containerId === undefined || parent?.identity.containerId === containerId) return;
    this.unseen?.showed(containerId, life.group.name, what);
  }

  private book({ vacancy, group, starts, startTime }: Omit<Undecided, "until">): void {
    const { end, growing, isBooked, occupant } = vacancy;
    if (!isBooked) this.ledger.recordEnd(group, end, { growing, time: occupant.endedAt });
    const { reason } = end;
    if (reason === "scheduled" || reason === "recycled") return; // an end is neither before its restart
    this.ledger.recordRestart(group, reason, starts, startTime);
  }

  /** Where a container comes back says what the machine's counter cannot: one that is replaced by another was taken away. */
  private byPlace({ occupant, end, mayHaveBurst }: Vacancy, { place }: Occupant): void {
    if (occupant.place === undefined || !occupant.isContainer) return;
    const inPlace = place === occupant.place;
    if (end.evidence === "node_oom_kill" && !inPlace) Object.assign(end, { reason: "exit", evidence: "none" });
    if (end.reason === "exit" && mayHaveBurst && inPlace) {
      Object.assign(end, { reason: "suspected_oom", evidence: "node_oom_kill" });
    }
  }

  private async examine(ended: readonly Ended[], look: Look): Promise<Exit[]> {
    if (ended.length === 0) return [];
    const facts = this.factsOf(ended);
    const findings = findReasons(facts, {
      cgroup: (key) => this.kills.count(key),
      parent: (key) => this.kills.count(`above ${key}`),
      node: look.nodeOomKills === undefined ? undefined : this.kills.count("node") - this.kills.countOthers("node"),
    });
    const exits: Exit[] = [];
    for (const [i, { life }] of ended.entries()) {
      const found = findings[i] as Finding;
      const unseen = look.missed && found.reason === "exit";
      const resident = life.recentHigh.bytes / this.surroundings.table.get(life.row, column.memoryLimit);
      exits.push({
        life,
        root: rootOf(life),
        finding: unseen ? { reason: "unknown", evidence: "not_watched" } : found,
        verdict: judgeEndedLife(life.history, this.thresholds),
        limitRatio: Number.isFinite(resident) ? resident : undefined,
        lifetime: look.now - life.bornAt,
        lastSeenAt: Math.max(life.firstSeen, this.lastLook),
        at: look.now,
      });
      await look.pause();
    }
    this.creditKills(exits, facts, look);
    return exits;
  }

  private seeKills({ nodeOomKills, now }: Look): void {
    const { cgroups } = this.surroundings;
    for (const { counter, count } of this.kills.nextPass(now)) this.creditUnclaimed(counter, count);
    const remembered = 2 * defaults.victimIsGoneWithinSeconds; // longer than kills are unclaimed
    for (const [counter, { seenAt }] of this.groupKills) if (now - seenAt > remembered) this.groupKills.delete(counter);
    this.kills.see("node", nodeOomKills ?? 0, now);
    /** Kills that a cgroup above saw and those below it that we know did not. */
    const above = new Map<string, number>();
    const seen = new Set<string>();
    for (const cgroup of cgroups) {
      const { parent, newOomKills } = cgroup;
      const counter = killCounterOf(cgroup);
      const isNews = !seen.has(counter);
      seen.add(counter);
      if (isNews) this.kills.see(counter, newOomKills, now);
      const groupKill = cgroups.groupKillOf(cgroup);
      if (groupKill !== undefined) this.groupKills.set(groupKill, { seenAt: now, credited: new Set() });
      if (parent === undefined || !isNews) continue;
      above.set(parent, (above.get(parent) ?? cgroups.newOomKillsUnder(parent)) - newOomKills);
    }
    for (const [parent, kills] of above) this.kills.see(`above ${parent}`, kills, now);
  }

  /** Every kill also showed on the machine. */
  private claim({ evidence }: Finding, { cgroup, parent }: EndedFacts): void {
    if (!evidence.endsWith("_oom_kill")) return;
    this.kills.claim("node");
    if (evidence === "parent_oom_kill") this.kills.claim(`above ${parent}`);
    if (evidence === "cgroup_oom_kill" && cgroup !== undefined) this.kills.claim(cgroup);
  }

  /** Each kill is counted for the service of its victim; one that takes a whole cgroup at once, once for each service. */
  private creditKills(exits: readonly Exit[], facts: readonly EndedFacts[], look: Look): void {
    for (const [i, { life, finding }] of exits.entries()) {
      this.claim(finding, facts[i] as EndedFacts);
      if (finding.reason !== "oom" && finding.reason !== "suspected_oom") continue;
      const account = this.ledger.account(life.group.name);
      account.lastOomGrowth = growthShares(this.sharingLimitWith(life), look.now, this.hour);
      const event = this.groupKillOf(life, finding);
      if (finding.reason === "oom" && !event?.credited.has(life.group.name)) account.oomKills++;
      event?.credited.add(life.group.name);
    }
  }

  /** The event that took all of its cgroup, of which the counter that saw its kill tells. */
  private groupKillOf({ cgroup }: Life, { evidence }: Finding): GroupKill | undefined {
    if (cgroup === undefined) return undefined;
    if (evidence === "cgroup_oom_kill") return this.groupKills.get(killCounterOf(cgroup));
    return evidence === "parent_oom_kill" ? this.groupKills.get(cgroup.parent ?? "") : undefined;
  }

  /** No watched process ended by them: they are counted for a service of that cgroup. */
  private creditUnclaimed(counter: string, count: number): void {
    for (const { cgroup, group } of this.surroundings.lives.values()) {
      if (cgroup === undefined || killCounterOf(cgroup) !== counter) continue;
      const event = this.groupKills.get(counter);
      if (event === undefined || event.credited.size === 0) {
        this.ledger.account(group.name).oomKills += event === undefined ? count : 1;
      }
      event?.credited.add(group.name);
      return;
    }
  }

  private *sharingLimitWith({ cgroup, limitSource }: Life): Generator<Life> {
    for (const life of this.surroundings.lives.values()) {
      const isBeside = life.cgroup === cgroup || (limitSource === "ancestor" && life.cgroup?.parent === cgroup?.parent);
      if (limitSource === "node" || isBeside) yield life;
    }
  }

  private factsOf(ended: readonly Ended[]): EndedFacts[] {
    const firstToGo = this.firstToGo();
    const used = this.usedByCgroup();
    return ended.map(({ life, exit }) => {
      const resident = life.recentHigh.bytes;
      return {
        limitRatio: this.limitRatio(life, used),
        resident: Number.isNaN(resident) ? 0 : resident,
        cgroup: life.cgroup && killCounterOf(life.cgroup),
        parent: life.cgroup?.parent,
        isParentPod: podOf(life) !== undefined,
        firstToGo: life === firstToGo,
        exit,
        acquittedBy: life.cgroup && this.surroundings.cgroups.countersOf(life.cgroup),
      };
    });
  }

  /** Memory as a share of the limit: its own, or that of all watched processes in its cgroup where they share a limit. */
  private limitRatio(life: Life, usedByCgroup: ReadonlyMap<WatchedCgroup, number>): number | undefined {
    const limit = this.surroundings.table.get(life.row, column.memoryLimit);
    const shared =
      life.limitSource === "cgroup" && life.cgroup !== undefined ? usedByCgroup.get(life.cgroup) : undefined;
    const ratio = (shared ?? life.recentHigh.bytes) / limit;
    return Number.isFinite(ratio) ? ratio : undefined;
  }

  private usedByCgroup(): Map<WatchedCgroup, number> {
    const used = new Map<WatchedCgroup, number>();
    for (const { cgroup, recentHigh } of this.surroundings.lives.values()) {
      const resident = recentHigh.bytes;
      if (cgroup !== undefined && !Number.isNaN(resident)) used.set(cgroup, (used.get(cgroup) ?? 0) + resident);
    }
    return used;
  }

  /** The largest of all, if the machine could be short of memory and no limit of its own would have ended it before. */
  private firstToGo(): Life | undefined {
    if (!(this.surroundings.nodeUsedRatio >= defaults.farFromLimitRatio)) return undefined;
    let largest: Life | undefined;
    let most = 0;
    for (const life of this.surroundings.lives.values()) {
      const resident = life.recentHigh.bytes;
      if (resident > most) [largest, most] = [life, resident];
    }
    return largest?.limitSource === "node" || largest?.limitSource === "unknown" ? largest : undefined;
  }

  /** A root ended, and with it those of its workers that ended now or a moment ago. */
  private bookRoot(exit: Exit, exits: readonly Exit[]): void {
    const { life, lifetime } = exit;
    const isOfIt = (other: Exit) => other.root === life && other !== exit;
    const workers = [...exits.filter(isOfIt), ...this.waiting.filter(isOfIt)];
    this.waiting = this.waiting.filter((other) => !isOfIt(other));
    const gravest = [exit, ...workers].reduce((a, b) => (gravity(b) > gravity(a) ? b : a));
    const end = lastEndOf(gravest, lifetime);
    const growing = [exit, ...workers].some(({ verdict }) => verdict.growing);
    const isBooked = isService(life, lifetime, defaults.restart.helperLivesSeconds);
    if (!isBooked) {
      if (isOom(gravest.finding)) this.ledger.account(life.group.name).lastEnd = end;
    } else this.ledger.recordEnd(life.group.name, end, { growing, time: exit.at });
    if (life.origin === "job" && !life.hasWorkers) return;
    this.show(life, "end");
    const { containerId } = life.identity;
    if (containerId !== undefined) this.states?.ended(containerId);
    const vacancies = this.vacancies.get(life.group.name) ?? [];
    this.vacancies.set(life.group.name, vacancies);
    vacancies.push({
      root: life,
      occupant: { ...occupantOf(life), lastSeenAt: exit.lastSeenAt, endedAt: exit.at, isForkServer: life.hasWorkers },
      containerId,
      slot: life.group.slots[life.slot],
      end,
      growing,
      isBooked,
      mayHaveBurst: this.mayHaveBurst(exit, exits),
    });
    if (vacancies.length > mostVacancies) vacancies.shift();
  }

  /** A counter saw a kill that nobody else accounts for, and this is the only end to which it could belong. */
  private mayHaveBurst({ life, finding }: Exit, exits: readonly Exit[]): boolean {
    if (finding.evidence !== "none") return false;
    const counter = this.openKillOf(life);
    if (counter === undefined) return false;
    const others = exits.filter((exit) => exit.life !== life && exit.root !== life);
    if (others.some((exit) => this.openKillOf(exit.life) === counter)) return false;
    this.kills.claim("node");
    if (counter !== "node") this.kills.claim(counter);
    return true;
  }

  /** The counter with a kill that could be that of this process, and is nobody's yet. */
  private openKillOf({ cgroup }: Life): string | undefined {
    const counters = cgroup && this.surroundings.cgroups.countersOf(cgroup);
    if (counters === undefined || counters.own) return undefined;
    const above = `above ${cgroup?.parent}`;
    if (counters.above) return this.kills.count(above) > 0 ? above : undefined;
    return this.kills.count("node") > this.kills.countOthers("node") ? "node" : undefined;
  }

  /** A worker ended: counted when its master has outlived it for a while, at once when the kernel killed it. */
  private waitForMaster(exit: Exit): void {
    const { root, finding } = exit;
    if (root.endedAt === undefined) {
      if (isOom(finding)) this.bookWorkersOf([exit]);
      else this.waiting.push(exit);
      return;
    }
    // what its master left behind; what killed it was what ended the service
    const vacancy = this.vacancies.get(root.group.name)?.find((one) => one.root === root);
    if (vacancy !== undefined && isOom(finding) && !isOom(vacancy.end)) Object.assign(vacancy.end, finding);
  }

  private bookWorkers(now: number): void {
    const isDue = ({ at, root }: Exit) => root.endedAt !== undefined || now - at >= defaults.masterOutlivesSeconds;
    const due = this.waiting.filter(isDue);
    if (due.length === 0) return;
    this.waiting = this.waiting.filter((exit) => !isDue(exit));
    this.bookWorkersOf(due.filter(({ root }) => root.endedAt === undefined));
  }

  /** Those of one master that ended at once count once as an end, so that a reload is no row of leaks. */
  private bookWorkersOf(exits: readonly Exit[]): void {
    const byRoot = Map.groupBy(
      exits.filter(({ root, lifetime }) => isService(root, lifetime, defaults.restart.helperLivesSeconds)),
      ({ root, at }) => `${root.pid} ${root.bornAt} ${at}`,
    );
    for (const together of byRoot.values()) {
      const [first] = together as [Exit, ...Exit[]];
      const { name } = first.life.group;
      for (const { finding, verdict } of together) this.ledger.recordWorkerExit(name, finding.reason, verdict.growing);
      const gravest = together.reduce((a, b) => (gravity(b) > gravity(a) ? b : a));
      const end = lastEndOf(gravest, gravest.lifetime);
      if (end.reason === "exit") end.reason = "recycled";
      const growing = together.some(({ verdict }) => verdict.growing);
      this.ledger.recordEnd(name, end, { growing, time: first.at });
    }
  }

  private forgetVacancies(now: number): void {
    for (const [group, vacancies] of this.vacancies) {
      const kept = vacancies.filter(({ occupant }) => now - occupant.endedAt <= defaults.restart.inContainerSeconds);
      if (kept.length === 0) this.vacancies.delete(group);
      else if (kept.length < vacancies.length) this.vacancies.set(group, kept);
    }
  }
}

const isOom = ({ reason }: { reason: string }) => reason === "oom" || reason === "suspected_oom";

/** Which of several ends says most about why all of them ended. */
const gravity = ({ finding: { reason } }: Exit) => ["unknown", "exit", "suspected_oom", "oom"].indexOf(reason);

const lastEndOf = ({ finding, limitRatio, verdict }: Exit, lifetime: number): LastEnd => ({
  ...finding,
  limitRatio,
  growthPerSecond: verdict.growthPerSecond,
  lifetime,
});

/** The pod of a process; undefined outside Kubernetes. A container beside ours, as a sidecar sees it, is of our own pod. */
const podOf = ({ identity, cgroup }: Pick<Life, "identity" | "cgroup">) =>
  identity.podUid ?? (cgroup?.path.startsWith("/../") ? "own pod" : undefined);

/** What is compared when another takes its place. */
function occupantOf({ origin, bornAt, parentPid, commandHash, identity, cgroup }: Life): Occupant {
  const { containerId, unit, comm } = identity;
  const place = podOf({ identity, cgroup }) ?? containerId;
  return {
    origin,
    bornAt,
    place: place ?? unit,
    isContainer: place !== undefined,
    isJob: identity.isJob === true,
    parentPid,
    commandHash,
    isOneShot: isOneShot(comm),
  };
}
