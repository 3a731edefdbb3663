import { describe, expect, test } from "vitest";
import { KiB } from "../../catalog/defaults.ts";
import { atSpeed, judgeSettings } from "../../detection/judge.ts";
import { levelAges } from "../../detection/windows.ts";
import { maskedLeakOf } from "../../exporter/judge/ended-lives.ts";
import { type EndedLife, ServiceMemory } from "../../exporter/memory/service-memory.ts";
import { day, hour, minute } from "./samples.ts";

const life = (differs: Partial<EndedLife>): EndedLife => ({
  endedAt: 0,
  lifetime: 6 * hour,
  watched: 6 * hour,
  growing: true,
  atLimit: false,
  peak: 500 * KiB,
  slot: "0",
  version: "",
  seenUntil: differs.endedAt ?? 0, // its end was noticed at once
  followed: true,
  ...differs,
});

/** A service that is known for so long, and its ended lives, oldest first. */
function service(lives: readonly Partial<EndedLife>[], knownSince = -30 * day): ServiceMemory {
  const memory = new ServiceMemory();
  memory.knownSince = knownSince;
  for (const one of lives)
    memory.recordEnd(
      life(one),
      levelAges.map(() => Number.NaN),
      judgeSettings.endedLives.settledAfter,
    );
  return memory;
}

const every = (seconds: number, count: number, differs: Partial<EndedLife> = {}) =>
  Array.from({ length: count }, (_, i) => ({
    endedAt: (i + 1) * seconds,
    lifetime: seconds,
    watched: seconds,
    ...differs,
  }));

const maskedAt = (memory: ServiceMemory, now: number) => maskedLeakOf(memory, now, judgeSettings.endedLives);

describe("restarts mask a leak", () => {
  test("where most lives of a day still grew when they were restarted", () => {
    const masked = maskedAt(service(every(4 * hour, 6)), 24 * hour);
    expect(masked).toEqual({ growing: 6, ended: 6, over: day, killed: false });
  });

  test("at the second kill for memory, however short the lives were", () => {
    const kills = every(5 * minute, 2, { atLimit: true });
    expect(maskedAt(service(kills.slice(0, 1)), 10 * minute)).toBeUndefined();
    expect(maskedAt(service(kills), 10 * minute)).toEqual({ growing: 2, ended: 2, over: day, killed: true });
  });

  test("over a week, where it is restarted every other day", () => {
    expect(maskedAt(service(every(2 * day, 3)), 6 * day + hour)).toMatchObject({ growing: 3, ended: 3, over: 7 * day });
  });

  test("of recycled workers as of pods: slots are told apart", () => {
    const workers = every(hour, 12, {}).flatMap((one) =>
      ["0", "1", "2"].map((slot, i) => ({ ...one, slot, endedAt: one.endedAt + 20 * minute * i })),
    );
    expect(maskedAt(service(workers), 12 * hour)).toBeDefined();
  });
});

describe("restarts mask no leak", () => {
  test.each<[string, readonly Partial<EndedLife>[]]>([
    ["where lives had stopped growing", every(4 * hour, 6, { growing: false })],
    ["where too little of them was seen to say", every(4 * hour, 6, { growing: undefined })],
    ["where nobody started them again: jobs end", every(4 * hour, 6, { followed: false })],
    [
      "where the longest life had stopped growing: the others were still warming up",
      [...every(hour, 8), { endedAt: 20 * hour, lifetime: 10 * hour, growing: false }],
    ],
    ["where they were watched for a moment", every(4 * hour, 6, { watched: 3 * minute })],
    ["where one deploy ended all replicas", ["0", "1", "2", "3", "4"].map((slot) => ({ endedAt: 10 * hour, slot }))],
    ["where the lives that grew are few", every(2 * hour, 12).map((one, i) => ({ ...one, growing: i % 3 === 0 }))],
  ])("%s", (_, lives) => {
    expect(maskedAt(service(lives), 24 * hour)).toBeUndefined();
  });

  test("before the service is known long enough: four restarts may be one evening's work", () => {
    const lives = every(30 * minute, 4);
    expect(maskedAt(service(lives, 0), 2 * hour)).toBeUndefined();
  });

  test("where nothing has ended", () => {
    expect(maskedAt(service([]), day)).toBeUndefined();
  });

  test("once a week has gone by without another", () => {
    const memory = service(every(4 * hour, 6));
    expect(maskedAt(memory, 24 * hour)).toBeDefined();
    expect(maskedAt(memory, 24 * hour + 7 * day)).toBeUndefined();
  });
});

test("a clock that runs faster comes to the same", () => {
  const speed = 60;
  const fast = atSpeed(judgeSettings, speed).endedLives;
  expect(maskedLeakOf(service(every((4 * hour) / speed, 6)), day / speed, fast)).toMatchObject({
    growing: 6,
    ended: 6,
  });
});
