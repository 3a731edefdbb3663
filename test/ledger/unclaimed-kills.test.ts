import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { UnclaimedKills } from "../../exporter/ledger/unclaimed-kills.ts";

describe("a kill that no ended life has claimed", () => {
  test.each([
    ["the next pass, 5 s later", [5], 1],
    ["the pass after that, 10 s later", [5, 10], 1],
    ["15 s later", [5, 10, 15], 0],
    ["the next pass, though that comes 60 s later", [60], 1],
  ])("in %s", (_, passes, left) => {
    const kills = new UnclaimedKills();
    kills.nextPass(0);
    kills.see("node", 1, 0);
    for (const now of passes) kills.nextPass(now);
    expect(kills.count("node")).toBe(left);
  });

  test("is claimed once, and only from the counter that saw it", () => {
    const kills = new UnclaimedKills();
    kills.see("node", 2, 0);
    kills.see("/api", 1, 0);
    kills.claim("node");
    expect([kills.count("node"), kills.count("/api")]).toEqual([1, 1]);
  });

  test("is the oldest, whichever pass saw it", () => {
    const kills = new UnclaimedKills();
    kills.nextPass(0);
    kills.see("node", 1, 0);
    kills.nextPass(5);
    kills.see("node", 1, 5);
    kills.claim("node"); // that of the first pass
    kills.nextPass(10);
    kills.nextPass(15);
    expect(kills.count("node")).toBe(1);
  });

  test("cannot be claimed where there is none", () => {
    const kills = new UnclaimedKills();
    kills.see("node", 0, 0);
    kills.see("/api", 1, 0);
    kills.claim("node");
    kills.claim("other");
    expect([kills.count("node"), kills.count("/api"), kills.count("other")]).toEqual([0, 1, 0]);
  });
});

describe("300,000,000 kills in one pass, as a forged counter shows them", () => {
  const forged = 300_000_000;

  test("take no more memory than one", () => {
    const kills = new UnclaimedKills();
    const before = process.memoryUsage().heapUsed;
    kills.see("forged", forged, 0);
    expect(kills.count("forged")).toBe(forged);
    // an array of them would take 2.4 GB
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(MiB);
  });

  test("can be claimed one by one", () => {
    const kills = new UnclaimedKills();
    kills.see("forged", forged, 0);
    for (let i = 1; i <= 1000; i++) {
      kills.claim("forged");
      expect(kills.count("forged")).toBe(forged - i);
    }
  });

  test("leave those of other counters alone", () => {
    const kills = new UnclaimedKills();
    kills.see("forged", forged, 0);
    kills.see("node", 2, 0);
    kills.claim("forged");
    kills.claim("node");
    expect([kills.count("forged"), kills.count("node")]).toEqual([forged - 1, 1]);
  });

  test("are forgotten in time, pass after pass", () => {
    const kills = new UnclaimedKills();
    for (let now = 0; now <= 100_000; now += 5) {
      kills.nextPass(now);
      kills.see("forged", forged, now);
    }
    // those of this pass and of the two before, 10 s ago at most
    expect(kills.count("forged")).toBe(3 * forged);
    kills.nextPass(200_000);
    kills.nextPass(300_000);
    expect(kills.count("forged")).toBe(0);
  });
});
