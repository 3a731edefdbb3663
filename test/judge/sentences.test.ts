import { expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import type { Reason } from "../../exporter/judge/finding.ts";
import { reasonText } from "../../exporter/judge/sentences.ts";
import { day, hour, minute } from "./samples.ts";

test.each<[Reason, string]>([
  [{ kind: "tooYoung", watched: 12.9 * minute, needed: 20 * minute }, "collecting data (12 of 20 min)"],
  [{ kind: "grew", bytes: 48 * MiB, seconds: 18 * minute, window: "18m" }, "grew by 48.0 MiB in the last 18 min"],
  [{ kind: "slowing", bend: 0.4 }, "slowing down: the second half grew at 40 % of the first half's pace"],
  [{ kind: "slowing", bend: -2 }, "slowing down: the second half grew at 0.0 % of the first half's pace"],
  [{ kind: "stopped", last: 0 }, "growth has stopped"],
  [{ kind: "belowEarlierHigh", bytes: 9 * MiB }, "still 9.00 MiB below its highest peak before that"],
  [
    { kind: "timeLeft", seconds: 55 * minute, headroom: 100 * MiB, limit: 256 * MiB },
    "100 MiB are left of 256 MiB: about 55 min at this pace",
  ],
  [{ kind: "sharedLimit", others: 200 * MiB }, "200 MiB of the limit are used by others"],
  [
    { kind: "heapMaximum", bytes: 512 * MiB, below: true },
    "its heap may grow to 512 MiB, and garbage alone can fill it",
  ],
  [{ kind: "heapMaximum", bytes: 512 * MiB, below: false }, "its heap may grow to 512 MiB"],
  [{ kind: "points", points: 4.21, threshold: 3.5 }, "4.2 points for growth over hours and days, 3.5 are a leak"],
  [
    { kind: "endedGrowing", growing: 5, ended: 6, seconds: day, killed: false },
    "5 of 6 processes that exited within 1 d were still growing",
  ],
  [
    { kind: "endedGrowing", growing: 2, ended: 2, seconds: 6 * hour, killed: true },
    "2 of 2 processes that exited within 6 h were still growing, and were killed for their memory",
  ],
])("%o in words", (reason, text) => {
  expect(reasonText(reason)).toBe(text);
});
