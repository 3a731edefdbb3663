import { describe, expect, test } from "vitest";
import { parseSmapsRollup } from "../../exporter/procfs/smaps-rollup.ts";
import { fixture, KiB } from "../support/fixtures.ts";

describe("parseSmapsRollup", () => {
  test.each([
    ["Node.js", "debian12-host-v1/proc/7769", 53376, 50854, 38700 + 11628],
    ["Python", "debian12-host-v1/proc/7770", 18692, 14215, 4064 + 9308],
    ["Java", "debian12-host-v1/proc/7771", 40380, 37572, 19156 + 17920],
    ["a PostgreSQL backend", "debian12-host-v1/proc/7840", 14760, 5210, 1228 + 1472],
    ["an nginx worker", "debian12-host-v1/proc/7796", 4148, 1256, 532],
    ["Linux 6.1, which has no KSM line", "cgroup-v2-nested/proc/118", 26388, 26384, 26384],
  ])("reads %s", (_, folder, rss, pss, uss) => {
    expect(parseSmapsRollup(fixture(folder, "smaps_rollup"))).toEqual({
      rss: rss * KiB,
      pss: pss * KiB,
      uss: uss * KiB,
    });
  });

  const small = "Rss: 9 kB\nPss: 8 kB\nPrivate_Clean: 2 kB\nPrivate_Dirty: 3 kB\n";

  test("counts private huge pages, which the two other fields leave out", () => {
    expect(parseSmapsRollup(`${small}Private_Hugetlb:    2048 kB\n`).uss).toBe((2 + 3 + 2048) * KiB);
    expect(parseSmapsRollup(small).uss).toBe((2 + 3) * KiB);
  });

  test.each([
    ["empty, as for a process that is ending", "", "missing field Rss"],
    ["cut short", "Rss: 9 kB\n", "missing field Pss"],
    ["without private memory", "Rss: 9 kB\nPss: 8 kB\n", "missing field Private_Clean"],
    ["cut within a line", "Rss: 9 kB\nPss: 8 kB\nPrivate_Clean: 2 kB\nPrivate_Dirty: 3", "missing field Private_Dirty"],
  ])("rejects a file that is %s", (_, text, message) => {
    expect(() => parseSmapsRollup(text)).toThrow(message);
  });
});
