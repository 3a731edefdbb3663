import { describe, expect, test } from "vitest";
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
});
