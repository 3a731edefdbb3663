import { describe, expect, test } from "vitest";
import { parseOomKills } from "../../exporter/procfs/vmstat.ts";
import { fixture } from "../support/fixtures.ts";

describe("parseOomKills", () => {
  test.each([
    ["a node without any", "debian12-host-v1", 0],
    ["a node whose containers lost workers", "docker-cgroup-v1", 4],
    ["a node after one kill", "cgroup-v2-after-worker-oom", 1],
    ["a node after a group kill", "cgroup-v2-after-main-oom", 5],
  ])("reads that of %s", (_, machine, kills) => {
    expect(parseOomKills(fixture(machine, "proc/vmstat"))).toBe(kills);
  });

  test("is not known before Linux 4.13", () => {
    expect(parseOomKills("nr_free_pages 5\npgfault 7\n")).toBeUndefined();
  });
});
