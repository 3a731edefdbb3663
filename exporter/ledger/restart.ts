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
  /** When it was last seen to run, and when its end was noticed. */
  readonly lastSeenAt: number;
  readonly endedAt: number;
  /** Had it workers of its own? Jobs have none. */
  readonly isForkServer: boolean;
}

const { restart } = ledger;

/** Did `started` take the place of `ended`? */
export function isRestart(ended: EndedOccupant, started: Occupant): boolean {
  if (started.isOneShot) return false;
  const gap = started.bornAt - ended.endedAt;
  const inPlace = ended.place !== undefined && ended.place === started.place;
  const origin = ended.isForkServer ? "service" : gravest(ended.origin, started.origin);
  if (origin === "job") return false;
  if (inPlace && started.isContainer) return gap <= restart.inContainerSeconds;
  if (started.isJob) return false;
  if (origin !== "service" && !isSameService(ended, started, origin)) return false;
  const prompt = inPlace ? restart.inUnitSeconds : origin === "service" ? restart.promptSeconds : restart.unsureSeconds;
  const lifetime = ended.endedAt - ended.bornAt;
  return gap <= Math.max(prompt, Math.min(restart.inContainerSeconds, lifetime * restart.lifetimeShare));
}

/** Does what started both keep a service running, or give out work? A service is the same command, and runs longer than it rests. */
function isSameService(ended: EndedOccupant, started: Occupant, origin: Origin): boolean {
  const bySameParent = started.parentPid === ended.parentPid;
  if (origin === "unseen" || (origin === "script" && !bySameParent)) return true;
  const rested = started.bornAt - ended.lastSeenAt;
  const ran = ended.lastSeenAt - ended.bornAt;
  return started.commandHash === ended.commandHash && (!bySameParent || rested <= ran);
}

/** Of the two origins the one that says less of a service. */
function gravest(a: Origin, b: Origin): Origin {
  const order: readonly Origin[] = ["service", "unseen", "script", "helper", "job"];
  return order[Math.max(order.indexOf(a), order.indexOf(b))] as Origin;
}
