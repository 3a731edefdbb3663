// Who started whom. Parents are asked for when a process is new: later they may have ended, and their pids be given to others.

import { identifyCgroup } from "../cgroupfs/identity.ts";
import { isReaper, type Origin, originOf, type ParentFacts } from "../discovery/origin.ts";
import type { KernelFiles } from "../kernel/files.ts";
import type { Group } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import { parseMemoryCgroup } from "../procfs/cgroup.ts";
import { parseStat, ticksPerSecond } from "../procfs/stat.ts";

/** A new process. */
export interface Birth {
  readonly pid: number;
  readonly ppid: number;
  /** In seconds since boot. */
  readonly bornAt: number;
  readonly terminal: number;
  /** Does a rule of the configuration name it? */
  readonly isConfigured: boolean;
  readonly containerId: string | undefined;
  readonly unit: string | undefined;
}

/** Ancestors that are not watched are asked about so many generations up. */
const mostGenerations = 4;

export class Ancestry {
  private readonly files: KernelFiles;
  private readonly lives: ReadonlyMap<number, Life>;
  private readonly ownPid: number | undefined;
  /** Of each container and unit the process that was started first from outside, as long as it runs. */
  private readonly mains = new Map<string, Life>();
  /** The first root of each group in each unit, container or other cgroup. */
  private readonly roots = new Map<string, Life>();
  /** Parents that are not watched, as this pass has met them. */
  private readonly unwatched = new Map<number, ParentFacts | undefined>();

  constructor(files: KernelFiles, lives: ReadonlyMap<number, Life>, ownPid: number | undefined) {
    this.files = files;
    this.lives = lives;
    this.ownPid = ownPid;
  }

  /** A pass begins: what was met in the last one may have ended. */
  begin(): void {
    this.unwatched.clear();
  }

  originOf(birth: Birth): Origin {
    const parent = this.parentOf(birth, mostGenerations);
    return originOf({ ...factsOf(birth), isBesideMain: this.isBesideMain(birth, parent) }, parent);
  }

  /** Was it started from outside into a container that runs, or by systemd into a unit that runs? */
  private isBesideMain(birth: Birth, parent: ParentFacts | undefined): boolean {
    const main = this.mains.get(placeOf(birth) ?? "");
    if (main === undefined || main.pid === birth.pid || main.bornAt >= birth.bornAt) return false;
    return birth.containerId === undefined
      ? main.parentPid === birth.ppid
      : parent === undefined || parent.containerId !== birth.containerId;
  }

  /** The process of the same group that started this one, or that it belongs to: then it is a worker. */
  parentIn(group: Group, life: Life): Life | undefined {
    const { parentPid, bornAt } = life;
    const parent = this.lives.get(parentPid);
    // a pid that was given out again belongs to somebody younger
    if (parent !== undefined && parent.group === group && parent.bornAt <= bornAt) return parent;
    // who started it has ended, or cannot be seen: in one unit or container a service has one root
    const isUnseen = parent === undefined && parentPid !== 0 && parentPid !== this.ownPid;
    const isOrphan = parentPid === 1 || isUnseen || (parent !== undefined && isReaper(namesOf(parent)));
    const root = isOrphan && life.origin !== "job" ? this.roots.get(rootKey(life)) : undefined;
    return root !== undefined && root !== life && root.bornAt <= bornAt ? root : undefined;
  }

  /** It is a root now, or no longer: it took the place of its master, or another name. */
  isRoot(life: Life, is: boolean): void {
    const key = rootKey(life);
    if (key === "") return;
    if (is && !this.roots.has(key)) this.roots.set(key, life);
    if (!is && this.roots.get(key) === life) this.roots.delete(key);
  }

  adopted(life: Life): void {
    const place = placeOf(life.identity);
    if (place === undefined || life.origin !== "service") return;
    const parent = this.lives.get(life.parentPid);
    const isFromOutside = parent === undefined || placeOf(parent.identity) !== place;
    if (isFromOutside && !this.mains.has(place)) this.mains.set(place, life);
  }

  dropped(life: Life): void {
    const place = placeOf(life.identity);
    if (place !== undefined && this.mains.get(place) === life) this.mains.delete(place);
  }

  private parentOf({ ppid, bornAt }: Pick<Birth, "ppid" | "bornAt">, generations: number): ParentFacts | undefined {
    if (ppid === 0 || ppid === this.ownPid || generations === 0) return undefined;
    const life = this.lives.get(ppid);
    if (life !== undefined && life.bornAt <= bornAt) {
      return { ...namesOf(life), origin: life.origin, containerId: life.identity.containerId };
    }
    if (!this.unwatched.has(ppid)) this.unwatched.set(ppid, this.readParent(ppid, generations));
    return this.unwatched.get(ppid);
  }

  /** Of one that is not watched: its short name, and what its own parents say. */
  private readParent(pid: number, generations: number): ParentFacts | undefined {
    try {
      const stat = parseStat(this.files.text(this.files.proc(pid, "stat")));
      const path = parseMemoryCgroup(this.files.text(this.files.proc(pid, "cgroup")))?.path ?? "";
      const { containerId, unit } = identifyCgroup(path);
      const bornAt = stat.startTicks / ticksPerSecond;
      const birth: Birth = { ...stat, bornAt, isConfigured: false, containerId, unit };
      const above = this.parentOf(birth, generations - 1);
      return { names: [stat.comm], origin: originOf({ ...factsOf(birth), isBesideMain: false }, above), containerId };
    } catch {
      return undefined; // hidden from us, or gone by now
    }
  }
}

const namesOf = ({ identity: { name, programName = name, comm } }: Life) => ({ names: [programName, comm] });

const factsOf = ({ isConfigured, ppid, containerId, terminal }: Birth) => ({
  isConfigured,
  isOfInit: ppid === 1,
  containerId,
  hasTerminal: terminal !== 0,
});

/** Where there is one main process: a container, or a systemd unit. */
const placeOf = ({ containerId, unit }: { containerId: string | undefined; unit: string | undefined }) =>
  containerId ?? unit;

/** Cgroups in which people, and what they leave running, are side by side. */
const isShared = (path: string) => /(^\/|\/(init|session-[^/]*)\.scope|\/cron[^/]*\.service)$/.test(path);

/** Group and place; empty where the place holds all kinds of things. */
function rootKey({ group, identity, cgroup }: Life): string {
  const path = cgroup === undefined || isShared(cgroup.path) ? undefined : cgroup.path;
  const place = identity.containerId ?? path;
  return place === undefined ? "" : `${group.name}\n${place}`;
}
