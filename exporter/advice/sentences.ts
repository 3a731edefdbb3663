// The answer in sentences: for the page, `explain`, and the text of an alert.

import { advice } from "../../detection/advice.ts";
import { humanBytes, humanDuration, humanShare } from "../text/human.ts";
import { counted, processes } from "../text/words.ts";
import type { RestartAdvice } from "./scheduled-restart.ts";

const hour = 3600;

/**
 * The answer first, then what it rests on and what it costs; without full stops. `timeText` writes a time on the clock of the samples as people
 * read it, such as `Friday 14:00`.
 */
export function restartAdviceTexts(restart: RestartAdvice, timeText: (seconds: number) => string): string[] {
  const { watchUntil } = restart;
  return [
    verdictText(restart),
    laterText(restart),
    costText(restart),
    restart.otherVersions
      ? "processes of earlier versions are counted too, because too few of this one have run"
      : undefined,
    watchUntil === undefined ? undefined : `whether the restart can be removed: watch until ${timeText(watchUntil)}`,
  ].filter((text) => text !== undefined);
}

function verdictText({ verdict, interval, safeLife, recommended, growth, reason }: RestartAdvice): string {
  const oneIn = Math.round(1 / advice.risk);
  const risk = `at most 1 process in ${oneIn} would reach its limit`;
  if (verdict === "safe_to_remove" && growth !== undefined) {
    const typical = growth.watched / growth.lives;
    const text = `${processes(growth.lives)} of ${intervalText(typical)} grew by at most ${humanBytes(growth.bound * hour)}/h`;
    return `safe to remove the scheduled restart: ${text} (${humanShare(advice.confidence)})`;
  }
  if (verdict === "less_often" && interval !== undefined && recommended !== undefined)
    return `restarts every ${intervalText(interval)}; every ${intervalText(recommended)} would do: ${risk}`;
  if (verdict === "needed" && interval !== undefined && !("kind" in safeLife))
    return `the restart every ${intervalText(interval)} is needed: 1 process in ${oneIn} may reach its limit after ${intervalText(safeLife.seconds)}`;
  switch (reason?.kind) {
    case "fewLives":
      return `unknown whether the restart is needed: too few processes (${reason.lives} of ${reason.needed})`;
    case "tooUncertain":
      return `unknown whether the restart is needed: ${processes(reason.lives)} are too few, although none of them would reach its limit before ${intervalText(reason.shortest)}`;
    case "noLimit":
      return "unknown whether the restart is needed: no memory limit is known";
    case "noGrowth":
      return "unknown whether the restart is needed: no process grew, but too little was seen to rule out a slow leak";
    default:
      return "not restarted on a schedule";
  }
}

/** What the pace promises beyond what processes so short can confirm. */
function laterText({ verdict, safeLife }: RestartAdvice): string | undefined {
  if (verdict !== "less_often" || "kind" in safeLife || safeLife.atThisPace <= safeLife.seconds) return undefined;
  const { atThisPace, longest, lives } = safeLife;
  return `at this pace every ${intervalText(atThisPace)}, but processes of ${intervalText(longest)} cannot show whether growth speeds up later: set the longer interval, then look again after ${processes(lives)}`;
}

function costText({ avoided, downtime, present, longer, verdict }: RestartAdvice): string | undefined {
  if (present === undefined) return undefined;
  const saved = avoided === undefined ? undefined : `avoids ${counted(Math.round(avoided), "restart")} a week`;
  const gap =
    downtime === undefined
      ? undefined
      : `each restart leaves about ${humanDuration(Math.max(1, downtime))} without a process`;
  const held = verdict === "safe_to_remove" ? undefined : heldText(present.heldGibHours, longer?.heldGibHours);
  const price = verdict === "safe_to_remove" ? undefined : priceText(present.heldPrice, longer?.heldPrice);
  const parts = [saved, gap, held, price].filter((text) => text !== undefined);
  return parts.length === 0 ? undefined : parts.join("; ");
}

function heldText(now: number | undefined, then: number | undefined): string | undefined {
  if (now === undefined || now < 0.05) return undefined;
  const more = then === undefined ? "" : `, ${gibHours(then)} at the longer interval`;
  return `the leak holds ${gibHours(now)} a week${more}`;
}

function priceText(now: number | undefined, then: number | undefined): string | undefined {
  if (now === undefined || now < 0.005) return undefined;
  return `at the configured price ${now.toFixed(2)} a week${then === undefined ? "" : `, then ${then.toFixed(2)}`}`;
}

const gibHours = (value: number) => `${value >= 9.95 ? value.toFixed(0) : value.toFixed(1)} GiB-hours`;

/** `31 h` rather than `1 d 7 h`, up to three days: that is how intervals are written. */
function intervalText(seconds: number): string {
  const whole = Math.floor(seconds / hour);
  return whole >= 24 && whole < 72 ? `${whole} h` : humanDuration(seconds);
}
