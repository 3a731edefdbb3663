// The rules of today behind the shape of a judge: what the exporter's own page says, asked at every minute of a recording.

import { ruleGroups } from "../../alerts/index.ts";
import { alerts, loopAlerts, type Severity } from "../../catalog/alerts.ts";
import { ledger } from "../../catalog/defaults.ts";
import type { Detection } from "../../catalog/detection.ts";
import { type GroupEvent, GroupSeries, LiveRules } from "../judge/live.ts";
import { isSteadyCadence } from "../ledger/cadence.ts";
import { judgeEndedLife } from "../memory/ended-life.ts";
import { LifeHistory } from "../memory/life-history.ts";
import { SlotMemory } from "../memory/slot-memory.ts";
import type { JudgedSample, ServiceFinding, ServiceJudge, SeverityNumber, SlotFinding } from "./judged.ts";

/** The rules take some milliseconds each time: what they say is asked for as often, in seconds. */
const askedEvery = 600;

const severityNumbers: Record<Severity, SeverityNumber> = { info: 1, warning: 2, critical: 3 };

interface Slot {
  readonly memory: SlotMemory;
  life: LifeHistory;
  last: JudgedSample | undefined;
  readonly starts: number[];
  said: { readonly at: number; readonly finding: SlotFinding } | undefined;
}

export class RulesJudge implements ServiceJudge {
  private readonly detection: Detection;
  private readonly rules: LiveRules;
  private readonly slots = new Map<string, Slot>();
  private readonly events: GroupEvent[] = [];
  private since = Number.NaN;
  private said: { readonly at: number; readonly finding: ServiceFinding } | undefined;

  constructor(detection: Detection) {
    this.detection = detection;
    this.rules = new LiveRules(ruleGroups(detection));
  }

  add(name: string, sample: JudgedSample): void {
    if (Number.isNaN(this.since)) this.since = sample.time;
    const slot = this.slot(name);
    const startTime = Number.isNaN(sample.startTime) ? this.since : sample.startTime;
    if (slot.starts.at(-1) !== startTime) {
      if (slot.last !== undefined) this.end(slot, slot.last, sample.time, startTime);
      slot.starts.push(startTime);
      slot.life = new LifeHistory();
    }
    slot.life.add(sample.time, sample.bytes);
    slot.memory.add(sample.time, { resident: sample.bytes, startTime, limit: sample.limit });
    slot.last = sample;
  }

  slotFinding(name: string, time: number): SlotFinding {
    const slot = this.slot(name);
    if (slot.said !== undefined && time - slot.said.at < askedEvery) return slot.said.finding;
    const isYoung = time - (slot.starts.at(-1) ?? time) < this.detection.lifeGrowth.minimumAge;
    const verdict = isYoung ? undefined : this.rules.judgeSlot(slot.memory, time);
    const firing = [...(verdict?.firing.values() ?? [])].map((severity) => severityNumbers[severity]);
    const finding: SlotFinding = {
      word: firing.length > 0 ? "leaking" : (verdict?.verdict ?? "collecting"),
      severity: firing.reduce<SeverityNumber>((a, b) => (b > a ? b : a), 0),
      growth: verdict?.growth,
      confidence: verdict?.confidence,
      timeToOom: verdict?.timeToOom,
      reasons: [],
    };
    slot.said = { at: time, finding };
    return finding;
  }

  finding(time: number): ServiceFinding {
    if (this.events.length === 0) return { word: "stable", severity: 0 };
    if (this.said !== undefined && time - this.said.at < askedEvery) return this.said.finding;
    const history = { events: this.events, knownSince: this.since, processes: this.slots.size };
    const word = this.rules.judgeGroup(new GroupSeries("", history, time, this.detection), [], time);
    const alert = word === "masked_leak" ? alerts.memoryLeakMasked : loopAlerts[1];
    const isClaim = word === "masked_leak" || word === "restart_loop";
    const finding: ServiceFinding = { word, severity: isClaim ? severityNumbers[alert.severities[0]] : 0 };
    this.said = { at: time, finding };
    return finding;
  }

  private slot(name: string): Slot {
    const known = this.slots.get(name);
    if (known !== undefined) return known;
    const slot = {
      memory: new SlotMemory({}, this.detection),
      life: new LifeHistory(),
      last: undefined,
      starts: [],
      said: undefined,
    };
    this.slots.set(name, slot);
    return slot;
  }

  private end(slot: Slot, last: JudgedSample, time: number, next: number): void {
    const isNearLimit = last.bytes >= ledger.nearLimitRatio * last.limit;
    const isScheduled = !isNearLimit && isSteadyCadence([...slot.starts, next]);
    const reason = isNearLimit ? "suspected_oom" : isScheduled ? "scheduled" : "exit";
    this.events.push({ time, reason, growing: judgeEndedLife(slot.life).growing, restart: reason });
    while ((this.events[0]?.time ?? time) < time - 8 * 86_400) this.events.shift();
  }
}
