// Does a service leak although none of its lives gets old enough to show it? The ledger of ended lives says.

import type { JudgeSettings } from "../../detection/judge.ts";
import type { EndedLife, ServiceMemory } from "../memory/service-memory.ts";

type Thresholds = JudgeSettings["endedLives"];

/** Ends that belong together, as one. */
interface Incident {
  readonly endedAt: number;
  readonly lifetime: number;
  readonly growing: boolean;
  readonly killedGrowing: boolean;
}

export interface MaskedLeak {
  /** Ends that grew, of all, within these seconds. */
  readonly growing: number;
  readonly ended: number;
  readonly over: number;
  /** Were they killed for their memory? */
  readonly killed: boolean;
}

/** Undefined where ends tell nothing of the kind. `now` in seconds on the clock of the lives. */
export function maskedLeakOf(memory: ServiceMemory, now: number, thresholds: Thresholds): MaskedLeak | undefined {
  const { lives, knownSince } = memory;
  if (lives.length === 0) return undefined;
  const week = incidentsOf(lives, thresholds).filter(({ endedAt }) => now - endedAt <= thresholds.longest);
  const longest = Math.max(...week.map(({ lifetime }) => lifetime));
  const long = week.filter(({ lifetime }) => lifetime >= thresholds.longestShare * longest);
  if (2 * long.filter(({ growing }) => growing).length <= long.length) return undefined;
  const within = (seconds: number) => week.filter(({ endedAt }) => now - endedAt <= seconds);
  const { killed } = thresholds;
  const lately = within(killed.over);
  const kills = lately.filter(({ killedGrowing }) => killedGrowing).length;
  const grew = (of: readonly Incident[]) => of.filter(({ growing }) => growing).length;
  if (kills >= killed.lives && grew(lately) >= killed.share * lately.length)
    return { growing: grew(lately), ended: lately.length, over: killed.over, killed: true };
  for (const { over, known, lives: least, share } of thresholds.grown) {
    const ended = within(over);
    const growing = grew(ended);
    if (now - knownSince >= known && growing >= least && growing >= share * ended.length)
      return { growing, ended: ended.length, over, killed: false };
  }
  return undefined;
}

function incidentsOf(lives: readonly EndedLife[], { together, togetherShare, minimum }: Thresholds): Incident[] {
  const incidents: Incident[] = [];
  let current: EndedLife[] = [];
  const close = () => {
    if (current.length > 0) incidents.push(incidentOf(current));
    current = [];
  };
  for (const life of lives) {
    if (life.growing === undefined) continue;
    if (!life.atLimit && (life.watched < minimum || !life.followed)) continue;
    const last = current.at(-1);
    // one slot cannot end twice in one incident: a life that began when the last was seen no more is another. (Its end is noticed later than
    // that, and a supervisor may be faster.)
    const belongs =
      last !== undefined &&
      life.endedAt - last.endedAt <= Math.max(together, togetherShare * life.lifetime) &&
      life.endedAt - life.lifetime < last.seenUntil;
    if (!belongs) close();
    current.push(life);
  }
  close();
  return incidents;
}

function incidentOf(lives: readonly EndedLife[]): Incident {
  const growing = lives.filter((life) => life.growing === true).length;
  return {
    endedAt: (lives.at(-1) as EndedLife).endedAt,
    lifetime: Math.max(...lives.map(({ lifetime }) => lifetime)),
    growing: 2 * growing >= lives.length,
    killedGrowing: lives.some((life) => life.atLimit && life.growing === true),
  };
}
