// The judgement of one slot: shapes of all windows, the rules for what is near, the card for hours and days, and where none of these calls
// it a leak the word that says what it does.

import { KiB } from "../../catalog/defaults.ts";
import { type LeakSeverity, leastConfidence } from "../../catalog/verdicts.ts";
import type { JudgeSettings, WindowRule } from "../../detection/judge.ts";
import { at, shapeSize } from "../../detection/shape.ts";
import { growthWindows, lengthOf, settledShare, type Window, windows } from "../../detection/windows.ts";
import type { ServiceMemory } from "../memory/service-memory.ts";
import type { SlotHistory } from "../memory/slot-history.ts";
import { CardReader, type Scored } from "./card.ts";
import { type Finding, type GrowthWindow, nothingKnown, type Reason } from "./finding.ts";
import { growthOver } from "./growth.ts";
import { type Bounds, type Change, outlookOf } from "./outlook.ts";
import { Shapes } from "./shape.ts";
import type { SlotState } from "./slot-state.ts";
import { timeToOom } from "./time-to-oom.ts";
import { wordOf } from "./word.ts";

/** What is known of a process beside its history. Bytes. */
export interface Facts {
  /** What ends it; NaN where no limit is known. */
  readonly limit: number;
  /** What others hold of the same limit. */
  readonly others?: number | undefined;
  /** Growth of these others, in bytes per second, over about so many seconds. */
  readonly neighbours?: ((seconds: number) => number) | undefined;
  /** The most that its runtime lets its heap hold. */
  readonly heapMaximum?: number | undefined;
  /** May the heap grow that far with garbage alone (JVM, .NET), or does what reaches it end there (V8)? */
  readonly heapKind?: "fills" | "ends" | undefined;
  /** Version of its program; undefined where none is known. */
  readonly version?: string | undefined;
}

interface PreparedRule extends Bounds {
  readonly rule: WindowRule;
}

const indexOf = (name: string) => windows.findIndex((window: Window) => window.name === name);
const bounds = (of: Readonly<Record<string, number | undefined>>) =>
  Object.entries(of).map(([name, bound]) => [at[name as keyof typeof at], bound as number] as const);

/** The thresholds, ready for many judgements. Shared by all slots. */
export class Judge {
  readonly settings: JudgeSettings;
  readonly shapes: Shapes;
  readonly card: CardReader;
  /** Seconds that must have been watched for a first judgement. */
  readonly needed: number;
  /** What was left at the last judgement. */
  lastRoom: Room = { headroom: Number.NaN, limit: Number.NaN, peak: Number.NaN };
  private readonly rules: readonly PreparedRule[];

  constructor(settings: JudgeSettings) {
    this.settings = settings;
    this.shapes = new Shapes(settings.speed);
    this.card = new CardReader(settings.card);
    this.needed = (settledShare * lengthOf(windows[0] as Window)) / settings.speed;
    this.rules = settings.windowRules.map((rule) => ({
      rule,
      first: indexOf(rule.from),
      last: indexOf(rule.to),
      atLeast: bounds(rule.atLeast),
      atMost: bounds(rule.atMost),
    }));
  }

  /** What holds of the slot at the time of its last sample. */
  judge(slot: SlotState, memory: ServiceMemory, facts: Facts): Finding {
    const { history } = slot;
    if (Number.isNaN(history.time)) return nothingKnown(0, this.needed);
    const { room, earlier, neighbours, scored } = this.look(slot, memory, facts);
    this.lastRoom = room;
    slot.beginLife(history.startTime);
    const now = history.time;
    for (const prepared of this.rules) this.claimByWindow(slot, prepared, facts, now);
    this.claimByCard(slot, scored, facts, room.headroom, now);
    return this.finding(slot, { facts, room, earlier, scored, now, neighbours });
  }

  /** What would change what was found at the last judgement. */
  outlook(slot: SlotState, memory: ServiceMemory, facts: Facts, finding: Finding): readonly Change[] {
    return outlookOf(finding, this.settings, () => {
      const { scored } = this.look(slot, memory, facts);
      return { shapes: this.shapes, rules: this.rules, points: scored.points };
    });
  }

  /** Fills the shapes, and says what they are measured by. */
  private look(slot: SlotState, memory: ServiceMemory, facts: Facts) {
    const { history } = slot;
    const { speed } = this.settings;
    const room = roomOf(history, facts, speed);
    const earlier = memory.levelAt(history.age * speed, facts.version);
    const { neighbours: growthOfOthers } = facts;
    const neighbours = growthOfOthers && ((seconds: number) => growthOfOthers(seconds) / KiB);
    const around = { headroom: room.headroom, limit: room.limit, earlier, ...(neighbours && { neighbours }) };
    this.shapes.take(history, around, slot.shapes);
    return { room, earlier, neighbours, scored: this.card.score(this.shapes, 1 - room.headroom / room.limit) };
  }

