// A service from its samples alone: its slots, the lives that ended in them, and what holds of each and of all. The exporter, `backtest`
// and `detect` judge with it; they differ in where samples and ends come from.

import { type JudgeSettings, judgeSettings } from "../../detection/judge.ts";
import { rules } from "../../detection/rules.ts";
import { judgeEndedLife } from "../memory/ended-life.ts";
import { LifeHistory } from "../memory/life-history.ts";
import { endedLifeOf, ServiceMemory } from "../memory/service-memory.ts";
import type { Sample } from "../memory/slot-history.ts";
import { maskedLeakOf } from "./ended-lives.ts";
import { type Finding, nothingKnown, type ServiceFinding } from "./finding.ts";
import { serviceFinding } from "./service-finding.ts";
import { type Facts, Judge } from "./slot-judge.ts";
import { newSlot, type SlotState } from "./slot-state.ts";

/** Level from which an end counts as one at the limit, where nobody says why it ended. */
const atLimitShare = 0.93;

/** A reading with its limit: bytes, NaN where no limit is known. */
export interface LimitedSample extends Sample {
  readonly limit: number;
  readonly heapLimit?: number;
}

interface Seat {
  readonly state: SlotState;
  life: LifeHistory;
  last: LimitedSample;
}

export class ServiceJudge {
  readonly memory = new ServiceMemory();
  private readonly judge: Judge;
  private readonly seats = new Map<string, Seat>();

  constructor(settings: JudgeSettings = judgeSettings, judge = new Judge(settings)) {
    this.judge = judge;
  }

  /** Adds a sample. A new start time is a new life, and the end of the one before. */
  add(slot: string, sample: LimitedSample): void {
    if (!(sample.bytes >= 0)) return;
    if (Number.isNaN(this.memory.knownSince)) this.memory.knownSince = sample.time;
    let seat = this.seats.get(slot);
    if (seat === undefined) {
      seat = {
        state: newSlot(this.judge.settings.speed),
        life: new LifeHistory(this.judge.settings.endedLife),
        last: sample,
      };
      this.seats.set(slot, seat);
    } else if (seat.last.startTime !== sample.startTime) {
      this.endOf(slot, seat);
      this.memory.begin(slot, sample.time, this.judge.settings.endedLives.followedWithin, sample.startTime);
      seat.life = new LifeHistory(this.judge.settings.endedLife);
    }
    seat.state.history.add(sample);
    seat.life.add(sample.time, sample.bytes);
    seat.last = sample;
  }

  /** What holds of a slot at its last sample; of one that was not seen for a while nothing is known. */
  slotFinding(slot: string, now: number): Finding {
    const seat = this.seats.get(slot);
    if (seat === undefined || now - seat.last.time > 600) return nothingKnown(0, this.judge.needed);
    return this.judge.judge(seat.state, this.memory, factsOf(seat.last));
  }

  /** What holds of the service: its masked leak, or the gravest of its slots. */
  finding(now: number, slots: readonly Finding[] = []): ServiceFinding {
    const finding = serviceFinding(maskedLeakOf(this.memory, now, this.judge.settings.endedLives), slots);
    const { over, count } = rules.restarts.oomLoop;
    const kills = this.memory.lives.filter(({ atLimit, endedAt }) => atLimit && now - endedAt <= over).length;
    return finding.word !== "masked_leak" && kills >= count
      ? { ...finding, word: "restart_loop", severity: 3 }
      : finding;
  }

  private endOf(slot: string, { state: { history }, life, last }: Seat): void {
    const atLimit =
      history.peak * 1024 >= atLimitShare * Math.min(last.limit, or(last.heapLimit, Number.POSITIVE_INFINITY));
    const { endedLife, endedLives } = this.judge.settings;
    const verdict = judgeEndedLife(life, endedLife, atLimit);
    const ended = endedLifeOf(history, verdict, { slot, now: last.time, watchedSince: history.seenSince, atLimit });
    this.memory.recordEnd(ended, history.levels, endedLives.settledAfter);
  }
}

const or = (value: number | undefined, otherwise: number) =>
  value === undefined || Number.isNaN(value) ? otherwise : value;

const factsOf = ({ limit, heapLimit }: LimitedSample): Facts =>
  heapLimit === undefined || Number.isNaN(heapLimit) ? { limit } : { limit, heapMaximum: heapLimit, heapKind: "fills" };
