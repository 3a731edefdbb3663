// The end of one process, with everything that is concluded from it.

import { isOneShot } from "../discovery/origin.ts";
import type { EndedLifeVerdict } from "../memory/ended-life.ts";
import type { EndedLife } from "../memory/service-memory.ts";
import type { Life } from "../model/life.ts";
import type { ExitStatus } from "../procfs/stat.ts";
import type { LastEnd } from "./ledger.ts";
import type { Finding } from "./oom-evidence.ts";
import type { Occupant } from "./restart.ts";

/** One pass. Times in seconds since boot. */
export interface Pass {
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

export interface Exit {
  readonly life: Life;
  readonly root: Life;
  readonly finding: Finding;
  readonly verdict: EndedLifeVerdict;
  /** What its life teaches the judge; undefined where nothing of it was seen. */
  readonly taught: { readonly life: EndedLife; readonly levels: Float32Array } | undefined;
  /** Its memory just before, as a share of its limit; undefined where either is not known. */
  readonly limitRatio: number | undefined;
  readonly lifetime: number;
  readonly lastSeenAt: number;
  readonly at: number;
}

export const isOom = ({ reason }: { reason: string }): boolean => reason === "oom" || reason === "suspected_oom";

/** The one of several ends that says most about why all of them ended. */
export const gravestOf = (exits: readonly [Exit, ...Exit[]]): Exit =>
  exits.reduce((a, b) => (gravity(b) > gravity(a) ? b : a));

const gravity = ({ finding: { reason } }: Exit) => ["unknown", "exit", "suspected_oom", "oom"].indexOf(reason);

export const lastEndOf = ({ finding, limitRatio, verdict }: Exit, lifetime: number): LastEnd => ({
  ...finding,
  limitRatio,
  growthPerSecond: verdict.growthPerSecond,
  lifetime,
});

/** The pod of a process; undefined outside Kubernetes. A container beside ours, as a sidecar sees it, is of our own pod. */
export const podOf = ({ identity, cgroup }: Pick<Life, "identity" | "cgroup">): string | undefined =>
  identity.podUid ?? (cgroup?.path.startsWith("/../") ? "own pod" : undefined);

/** What is compared when another takes its place. */
export function occupantOf({ origin, bornAt, parentPid, commandHash, identity, cgroup }: Life): Occupant {
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
