import { describe, expect, test } from "vitest";
import { GiB, KiB, MiB } from "../../catalog/defaults.ts";
import { humanBytes, humanDuration, humanShare } from "../../exporter/text/human.ts";

const [minute, hour, day] = [60, 3600, 86_400];

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "0.98 KiB"],
  [KiB, "1.00 KiB"],
  [9.994 * MiB, "9.99 MiB"],
  [9.996 * MiB, "10.0 MiB"],
  [13.42 * MiB, "13.4 MiB"],
  [99.94 * MiB, "99.9 MiB"],
  [99.96 * MiB, "100 MiB"],
  [999 * MiB, "999 MiB"],
  [1000 * MiB, "0.98 GiB"],
  [1.5 * GiB, "1.50 GiB"],
  [5000 * 1024 ** 5, "5000 PiB"],
  [-2 * MiB, "−2.00 MiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text);
});

test.each([
  [0, "0 s"],
  [59.9, "59 s"],
  [minute, "1 min"],
  [12 * minute + 34, "12 min"],
  [hour, "1 h"],
  [3 * hour + 4 * minute, "3 h 4 min"],
  [day, "1 d"],
  [3 * day + 4 * hour + 5 * minute, "3 d 4 h"],
  [400 * day, "400 d"],
])("%d seconds are %s", (seconds, text) => {
  expect(humanDuration(seconds)).toBe(text);
});

describe("a share", () => {
  test.each([
    [0, "0.0 %"],
    [0.003, "0.3 %"],
    [0.0994, "9.9 %"],
    [0.0996, "10 %"],
    [0.42, "42 %"],
    [1.07, "107 %"],
  ])("of %d is %s", (share, text) => {
    expect(humanShare(share)).toBe(text);
  });
});
