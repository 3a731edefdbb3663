// Which of the lives that ended in one pass were killed for lack of memory? The counter in a container's own cgroup tells
// it of workers only: when the main process is killed, the cgroup is removed and made anew, and its counter is 0 again.
// So the parent's counter (version 2), the machine's counter and the nearness to the limit are asked as well, and each
// answer carries what it rests on. Every kill that a counter saw is given to one life only.

import { ledger } from "../../catalog/defaults.ts";
import type { EndReason } from "../model/group.ts";

/** What the reason of an end rests on, as the `evidence` label says it. */
export type Evidence =
  | "cgroup_oom_kill" // the counter of its own cgroup rose: certain
  | "parent_oom_kill" // the counter of the cgroup above rose by more than those below it account for
  | "node_oom_kill" // the machine's counter rose while it was at more than half of its limit
  | "near_limit" // it ended near its limit, and the machine's counter cannot be read
  | "none" // nothing points at memory
  | "not_watched"; // passes were missed: there was nobody to see

/** A life that ended, as far as it matters here. */
export interface EndedFacts {
  /** Its memory just before, as a share of its limit; undefined where no limit or memory is known. */
  limitRatio: number | undefined;
  /** Resident bytes just before. */
  resident: number;
  /** Its cgroup and the one above, as keys of the counters below. */
  cgroup: string | undefined;
  parent: string | undefined;
  /** Had it no limit but the machine's memory, of which half was used, and was it the largest that is watched? That one goes first. */
  firstToGo: boolean;
}

/** Counters that rose since the last pass, by how much. */
export interface OomCounters {
  cgroup(key: string): number;
  /** Those that no known cgroup below accounts for. */
  parent(key: string): number;
  /** Undefined where the kernel does not tell. */
  node: number | undefined;
}

export interface Finding {
  reason: EndReason;
  evidence: Evidence;
}

/** One finding per life, in the order given. */
export function findReasons(ended: readonly EndedFacts[], counters: OomCounters): Finding[] {
  const findings = ended.map((): Finding => ({ reason: "exit", evidence: "none" }));
  const open = ended
    .map((facts, index) => ({ facts, index }))
    .sort((a, b) => (b.facts.limitRatio ?? 0) - (a.facts.limitRatio ?? 0) || b.facts.resident - a.facts.resident);
  const left = new Budget(counters);

  const give = (reason: EndReason, evidence: Evidence, holds: (facts: EndedFacts) => boolean) => {
    for (const { facts, index } of open) {
      if (findings[index]?.evidence === "none" && holds(facts)) findings[index] = { reason, evidence };
    }
  };
  const far = (facts: EndedFacts) => facts.limitRatio !== undefined && facts.limitRatio < ledger.farFromLimitRatio;
  const near = (facts: EndedFacts) => facts.limitRatio !== undefined && facts.limitRatio >= ledger.nearLimitRatio;

  give("oom", "cgroup_oom_kill", (facts) => left.takeFromCgroup(facts));
  give("oom", "parent_oom_kill", (facts) => !far(facts) && left.takeFromParent(facts));
  give("suspected_oom", "node_oom_kill", (facts) => (!far(facts) || facts.firstToGo) && left.takeFromNode());
  if (counters.node === undefined) give("suspected_oom", "near_limit", near);
  return findings;
}

/** Kills that are not yet given to a life. Every kill also shows on the machine. */
class Budget {
  private readonly counters: OomCounters;
  private readonly takenInCgroup = new Map<string, number>();
  private readonly takenInParent = new Map<string, number>();
  private takenOnNode = 0;

  constructor(counters: OomCounters) {
    this.counters = counters;
  }

  takeFromCgroup({ cgroup }: EndedFacts): boolean {
    if (cgroup === undefined) return false;
    const taken = this.takenInCgroup.get(cgroup) ?? 0;
    if (taken >= this.counters.cgroup(cgroup)) return false;
    this.takenInCgroup.set(cgroup, taken + 1);
    this.takenOnNode++;
    return true;
  }

  takeFromParent({ parent }: EndedFacts): boolean {
    if (parent === undefined) return false;
    const taken = this.takenInParent.get(parent) ?? 0;
    if (taken >= this.counters.parent(parent)) return false;
    this.takenInParent.set(parent, taken + 1);
    this.takenOnNode++;
    return true;
  }

  takeFromNode(): boolean {
    if (this.counters.node === undefined || this.takenOnNode >= this.counters.node) return false;
    this.takenOnNode++;
    return true;
  }
}
