// Whom the kernel killed for lack of memory: counters are asked in each pass, kills wait for their victims, and each is credited to the
// service of one. What the evidence says is in oom-evidence.ts.

import { ledger as defaults } from "../../catalog/defaults.ts";
import { column, type ProcessTable } from "../memory/process-table.ts";
import type { Life } from "../model/life.ts";
import { type Cgroups, killCounterOf, type WatchedCgroup } from "../samplers/cgroups.ts";
import { type Ended, type Exit, type Pass, podOf } from "./exit.ts";
import { growthShares } from "./growth-shares.ts";
import type { Ledger } from "./ledger.ts";
import { type EndedFacts, type Finding, findReasons } from "./oom-evidence.ts";
import { UnclaimedKills } from "./unclaimed-kills.ts";

/** What else is known while ends are booked. */
export interface Surroundings {
  readonly table: ProcessTable;
  readonly cgroups: Cgroups;
  /** All that are watched, those that have just ended included. */
  readonly lives: ReadonlyMap<number, Life>;
  /** Share of the machine's memory that is in use; NaN where it is not known. */
  readonly nodeUsedRatio: number;
}

/** One kill of all that was in a cgroup. Its victims end one after the other. */
interface GroupKill {
  /** In seconds since boot. */
  readonly seenAt: number;
  /** Groups to which it was credited. */
  readonly credited: Set<string>;
}

export class OomKills {
  private readonly surroundings: Surroundings;
  private readonly ledger: Ledger;
  /** Length of the time before a kill in which growth is compared, in seconds. */
  private readonly hour: number;
  private readonly kills = new UnclaimedKills();
  /** Events that killed all of a cgroup at once, by the counter that saw them. */
  private readonly groupKills = new Map<string, GroupKill>();

  constructor(surroundings: Surroundings, ledger: Ledger, hour: number) {
    this.surroundings = surroundings;
    this.ledger = ledger;
    this.hour = hour;
  }

  /** A pass begins: what the counters saw, and what nobody has claimed in time. */
  see({ nodeOomKills, now }: Pass): void {
    const { cgroups } = this.surroundings;
    for (const { counter, count } of this.kills.nextPass(now)) this.creditUnclaimed(counter, count);
    const remembered = 2 * defaults.victimIsGoneWithinSeconds; // longer than kills are unclaimed
    for (const [counter, { seenAt }] of this.groupKills) if (now - seenAt > remembered) this.groupKills.delete(counter);
    this.kills.see("node", nodeOomKills ?? 0, now);
    const seen = new Set<string>();
    for (const cgroup of cgroups) {
      const counter = killCounterOf(cgroup);
      if (!seen.has(counter)) this.kills.see(counter, cgroup.newOomKills, now);
      seen.add(counter);
      const groupKill = cgroups.groupKillOf(cgroup);
      if (groupKill !== undefined) this.groupKills.set(groupKill, { seenAt: now, credited: new Set() });
    }
    for (const [parent, kills] of cgroups.unaccountedKills()) this.kills.see(`above ${parent}`, kills, now);
  }

  /** Why each of them ended, in the order given; the kills are claimed, and credited. */
  findReasons(ended: readonly Ended[], pass: Pass): Finding[] {
    const facts = this.factsOf(ended);
    const findings = findReasons(facts, {
      cgroup: (key) => this.kills.count(key),
      parent: (key) => this.kills.count(`above ${key}`),
      node: pass.nodeOomKills === undefined ? undefined : this.kills.count("node") - this.kills.countOthers("node"),
    });
    for (const [i, { life }] of ended.entries()) {
      const finding = findings[i] as Finding;
      this.claim(finding, facts[i] as EndedFacts);
      this.credit(life, finding, pass.now);
    }
    return findings;
  }

  /** A counter saw a kill that nobody else accounts for, and this is the only end to which it could belong. */
  mayBeOf({ life, finding }: Exit, exits: readonly Exit[]): boolean {
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

  /** Every kill also showed on the machine. */
  private claim({ evidence }: Finding, { cgroup, parent }: EndedFacts): void {
    if (!evidence.endsWith("_oom_kill")) return;
    this.kills.claim("node");
    if (evidence === "parent_oom_kill") this.kills.claim(`above ${parent}`);
    if (evidence === "cgroup_oom_kill" && cgroup !== undefined) this.kills.claim(cgroup);
  }

  /** Each kill is counted for the service of its victim; one that takes a whole cgroup at once, once for each service. */
  private credit(life: Life, finding: Finding, now: number): void {
    if (finding.reason !== "oom" && finding.reason !== "suspected_oom") return;
    const account = this.ledger.account(life.group.name);
    account.lastOomGrowth = growthShares(this.sharingLimitWith(life), now, this.hour);
    const event = this.groupKillOf(life, finding);
    if (finding.reason === "oom" && !event?.credited.has(life.group.name)) account.oomKills++;
    event?.credited.add(life.group.name);
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
}
