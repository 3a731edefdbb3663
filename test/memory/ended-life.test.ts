import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endedLife } from "../../detection/ended-life.ts";
import { judgeEndedLife } from "../../exporter/memory/ended-life.ts";
import { LifeHistory } from "../../exporter/memory/life-history.ts";
import { MiB } from "../support/fixtures.ts";

const minute = 60;
const hour = 3600;
const day = 24 * hour;

/** Memory in MiB at an age in seconds; undefined where there was no sample. */
type Trace = (age: number) => number | undefined;

function judge(seconds: number, trace: Trace, every = 5) {
  const history = new LifeHistory();
  for (let age = 0; age <= seconds; age += every) {
    const mebibytes = trace(age);
    if (mebibytes !== undefined) history.add(age, mebibytes * MiB);
  }
  return judgeEndedLife(history);
}

/** The same numbers from 0 to 1 on every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Memory that grows by so many MiB an hour. */
const leak =
  (perHour: number, start = 200): Trace =>
  (age) =>
    start + (perHour * age) / hour;

const withoutSamples =
  (from: number, to: number, trace: Trace): Trace =>
  (age) =>
    age > from && age < to ? undefined : trace(age);

const dailyWave = (age: number) => 500 - 100 * Math.cos((2 * Math.PI * age) / day);

