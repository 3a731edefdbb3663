// Where one life of a process ends and the next begins, from what a recording holds: start times, which some sources get wrong,
// labels that each new container has, and memory itself.

/**
 * How much a start time is worth. `exact`: it is that of the process, in a record that leaves nothing out. `process`: a program
 * or an exporter says it of one process, but may speak of another, such as a master. `creation`: of a container, which keeps it
 * through restarts. `none`: there is none.
 */
export type StartSource = "exact" | "process" | "creation" | "none";

/** What the restarts of a recording rest on. */
export interface RestartEvidence {
  /** A start time that moved. */
  startTime: number;
  /** Labels that only a new container has. */
  labels: number;
  /** Most of the memory gone at once, down to the level of a fresh start. */
  falls: number;
  /** Start times that moved to a moment at which the process was already seen: a clock that was set, or computed anew. */
  wandered: number;
}

export const noEvidence = (): RestartEvidence => ({ startTime: 0, labels: 0, falls: 0, wandered: 0 });

/** A start time that is computed from the time of boot may differ by so much from sample to sample, in seconds. */
const exactStart = 2;
/** Clocks wander: start times that differ by less are one, in seconds. */
const sameStart = 30;
/** A fall to this share of the value before is a restart … */
const fallen = { atOnce: 0.5, afterGap: 0.8 } as const;
/** … where a gap is this long, in seconds: up to 5 minutes a server repeats the last value. */
const gap = 330;
/** A fresh start is not higher than this many times the lowest start that was seen. */
const freshLevel = 1.3;
/** A scrape is missing when a sample comes later than this many usual distances. */
const missedScrape = 1.5;

export interface LifeSample {
  /** Seconds. */
  readonly time: number;
  /** Bytes. */
  readonly bytes: number;
  /** As recorded, in seconds; NaN when it is not known. */
  readonly startTime: number;
  /** Labels that are of the life, not of the process; empty where there are none. */
  readonly label: string;
}

/** The lives of one process, sample by sample in the order of time. */
export class Lives {
  readonly evidence: RestartEvidence;
  private readonly source: StartSource;
  private before: LifeSample | undefined;
  private start = Number.NaN;
  /** Lowest memory of this life so far, and the lowest level at which a life was seen to start. */
  private lowest = Number.POSITIVE_INFINITY;
  private fresh = Number.NaN;
  /** Distance of the samples: the least that was seen. */
  private distance = Number.POSITIVE_INFINITY;

  constructor(source: StartSource, evidence: RestartEvidence = noEvidence()) {
    this.source = source;
    this.evidence = evidence;
  }

  /** Start of the life that the sample is of, the same for all of one life; NaN when it began before anything was known. */
  add(given: LifeSample): number {
    const { before } = this;
    // where a start time is missing for a while, the last one holds
    const sample = Number.isNaN(given.startTime) ? { ...given, startTime: before?.startTime ?? Number.NaN } : given;
    if (before === undefined) this.start = sample.startTime;
    else if (this.isNew(before, sample)) {
      // with another label, the sample before may be of a process that ran beside this one
      const isOwn = sample.label !== before.label || sample.startTime > before.time - sameStart;
      this.start = this.source === "exact" || isOwn ? known(sample.startTime, sample.time) : sample.time;
      this.fresh = Math.min(sample.bytes, Number.isNaN(this.fresh) ? sample.bytes : this.fresh);
      this.lowest = sample.bytes;
    }
    this.lowest = Math.min(this.lowest, sample.bytes);
    if (before !== undefined && sample.time > before.time) {
      this.distance = Math.min(this.distance, sample.time - before.time);
    }
    this.before = sample;
    return this.start;
  }

  private isNew(before: LifeSample, sample: LifeSample): boolean {
    const follows = sample.startTime > before.time - sameStart;
    const isFirstKnown = Number.isNaN(before.startTime) && follows;
    const moved = isFirstKnown ? Number.POSITIVE_INFINITY : sample.startTime - before.startTime;
    if (this.source === "exact") return this.count("startTime", Math.abs(moved) > exactStart);
    const fell = this.fell(before, sample);
    if (moved > sameStart) {
      // nothing starts before the last sample of what it follows
      if (follows || sample.label !== before.label || fell) return this.count("startTime", true);
      this.evidence.wandered++;
    } else if (sample.label !== before.label && !(Math.abs(moved) <= sameStart)) {
      return this.count("labels", true);
    }
    // memory that a process gives back looks the same, but the process answers meanwhile
    const isSilent = sample.time - before.time > missedScrape * this.distance;
    return this.count("falls", fell && (this.source !== "process" || isSilent));
  }

  private fell(before: LifeSample, sample: LifeSample): boolean {
    const isAfterGap = sample.time - before.time >= gap && this.source === "none";
    if (sample.bytes >= (isAfterGap ? fallen.afterGap : fallen.atOnce) * before.bytes) return false;
    const level = Number.isNaN(this.fresh) ? this.lowest : this.fresh;
    return sample.bytes <= freshLevel * level;
  }

  private count(kind: keyof RestartEvidence, isSo: boolean): boolean {
    if (isSo) this.evidence[kind]++;
    return isSo;
  }
}

const known = (start: number, otherwise: number) => (Number.isNaN(start) ? otherwise : start);
