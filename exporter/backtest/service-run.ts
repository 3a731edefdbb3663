// One service, minute by minute: the samples of all its slots go to the judge in the order of time, and what the judge says is
// written down. Nothing is kept of the samples.

import { type Rules, rules as shippedRules } from "../../detection/rules.ts";
import { AlertEpisodes } from "./alert-episodes.ts";
import type { JudgedSample, ServiceFinding, ServiceJudge, SlotFinding } from "./judged.ts";
import type { EpisodeReport, FoundReport } from "./report.ts";

/** The judge is asked as often, in seconds. */
const minute = 60;
/** A slot without a sample for so long is not judged: as long as a server repeats the last value, in seconds. */
const staleAfter = 300;

interface Slot {
  lastSample: number;
  /** What was said last, and since when it was that word. */
  finding: SlotFinding | undefined;
  since: number;
}

export interface ServiceRunReport {
  /** By start. */
  readonly episodes: EpisodeReport[];
  /** What holds at the end, of the service and its slots. */
  readonly found: FoundReport;
  /** Number of slots. */
  readonly slots: number;
  /** Number of samples. */
  readonly samples: number;
  /** First and last sample, in seconds; undefined when there were none. */
  readonly extent: readonly [from: number, to: number] | undefined;
}

export class ServiceRun {
  private readonly judge: ServiceJudge;
  private readonly episodes: AlertEpisodes;
  private readonly onTimeToOom: ((time: number, seconds: number) => void) | undefined;
  private readonly slots = new Map<string, Slot>();
  private service: (ServiceFinding & { since: number }) | undefined;
  private samples = 0;
  private first = Number.NaN;
  private last = Number.NaN;
  /** The end of the minute that is being filled. */
  private due = Number.NaN;

  /** `onTimeToOom` hears the estimate of the slot that is nearest to its limit, each minute that has one. */
  constructor(judge: ServiceJudge, rules: Rules = shippedRules, onTimeToOom?: (time: number, seconds: number) => void) {
    this.judge = judge;
    this.episodes = new AlertEpisodes(rules);
    this.onTimeToOom = onTimeToOom;
  }

  /** Samples must come in the order of their times. */
  add(name: string, sample: JudgedSample): void {
    const { time } = sample;
    if (Number.isNaN(this.first)) {
      this.first = time;
      this.due = Math.ceil(time / minute) * minute;
    }
    while (time > this.due) {
      this.judgeAt(this.due);
      // through a gap nothing changes, however long it is
      const isSilent = this.due - this.last > staleAfter;
      this.due = isSilent ? Math.max(this.due + minute, Math.ceil(time / minute) * minute) : this.due + minute;
    }
    this.judge.add(name, sample);
    const slot = this.slots.get(name) ?? { lastSample: time, finding: undefined, since: time };
    slot.lastSample = time;
    this.slots.set(name, slot);
    this.samples++;
    this.last = time;
  }

  /** What was found; nothing can be added after it. */
  end(): ServiceRunReport {
    if (!Number.isNaN(this.last)) this.judgeAt(this.last);
    return {
      episodes: this.episodes.end(this.last),
      found: this.found(),
      slots: this.slots.size,
      samples: this.samples,
      extent: Number.isNaN(this.first) ? undefined : [this.first, this.last],
    };
  }

  private judgeAt(time: number): void {
    let nearest = Number.POSITIVE_INFINITY;
    for (const [name, slot] of this.slots) {
      if (time - slot.lastSample > staleAfter) continue;
      const finding = this.judge.slotFinding(name, time);
      if (finding.word !== slot.finding?.word) slot.since = time;
      slot.finding = finding;
      this.episodes.add(name, finding, time);
      nearest = Math.min(nearest, finding.timeToOom ?? nearest);
    }
    if (Number.isFinite(nearest)) this.onTimeToOom?.(time, nearest);
    const finding = this.judge.finding(time);
    this.episodes.add(null, finding, time);
    this.service = { ...finding, since: finding.word === this.service?.word ? this.service.since : time };
  }

  private found(): FoundReport {
    const { word = "collecting", severity = 0, since = null } = this.service ?? {};
    return {
      word,
      severity,
      since,
      slots: [...this.slots].flatMap(([slot, { finding, since: from, lastSample }]) => {
        if (finding === undefined) return [];
        const { word: said, severity: grave, growth = null, timeToOom = null, reasons } = finding;
        const isRunning = this.last - lastSample <= staleAfter;
        const texts = reasons.map(({ text }) => text);
        return [
          {
            slot,
            word: said,
            severity: grave,
            since: from,
            last_seen: isRunning ? null : lastSample,
            growth_bytes_per_second: growth,
            time_to_oom_seconds: timeToOom,
            reasons: texts,
          },
        ];
      }),
    };
  }
}
