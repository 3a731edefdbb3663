import { expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import type { Reason } from "../../exporter/judge/finding.ts";
import type { Change } from "../../exporter/judge/outlook.ts";
import { outlookText, reasonText } from "../../exporter/judge/sentences.ts";
import { day, hour, minute } from "./samples.ts";

test.each<[Reason, string]>([
  [{ kind: "tooYoung", watched: 12.9 * minute, needed: 20 * minute }, "collecting data (12 of 20 min)"],
  [{ kind: "grew", bytes: 48 * MiB, seconds: 18 * minute, window: "18m" }, "grew by 48.0 MiB in the last 18 min"],
  [{ kind: "slowing", bend: 0.4 }, "slowing down: the second half grew at 40 % of the first half's pace"],
  [{ kind: "slowing", bend: -2 }, "slowing down: the second half grew at 0.0 % of the first half's pace"],
  [{ kind: "stopped", last: 0 }, "growth has stopped"],
  [
    { kind: "version", version: "2.3", growing: 0, ended: 12 },
    "version 2.3: of 12 processes of other versions that exited, none was still growing",
  ],
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

test.each<[readonly Change[], string | undefined]>([
  [[], undefined],
  [[{ kind: "stops", seconds: hour }], "no longer called a leak once it has not grown like this for 1 h"],
  [
    [{ kind: "fewerGrow", share: 0.6 }],
    "no longer called a leak once fewer than 60 % of the processes that exit are still growing",
  ],
  [[{ kind: "holds" }], "called a leak if it goes on like this for some minutes"],
  [
    [
      { kind: "exceedsPeak", bytes: 12 * MiB },
      { kind: "withoutPause", least: 0.3, now: -0.1 },
    ],
    "called a leak if it grows by another 12.0 MiB, well above its earlier peak and its slowest quarter grows at 30 % of the mean pace or more (now 0.0 %)",
  ],
  [
    [{ kind: "withoutStep", most: 2, now: 2.6 }],
    "called a leak if no quarter grows at more than 200 % of the mean pace (now 260 %)",
  ],
  [
    [{ kind: "nearerLimit", within: 27 * minute, now: Number.POSITIVE_INFINITY }],
    "called a leak if the limit comes within 27 min",
  ],
  [
    [
      { kind: "goesOn", seconds: 18 * minute },
      { kind: "morePoints", points: 1.04, threshold: 3.5 },
    ],
    "called a leak if it keeps its pace for another 18 min, or if its growth over hours and days reaches 3.5 points (now 1.0)",
  ],
])("%o would change it, in words", (changes, text) => {
  expect(outlookText(changes)).toBe(text);
});