//          ╱            a line to the end
//        ╱
//      ╱
//    ╱
describe("a life counts as growing", () => {
  test.each<[string, number, Trace, number]>([
    ["with a leak", 6 * hour, leak(20), 20],
    ["with a fast leak and a life of half an hour", 30 * minute, leak(300, 100), 300],
    ["with a leak of 1.4 MiB/h over three days", 3 * day, leak(1.4), 1.4],
    [
      "with a leak under the saw of garbage collection",
      6 * hour,
      (age) => 200 + (20 * age) / hour + (80 * (age % 300)) / 300,
      20,
    ],
    ["with a leak that comes in steps of half an hour", 6 * hour, (age) => 200 + 20 * Math.floor(age / (hour / 2)), 40],
    [
      "with a leak after an hour of warm-up",
      6 * hour,
      (age) => 100 * Math.min(1, age / hour) + 100 + (20 * age) / hour,
      20,
    ],
    ["with a leak and no samples for half an hour", 6 * hour, withoutSamples(2.4 * hour, 2.9 * hour, leak(20)), 20],
    ["with a leak and no samples in its warm-up", 6 * hour, withoutSamples(10, 1.9 * hour, leak(20)), 20],
    [
      "that was sampled once a minute only",
      6 * hour,
      (age) => (age % 60 === 0 ? 200 + (20 * age) / hour : undefined),
      20,
    ],
  ])("%s", (_, seconds, trace, perHour) => {
    const verdict = judge(seconds, trace);
    expect(verdict).toMatchObject({ growing: true, reason: "growing" });
    const found = ((verdict.growthPerSecond ?? 0) * hour) / MiB;
    expect(found / perHour).toBeGreaterThan(0.97);
    expect(found / perHour).toBeLessThan(1.03);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("with a leak under 50 MiB of noise (seed %i)", (seed) => {
    const noise = random(seed);
    expect(judge(6 * hour, (age) => 200 + (20 * age) / hour + 50 * noise())).toMatchObject({ reason: "growing" });
  });
});

describe("a life does not count as growing", () => {
  //      ┌─────────      then level
  //    ╱
  test.each<[string, number, Trace, string]>([
    ["that is level", 6 * hour, () => 4000, "small gain"],
    ["that shrinks", 6 * hour, leak(-10, 500), "small gain"],
    [
      "that reached its plateau in half an hour",
      6 * hour,
      (age) => 200 + 300 * Math.min(1, age / (hour / 2)),
      "small gain",
    ],
    ["that gains 2 % in all its time", 6 * hour, leak(2, 600), "small gain"],
    ["that warms up more and more slowly", 6 * hour, (age) => 100 + 400 * (1 - Math.exp(-age / (2 * hour))), "slowing"],
    [
      "whose cache was full after two thirds",
      6 * hour,
      (age) => 200 + (50 * Math.min(age, 4 * hour)) / hour,
      "slowing",
    ],
    ["with one step in its warm-up", 6 * hour, (age) => (age > hour ? 300 : 200), "small gain"],
    ["with one step in the middle", 6 * hour, (age) => (age > 3 * hour ? 300 : 200), "small gain"],
    ["with one step at two thirds", 6 * hour, (age) => (age > 3.9 * hour ? 300 : 200), "one step"],
    ["with one step near the end", 6 * hour, (age) => (age > 5 * hour ? 300 : 200), "small gain"],
    ["that died of one spike", 6 * hour, (age) => (age > 5.9 * hour ? 900 : 200), "small gain"],
    ["that follows the days", 3 * day, dailyWave, "small gain"],
    ["that follows the days and the hours, upwards", 3 * day, (age) => dailyWave(age) + (2 * age) / hour, "noise"],
    [
      "that only comes back to where it was before",
      6 * hour,
      (age) => (age < 2 * hour ? 600 : 300 + (50 * (age - 2 * hour)) / hour),
      "no new high",
    ],
  ])("%s", (_, seconds, trace, reason) => {
    const verdict = judge(seconds, trace);
    expect(verdict).toMatchObject({ growing: false, reason });
    expect(verdict.growthPerSecond).toBeTypeOf("number");
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("with noise around a level (seed %i)", (seed) => {
    const noise = random(seed);
    expect(judge(6 * hour, () => 500 + 50 * noise()).growing).toBe(false);
  });
});

describe("a life cannot be judged", () => {
  test.each<[string, number, Trace, string]>([
    ["of 19 minutes: a warm-up looks the same", 19 * minute, leak(300), "too short"],
    ["of one sample", 0, leak(300), "too short"],
    [
      "with no samples over most of its middle",
      6 * hour,
      withoutSamples(2 * hour, 3.6 * hour, leak(20)),
      "too few samples",
    ],
    [
      "with no samples over most of its last third",
      6 * hour,
      withoutSamples(4.4 * hour, 5.9 * hour, leak(20)),
      "too few samples",
    ],
    [
      "with three samples in all",
      6 * hour,
      (age) => (age % (3 * hour) === 0 ? 200 + age / hour : undefined),
      "too few samples",
    ],
  ])("%s", (_, seconds, trace, reason) => {
    expect(judge(seconds, trace)).toEqual({ growing: false, reason, growthPerSecond: undefined });
  });

  test("without any sample", () => {
    expect(judgeEndedLife(new LifeHistory())).toMatchObject({ growing: false, reason: "too short" });
  });
});

describe("a verdict", () => {
  test("comes from 20 minutes on", () => {
    expect(judge(20 * minute, leak(300)).reason).toBe("growing");
  });

  test("goes by the thresholds that it is given: a demo shortens a life to a minute", () => {
    const thresholds = { ...endedLife, minimumSpanSeconds: 60, firstBucketSeconds: 0.5 };
    const history = new LifeHistory(thresholds);
    for (let age = 0; age <= 61; age++) history.add(age, (100 + age) * MiB);
    expect(judgeEndedLife(history, thresholds).reason).toBe("growing");
    expect(judgeEndedLife(history).reason).toBe("too short");
  });

  test("depends neither on the size of a process nor on the clock", () => {
    const trace = fc.array(fc.integer({ min: 100, max: 10_000 }), { minLength: 12, maxLength: 60 });
    fc.assert(
      fc.property(trace, fc.constantFrom(2, 16, 1024), fc.constantFrom(86_400, 2 ** 30), (values, scale, start) => {
        const [small, large] = [new LifeHistory(), new LifeHistory()];
        values.forEach((value, i) => {
          small.add(i * 120, value);
          large.add(start + i * 120, value * scale);
        });
        expect(judgeEndedLife(large).reason).toBe(judgeEndedLife(small).reason);
      }),
    );
  });

  test("is never growing for memory that never grew", () => {
    const trace = fc.array(fc.nat({ max: 1000 }), { minLength: 12, maxLength: 200 });
    fc.assert(
      fc.property(trace, (losses) => {
        const history = new LifeHistory();
        let bytes = 1e6;
        losses.forEach((loss, i) => {
          bytes -= loss;
          history.add(i * 120, bytes);
        });
        expect(judgeEndedLife(history).growing).toBe(false);
      }),
    );
  });
});
