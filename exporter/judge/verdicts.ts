// The verdicts of everything that is watched, made when somebody looks. Loaded then, too: a sidecar that only serves /metrics
// needs neither the rules nor what evaluates them.

import { setImmediate as nextTurn } from "node:timers/promises";
import { ruleGroups } from "../../alerts/index.ts";
import { type Detection, detection } from "../../catalog/detection.ts";
import type { Verdict } from "../../catalog/verdicts.ts";
import type { Group } from "../model/group.ts";
import type { Life } from "../model/life.ts";
import type { Watcher } from "../watch/watcher.ts";
import { GroupSeries, LiveRules, type SlotVerdict } from "./live.ts";

export interface GroupVerdict {
  readonly verdict: Verdict;
  readonly slots: ReadonlyMap<Life, SlotVerdict>;
}

/** Nothing is recorded of a process that is younger; there is no need to ask the rules. */
const tooYoung: SlotVerdict = {
  verdict: "insufficient_data",
  growth: undefined,
  confidence: undefined,
  timeToOom: undefined,
  firing: new Map(),
};

export class Verdicts {
  private readonly watcher: Watcher;
  private readonly rules: LiveRules;
  private readonly detection: Detection;
  private made: { at: number; verdicts: Map<string, GroupVerdict> } | undefined;

  constructor(watcher: Watcher, windows: Detection = detection) {
    this.watcher = watcher;
    this.detection = windows;
    this.rules = new LiveRules(ruleGroups(windows));
  }

  /** By group; made anew when they are older than this, in seconds. `now` is on the monotonic clock. */
  async all(now: number, maximumAge: number): Promise<ReadonlyMap<string, GroupVerdict>> {
    if (this.made !== undefined && now - this.made.at <= maximumAge) return this.made.verdicts;
    const verdicts = new Map<string, GroupVerdict>();
    for (const [name, account] of this.watcher.ledger) {
      const time = this.watcher.bootTimeAt(now);
      const slots = await this.judgeSlots(this.watcher.groups.get(name), time);
      const history = {
        events: account.events,
        knownSince: this.watcher.watchingSince,
        processes: this.watcher.groups.get(name)?.lives().length ?? 0,
      };
      const series = new GroupSeries(name, history, time, this.detection);
      const words = [...slots.values()].map(({ verdict }) => verdict);
      verdicts.set(name, { verdict: this.rules.judgeGroup(series, words, time), slots });
    }
    this.made = { at: now, verdicts };
    return verdicts;
  }

  private async judgeSlots(group: Group | undefined, time: number): Promise<Map<Life, SlotVerdict>> {
    const slots = new Map<Life, SlotVerdict>();
    for (const { life, memory } of group?.slots ?? []) {
      if (life === undefined) continue;
      if (time - life.bornAt < this.detection.lifeGrowth.minimumAge) {
        slots.set(life, tooYoung);
        continue;
      }
      slots.set(life, this.rules.judgeSlot(memory, time));
      memory.forget();
      await nextTurn(); // some milliseconds each
    }
    return slots;
  }
}
