// How much is watched at most. Anybody on the machine can start thousands of processes, under as many names; each takes memory here
// and some dozen series in Prometheus. Who comes later is left out and counted, and no single owner can take all places.

import { bounds } from "../../catalog/defaults.ts";

/** Why a process is left out: as the `bound` label says it. */
export const boundNames = ["processes", "groups", "processes_per_group", "processes_per_owner"] as const;
export type BoundName = (typeof boundNames)[number];

/** As many processes as fit into the exporter's own memory limit, in bytes; undefined or huge for none. */
export function processesWithin(memoryLimit: number | undefined): number {
  if (memoryLimit === undefined || !(memoryLimit > 0)) return bounds.processes;
  const fitting = Math.floor((memoryLimit - bounds.reservedBytes) / bounds.bytesPerProcess);
  return Math.min(bounds.processes, Math.max(bounds.leastProcesses, fitting));
}

export class Bounds {
  /** Processes at most. */
  processes: number;
  private taken = 0;
  private readonly ofOwner = new Map<string, number>();

  constructor(processes: number = bounds.processes) {
    this.processes = processes;
  }

  /** The greatest number that a bound allows. */
  limitOf(bound: BoundName): number {
    return bound === "processes" ? this.processes : Math.max(1, Math.floor(this.processes * bounds.share));
  }

  get areFull(): boolean {
    return this.taken >= this.processes;
  }

  /** The bound that keeps one more process out; undefined where there is room. `groups` counts those that have a process. */
  against(
    owner: string,
    counts: { readonly groups: number; readonly inGroup: number | undefined },
  ): BoundName | undefined {
    if (this.areFull) return "processes";
    if (counts.inGroup === undefined && counts.groups >= this.limitOf("groups")) return "groups";
    if ((counts.inGroup ?? 0) >= this.limitOf("processes_per_group")) return "processes_per_group";
    if ((this.ofOwner.get(owner) ?? 0) >= this.limitOf("processes_per_owner")) return "processes_per_owner";
    return undefined;
  }

  take(owner: string): void {
    this.taken++;
    this.ofOwner.set(owner, (this.ofOwner.get(owner) ?? 0) + 1);
  }

  giveBack(owner: string): void {
    this.taken--;
    const left = (this.ofOwner.get(owner) ?? 1) - 1;
    if (left > 0) this.ofOwner.set(owner, left);
    else this.ofOwner.delete(owner);
  }
}

/** Whose process it is, as far as it can be told: its container, else its user. */
export const ownerOf = ({ containerId, uid }: { containerId: string | undefined; uid: number | undefined }): string =>
  containerId ?? `user ${uid ?? "unknown"}`;
