// Is a process that starts the restart of a service that has ended? Supervisors start it again at once, container engines and the kubelet
// after up to five minutes; jobs come as there is work. The longer something ran, the longer may it have been away.

import { ledger } from "../../catalog/defaults.ts";
import type { Origin } from "../discovery/origin.ts";

/** A process that starts in the place of a root process, or has ended there. Seconds since boot. */
export interface Occupant {
  readonly origin: Origin;
  readonly bornAt: number;
  /** What stays when it is started again in place: its container, pod or unit; undefined where none is known. */
  readonly place: string | undefined;
  /** Is the place one that an engine starts again after a back-off? Else a systemd unit. */
  readonly isContainer: boolean;
  /** Does its container run to its end? */
  readonly isJob: boolean;
  readonly parentPid: number;
  /** Of its whole command. */
  readonly commandHash: string;
  /** Does it do one thing and end? */
  readonly isOneShot: boolean;
}

export interface EndedOccupant extends Occupant {
  readonly endedAt: number;
}

const { restart } = ledger;

/** Did `started` take the place of `ended`? */
export function isRestart(ended: EndedOccupant, started: Occupant): boolean {
  if (ended.origin === "job" || started.origin === "job" || started.isOneShot) return false;
  const gap = started.bornAt - ended.endedAt;
  const lifetime = ended.endedAt - ended.bornAt;
  const inPlace = ended.place !== undefined && ended.place === started.place;
  if (inPlace && started.isContainer) return gap <= restart.inContainerSeconds;
  if (started.isJob) return false;
  const prompt = inPlace ? restart.inUnitSeconds : restart.promptSeconds;
  if (gap > Math.max(prompt, Math.min(restart.inContainerSeconds, lifetime * restart.lifetimeShare))) return false;
  // the same process starts it as before: does it keep a service running, or give out work?
  const bySameParent = started.parentPid === ended.parentPid;
  const isSameCommand = started.commandHash === ended.commandHash;
  if (started.origin === "script" && bySameParent) return isSameCommand && gap <= lifetime;
  if (started.origin === "helper") {
    return isSameCommand && lifetime >= restart.helperLivesSeconds && gap <= restart.inUnitSeconds;
  }
  return true;
}
