// What to do next, for each verdict, and the runbook that says more.

import { alerts } from "../catalog/alerts.ts";
import type { Verdict } from "../catalog/verdicts.ts";

interface Advice {
  readonly next: string;
  /** File in alerts/runbooks, without its ending. */
  readonly runbook: string;
}

export const advice: Record<Verdict, Advice> = {
  collecting: { next: "Wait: it is too young to judge", runbook: "finding-the-cause" },
  stable: { next: "Nothing: it is flat", runbook: "finding-the-cause" },
  spiky: { next: "Leave room for the peaks", runbook: alerts.memoryNearLimit.name },
  high_stable: { next: "Raise the limit, or use less", runbook: alerts.memoryNearLimit.name },
  warming_up: { next: "Look again tomorrow", runbook: "finding-the-cause" },
  bounded_growth: { next: "Watch the 7-day trend", runbook: "finding-the-cause" },
  growing: { next: "Watch it: it may slow down, or become a leak", runbook: alerts.memoryGrowth.name },
  leaking: { next: "Roll back, or plan a restart; then find the cause", runbook: alerts.memoryLeak.name },
  masked_leak: { next: "Keep the restarts, find the leak they hide", runbook: alerts.memoryLeakMasked.name },
  restart_loop: { next: "Stop the loop first: see why it ends", runbook: alerts.restartLoop.name },
};
