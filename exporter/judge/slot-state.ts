// A slot as the judge keeps it: its history, and what its claims have to remember.

import type { LeakSeverity } from "../../catalog/verdicts.ts";
import { levelAges, scales } from "../../detection/windows.ts";
import { SlotHistory } from "../memory/slot-history.ts";
import { KeptShapes } from "./shape.ts";

/** What a claim needs to be held, and how long it lasts. Kept per slot. */
export interface ClaimState {
  since: number;
  until: number;
  severity: LeakSeverity;
  window: number;
}

/** A slot with what its claims have to remember. */
export class SlotState {
  readonly history: SlotHistory;
  readonly shapes = new KeptShapes();
  private claims = new Map<string, ClaimState>();
  private startTime = Number.NaN;

  constructor(history: SlotHistory) {
    this.history = history;
  }

  /** Claims are about one life. */
  beginLife(startTime: number): void {
    if (startTime === this.startTime) return;
    this.startTime = startTime;
    this.claims.clear();
  }

  claim(
    name: string,
    holds: boolean,
    now: number,
    as: { for: number; keep: number; severity: LeakSeverity; window: number },
  ): void {
    const known = this.claims.get(name);
    if (!holds) {
      if (known === undefined) return;
      known.since = Number.NaN;
      if (!(now <= known.until)) this.claims.delete(name);
      return;
    }
    const state = known ?? { since: now, until: Number.NaN, severity: 0, window: as.window };
    if (known === undefined) this.claims.set(name, state);
    if (Number.isNaN(state.since)) state.since = now;
    state.window = as.window;
    if (now - state.since < as.for) return;
    const kept = now <= state.until ? state.severity : 0;
    state.severity = Math.max(kept, as.severity) as LeakSeverity;
    state.until = now + as.keep;
  }

  /** Claims, to be written down. */
  saveClaims(): [string, ClaimState][] {
    return [...this.claims].map(([name, state]) => [name, { ...state }]);
  }

  /** Takes claims that were saved of this very life. */
  restoreClaims(claims: readonly (readonly [string, ClaimState])[]): void {
    this.startTime = this.history.startTime;
    this.claims = new Map(claims.map(([name, state]) => [name, { ...state }]));
  }

  /** The claim that is held, the most urgent of several. */
  gravest(now: number): { name: string; severity: LeakSeverity; since: number; window: number } | undefined {
    let gravest: { name: string; severity: LeakSeverity; since: number; window: number } | undefined;
    for (const [name, { until, severity, since, window }] of this.claims) {
      if (!(now <= until) || (gravest !== undefined && gravest.severity >= severity)) continue;
      gravest = { name, severity, since, window };
    }
    return gravest;
  }
}

/** An empty history on the judge's clock. */
export function newSlot(speed: number): SlotState {
  if (speed === 1) return new SlotState(new SlotHistory());
  const faster = ({ step, kept }: { step: number; kept: number }) => ({ step: step / speed, kept });
  const { fine, minutes, halfHours } = scales;
  return new SlotState(
    new SlotHistory(
      { fine: faster(fine), minutes: faster(minutes), halfHours: faster(halfHours) },
      levelAges.map((age) => age / speed),
    ),
  );
}