  private claimByWindow(
    slot: SlotState,
    { rule, first, last, atLeast, atMost }: PreparedRule,
    facts: Facts,
    now: number,
  ): void {
    let window = -1;
    let left = Number.POSITIVE_INFINITY;
    let isNear = false;
    const { values } = this.shapes;
    const tooOld = rule.maximumAge !== undefined && slot.history.age * this.settings.speed > rule.maximumAge;
    for (let i = first; i <= last && !tooOld; i++) {
      const row = i * shapeSize;
      if (Number.isNaN(values[row] as number)) continue;
      if (!atLeast.every(([column, bound]) => (values[row + column] as number) >= bound)) continue;
      if (!atMost.every(([column, bound]) => (values[row + column] as number) <= bound)) continue;
      const seconds = values[row + at.timeLeft] as number;
      if (window < 0 || seconds < left) [window, left] = [i, seconds];
      if ((values[row + at.ahead] as number) <= rule.criticalAhead) isNear = true;
    }
    const holds = window >= 0 && !mayBeHeap(slot.history, facts);
    slot.claim(rule.name, holds, now, {
      for: rule.for / this.settings.speed,
      keep: this.settings.keepClaim / this.settings.speed,
      severity: this.severityOf(left, isNear),
      window,
    });
  }

  private claimByCard(slot: SlotState, { points }: Scored, facts: Facts, headroom: number, now: number): void {
    const { card, cardFor, keepCard, speed } = this.settings;
    const estimate = points < card.threshold ? undefined : timeToOom(this.shapes, headroom);
    slot.claim("card", points >= card.threshold && !mayBeHeap(slot.history, facts), now, {
      for: cardFor / speed,
      keep: keepCard / speed,
      severity: this.severityOf(estimate?.seconds ?? Number.POSITIVE_INFINITY, false),
      window: longestOf(this.shapes),
    });
  }

  private severityOf(left: number, mayBeCritical: boolean): LeakSeverity {
    const { critical, high, medium } = this.settings.severityTimes;
    const seconds = left * this.settings.speed;
    if (mayBeCritical && seconds <= critical) return 4;
    return seconds <= high ? 3 : seconds <= medium ? 2 : 1;
  }

  private finding(
    slot: SlotState,
    of: {
      facts: Facts;
      room: Room;
      earlier: number;
      scored: Scored;
      now: number;
      neighbours: ((seconds: number) => number) | undefined;
    },
  ): Finding {
    const { history } = slot;
    const { shapes, settings } = this;
    const { now, room, scored, facts, earlier } = of;
    const watched = now - history.seenSince;
    const claim = slot.gravest(now);
    const growthBy: Partial<Record<GrowthWindow, number>> = {};
    for (const [name, seconds] of Object.entries(growthWindows) as [GrowthWindow, number][]) {
      const growth = growthOver(history, seconds / settings.speed);
      if (growth !== undefined) growthBy[name] = growth * KiB;
    }
    const estimate = timeToOom(shapes, room.headroom, of.neighbours);
    const longest = longestOf(shapes);
    const judged = longest >= 0 ? undefined : nothingKnown(watched, this.needed);
    const { word, growth: seen, reasons: why } = wordOf({ history, shapes, room, facts, settings, longest });
    const growth = claim === undefined || estimate === undefined ? seen : shapes.get(estimate.window, "slope");
    const reasons: Reason[] =
      claim === undefined ? [...why] : this.reasonsOf(claim.name, claim.window, { history, room, earlier });
    if (claim === undefined && judged !== undefined) reasons.unshift(...judged.reasons);
    if (claim?.name === "card")
      reasons.push({ kind: "points", points: scored.points, threshold: settings.card.threshold });
    if (facts.heapMaximum !== undefined && (facts.heapKind === "fills" || limitOf(facts) < facts.limit))
      reasons.push({ kind: "heapMaximum", bytes: facts.heapMaximum, below: mayBeHeap(history, facts) });
    if (facts.others !== undefined && facts.others > 0) reasons.push({ kind: "sharedLimit", others: facts.others });
    const grows =
      claim !== undefined ||
      (growth !== undefined && growth > 0 && word !== "stable" && word !== "high_stable" && word !== "spiky");
    const left = grows && estimate !== undefined && Number.isFinite(estimate.seconds) ? estimate.seconds : undefined;
    return {
      word: claim === undefined ? word : "leaking",
      severity: claim?.severity ?? 0,
      growth: growth === undefined ? undefined : growth * KiB,
      growthBy,
      confidence: longest < 0 ? undefined : this.confidenceOf(claim?.name, claim?.window ?? longest, scored),
      timeToOom: left,
      headroom: Number.isNaN(room.headroom) ? undefined : room.headroom * KiB,
      floor: floorOf(history),
      watched,
      needed: this.needed,
      rule: claim?.name,
      since: claim?.since,
      reasons,
    };
  }

