import { describe, expect, test } from "vitest";
import { ledger as defaults } from "../../catalog/defaults.ts";
import { cadence } from "../../detection/cadence.ts";
import { type LastEnd, Ledger } from "../../exporter/ledger/ledger.ts";

const exited: LastEnd = {
  reason: "exit",
  evidence: "none",
  limitRatio: 0.4,
  growthPerSecond: undefined,
  lifetime: 300,
};
const everyFiveMinutes = [300, 600, 900, 1200];
const noRestarts = { oom: 0, suspected_oom: 0, scheduled: 0, exit: 0, unknown: 0 };

describe("an account", () => {
  test("starts with every counter at 0, so that the first increase shows", () => {
    expect(new Ledger().account("api")).toEqual({
      podUid: undefined,
      hasWorkers: false,
      restarts: noRestarts,
      workerExits: { oom: 0, suspected_oom: 0, recycled: 0, unknown: 0 },
      workerExitsGrowing: 0,
      livesEnded: 0,
      livesEndedGrowing: 0,
      oomKills: 0,
      lastRestart: undefined,
      lastEnd: undefined,
      lastOomGrowth: [],
      events: [],
      goneSince: undefined,
    });
  });

  test("counts ends, and those that still grew", () => {
    const ledger = new Ledger();
    ledger.recordEnd("api", { ...exited }, { growing: false, time: 1000 });
    ledger.recordEnd("api", { ...exited, growthPerSecond: 17_476 }, { growing: true, time: 1000 });
    expect(ledger.account("api")).toMatchObject({ livesEnded: 2, livesEndedGrowing: 1 });
    expect(ledger.account("api").lastEnd).toEqual({ ...exited, growthPerSecond: 17_476 });
    expect(ledger.account("other").livesEnded).toBe(0);
  });
});

describe("a restart", () => {
  test("counts by the reason of the end, and leaves its time", () => {
    const ledger = new Ledger();
    ledger.recordRestart("api", "suspected_oom", [300, 617], 1617);
    ledger.recordRestart("api", "suspected_oom", [300, 617, 700], 1700);
    expect(ledger.account("api").restarts).toEqual({ ...noRestarts, suspected_oom: 2 });
    expect(ledger.account("api").lastRestart).toBe(1700);
  });

  test("that keeps a beat was scheduled, and so was the end before it", () => {
    const ledger = new Ledger();
    ledger.recordEnd("api", { ...exited }, { growing: false, time: 1000 });
    ledger.recordRestart("api", "exit", everyFiveMinutes, 2200);
    expect(ledger.account("api").restarts).toEqual({ ...noRestarts, scheduled: 1 });
    expect(ledger.account("api").lastEnd).toEqual({ ...exited, reason: "scheduled", evidence: "steady_cadence" });
  });

  // a leak that fills the same limit at the same pace keeps a beat too
  test.each(["oom", "suspected_oom", "unknown"] as const)("after %s was not scheduled, whatever its beat", (reason) => {
    const ledger = new Ledger();
    ledger.recordEnd("api", { ...exited, reason }, { growing: false, time: 1000 });
    ledger.recordRestart("api", reason, everyFiveMinutes, 2200);
    expect(ledger.account("api").restarts).toEqual({ ...noRestarts, [reason]: 1 });
    expect(ledger.account("api").lastEnd?.reason).toBe(reason);
  });

  test("remembers as many starts as its beat needs", () => {
    expect(new Ledger().rememberedStarts).toBe(everyFiveMinutes.length);
    expect(new Ledger(defaults, { ...cadence, intervals: 7 }).rememberedStarts).toBe(8);
  });
});

describe("forgetGone", () => {
  const ledgerWith = (goneSince: Record<string, number | undefined>, options = {}) => {
    const ledger = new Ledger({
      ...defaults,
      keepGoneGroupsSeconds: 100,
      keepGoneJobsSeconds: 20,
      keepGoneGroups: 3,
      ...options,
    });
    for (const [group, since] of Object.entries(goneSince)) {
      Object.assign(ledger.account(group), { goneSince: since, livesEnded: group === "job" ? 0 : 1 });
    }
    return ledger;
  };

  test("closes what is gone for longer than it is kept, and returns it", () => {
    const ledger = ledgerWith({ old: 10, younger: 50, running: undefined });
    expect(ledger.forgetGone(110)).toEqual([]);
    expect(ledger.forgetGone(111)).toEqual(["old"]);
    expect([...ledger].map(([group]) => group)).toEqual(["younger", "running"]);
  });

  test("closes those to which nothing happened soon", () => {
    const ledger = ledgerWith({ old: 50, job: 50 });
    expect(ledger.forgetGone(70)).toEqual([]);
    expect(ledger.forgetGone(71)).toEqual(["job"]);
  });

  test("closes the oldest when there are too many, and never one that runs", () => {
    const ledger = ledgerWith({ c: 30, a: 10, running: undefined, e: 50, b: 20, d: 40 });
    expect(ledger.forgetGone(60)).toEqual(["a", "b"]);
    expect([...ledger].map(([group]) => group).toSorted()).toEqual(["c", "d", "e", "running"]);
  });
});
