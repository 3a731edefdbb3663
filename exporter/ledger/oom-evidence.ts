// Which of the lives that ended in one pass were killed for lack of memory? The counter of a container's own cgroup is the best witness, and
// a counter that could have risen and did not acquits. But when the main process is killed the cgroup is removed, and made again at 0.
// So the parent's counter (version 2), the machine's counter and the nearness to the limit are asked as well, and each answer carries
// what it rests on. Every kill that a counter saw is given to one life only.

import { ledger } from "../../catalog/defaults.ts";
import type { ExitStatus } from "../procfs/stat.ts";

/** How a process ended, before it is known whether it was on schedule. */
export type EndReason = "oom" | "suspected_oom" | "exit" | "unknown";

/** What the reason of an end rests on, as the `evidence` label says it. */
export type Evidence =
  | "cgroup_oom_kill" // the counter of its own cgroup rose: certain
  | "parent_oom_kill" // the counter of the cgroup above rose by more than those below it account for
  | "node_oom_kill" // the machine's counter rose, nobody else accounts for it, and it was near enough to its limit
  | "near_limit" // it ended near its limit, and the machine's counter cannot be read
  | "container_state" // the container engine or the Kubernetes API says so
  | "heap_limit" // it ended itself as runtimes do that cannot allocate, and its memory was near their limit
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
  /** Is the cgroup above its pod's, in which there are few others? */
  isParentPod: boolean;
  /** Was it the largest that is watched on a machine short of memory, and no known limit of its own would have ended it before? */
  firstToGo: boolean;
  /** How it ended, where that was seen. */
  exit: ExitStatus | undefined;
  /** Which counters would have shown a kill of it: they are those that they were, and can be read. Without a cgroup none. */
  acquittedBy: { readonly own: boolean; readonly above: boolean } | undefined;
}

/** Kills that nobody has claimed, by counter. */
export interface OomCounters {
  cgroup(key: string): number;
  /** Those that no known cgroup below accounts for. */
  parent(key: string): number;
  /** Of the machine, those excepted that the other counters account for; undefined where the kernel does not say. */
  node: number | undefined;
}

export interface Finding {
  reason: EndReason;
  evidence: Evidence;
}

/** The signal that the kernel ends a process with for lack of memory. */
const sigkill = 9;

/** One finding per life, in the order given. */
export function findReasons(ended: readonly EndedFacts[], counters: OomCounters): Finding[] {
  const findings = ended.map((): Finding => ({ reason: "exit", evidence: "none" }));
  let open = ended
    .map((facts, index) => ({ facts, index }))
    .filter(({ facts: { exit } }) => exit === undefined || exit.signal === sigkill)
    .sort((a, b) => (b.facts.limitRatio ?? 0) - (a.facts.limitRatio ?? 0) || b.facts.resident - a.facts.resident);
  const left = new Budget(counters);

  const give = (finding: Finding, holds: (facts: EndedFacts) => boolean) => {
    open = open.filter(({ facts, index }) => {
      const isIt = holds(facts);
      if (isIt) findings[index] = finding;
      return !isIt;
    });
  };
  const acquit = (isAcquitted: (facts: EndedFacts) => boolean) => {
    open = open.filter(({ facts }) => !isAcquitted(facts));
  };
  const far = ({ limitRatio }: EndedFacts) => limitRatio !== undefined && limitRatio < ledger.farFromLimitRatio;
  const near = ({ limitRatio }: EndedFacts) => limitRatio !== undefined && limitRatio >= ledger.nearLimitRatio;

  give({ reason: "oom", evidence: "cgroup_oom_kill" }, (facts) => left.takeFromCgroup(facts));
  acquit(({ acquittedBy }) => acquittedBy?.own === true);
  const aboveKill: Finding = { reason: "oom", evidence: "parent_oom_kill" };
  give(aboveKill, (facts) => !far(facts) && left.takeFromParent(facts));
  // one that was far below its limit a moment ago may have burst; it comes after those that were near
  give(aboveKill, (facts) => facts.isParentPod && left.takeFromParent(facts));
  acquit(({ acquittedBy }) => acquittedBy?.above === true);
  give(
    { reason: "suspected_oom", evidence: "node_oom_kill" },
    (facts) => (facts.firstToGo || (facts.limitRatio !== undefined && !far(facts))) && left.takeFromNode(),
  );
  if (counters.node === undefined) give({ reason: "suspected_oom", evidence: "near_limit" }, near);
  return findings;
}

/** Kills that are not yet given to a life. */
class Budget {
  private readonly counters: OomCounters;
  private readonly takenInCgroup = new Map<string, number>();
  private readonly takenInParent = new Map<string, number>();
  private takenOnNode = 0;

  constructor(counters: OomCounters) {
    this.counters = counters;
  }

  takeFromCgroup({ cgroup }: EndedFacts): boolean {
    return cgroup !== undefined && take(this.takenInCgroup, cgroup, this.counters.cgroup(cgroup));
  }

  takeFromParent({ parent }: EndedFacts): boolean {
    return parent !== undefined && take(this.takenInParent, parent, this.counters.parent(parent));
  }

  takeFromNode(): boolean {
    if (this.takenOnNode >= (this.counters.node ?? 0)) return false;
    this.takenOnNode++;
    return true;
  }
}

function take(taken: Map<string, number>, key: string, kills: number): boolean {
  const before = taken.get(key) ?? 0;
  if (before >= kills) return false;
  taken.set(key, before + 1);
  return true;
}