  /** How sure: the card's probability for hours and days; for what is near how straight it is, beside the bound. */
  private confidenceOf(rule: string | undefined, window: number, { points, probability }: Scored): number {
    const { threshold } = this.settings.card;
    const noise = this.shapes.get(window, "noise");
    const slowest = this.shapes.get(window, "slowest");
    const straight = Math.max(0, Math.min(1, slowest)) * Math.max(0, 1 - 2 * noise);
    // at the threshold the odds are even that it is called one
    const byCard = points >= threshold ? probability : 1 / (1 + Math.exp(threshold - points));
    if (rule === undefined || rule === "card")
      return rule === "card" ? Math.max(leastConfidence, byCard) : Math.min(leastConfidence, byCard);
    return Math.max(leastConfidence, Math.min(0.99, straight), byCard);
  }

  private reasonsOf(
    rule: string,
    window: number,
    { history, room, earlier }: { history: SlotHistory; room: Room; earlier: number },
  ): Reason[] {
    const { shapes } = this;
    if (window < 0 || !shapes.has(window)) return [];
    const get = (name: Parameters<Shapes["get"]>[1]) => shapes.get(window, name);
    const seconds = shapes.length(window);
    const bytes = get("pace") * ((seconds * 8) / 9) * KiB;
    const reasons: Reason[] = [
      { kind: "grew", bytes, seconds, window: (windows[window] as Window).name },
      { kind: "steady", slowest: get("slowest"), deviation: get("noise") },
    ];
    if (Number.isFinite(get("timeLeft")))
      reasons.push({
        kind: "timeLeft",
        seconds: get("timeLeft"),
        headroom: room.headroom * KiB,
        limit: room.limit * KiB,
      });
    if (get("new") > 0 && get("new") < 9) reasons.push({ kind: "newHigh", bytes: get("new") * bytes });
    if (earlier > 0) {
      const level = history.value * KiB;
      reasons.push({
        kind: level > earlier * KiB ? "aboveEarlierLives" : "withinEarlierLives",
        level,
        earlier: earlier * KiB,
      });
    }
    return rule === "card" || get("bend") >= 0.9 ? reasons : [...reasons, { kind: "slowing", bend: get("bend") }];
  }
}

/** What is left of the limit, in KiB; NaN without one. */
export interface Room {
  readonly headroom: number;
  readonly limit: number;
  /** Highest of late. */
  readonly peak: number;
}

function roomOf(history: SlotHistory, facts: Facts, speed: number): Room {
  const { minutes, halfHours } = history;
  let peak = minutes.highest(minutes.newest - 30, minutes.newest + 1);
  if (history.age * speed > 30 * 3600)
    peak = Math.max(
      peak,
      halfHours.highest(Math.max(halfHours.newest - 47, history.firstHalfHour), halfHours.newest + 1),
    );
  const limit = limitOf(facts) / KiB;
  const others = (facts.others ?? 0) / KiB;
  return { headroom: Math.max(limit - peak - others, 0.002 * limit), limit, peak };
}

/** What a V8 process holds beside its heap: code, stacks, buffers. In bytes; an empty Node.js program has as much. */
const besideHeap = 32 * KiB * KiB;

/** The nearer of the memory limit and of where its runtime gives up. */
function limitOf({ limit, heapMaximum, heapKind }: Facts): number {
  if (heapKind !== "ends" || heapMaximum === undefined) return limit;
  const ofHeap = heapMaximum + besideHeap;
  return ofHeap < limit || Number.isNaN(limit) ? ofHeap : limit;
}

/** May its heap grow like this without a leak: it is below its maximum, and the runtime fills it before it collects? */
function mayBeHeap({ value }: SlotHistory, { heapMaximum, heapKind, limit }: Facts): boolean {
  return heapKind === "fills" && heapMaximum !== undefined && !(heapMaximum > limit) && value * KiB < heapMaximum;
}

/** The longest window that the life has, of those up to a day; -1 where there is none. */
export function longestOf(shapes: Shapes): number {
  let longest = -1;
  for (let i = 0; i < windows.length; i++) {
    if (!shapes.has(i) || ((windows[i] as Window).steps > 6 && (windows[i] as Window).scale === "halfHours")) continue;
    if (longest < 0 || shapes.length(i) > shapes.length(longest)) longest = i;
  }
  return longest;
}

function floorOf({ minutes, fine }: SlotHistory): number | undefined {
  const floor = minutes.lowest(minutes.newest - 9, minutes.newest + 1);
  const lowest = Number.isFinite(floor) ? floor : fine.low(fine.newest);
  return Number.isFinite(lowest) ? lowest * KiB : undefined;
}
