import { describe, expect, test } from "vitest";
import { CountHistory } from "../../exporter/memory/count-history.ts";

const minute = 60;
const hour = 60 * minute;

/** A count each minute, by the age in hours. */
function counted(hours: number, count: (hours: number) => number, startTime = 0): CountHistory {
  const history = new CountHistory();
  for (let time = 0; time <= hours * hour; time += minute)
    history.add(startTime + time, Math.round(count(time / hour)), startTime);
  return history;
}

describe("descriptors or threads", () => {
  test("that are opened and never closed leak, at their pace", () => {
    const leak = counted(13, (h) => 100 + 20 * h).leak();
    expect(leak?.gained).toBeGreaterThan(230);
    expect(leak?.pace).toBeCloseTo(20 / hour, 3);
  });

  test.each<[string, (hours: number) => number]>([
    ["stay", () => 500],
    ["are a pool that fills in an hour", (h) => 20 + 400 * Math.min(1, h)],
    ["come and go by the minute", (h) => 100 + 400 * (Math.round(h * 60) % 2)],
    ["jumped once", (h) => (h < 6 ? 50 : 500)],
    ["are few", (h) => 3 + h],
    ["follow the load of a day", (h) => 300 + 200 * Math.sin((Math.PI * h) / 12)],
  ])("that %s do not", (_, count) => {
    for (let hours = 12; hours <= 30; hours += 0.5)
      expect(counted(hours, count).leak(), `after ${hours} h`).toBeUndefined();
  });

  test("leak also where the load of a day sets the pace", () => {
    const leakByLoad = (h: number) => 100 + 20 * h + 40 * Math.sin((Math.PI * h) / 12);
    const found = Array.from({ length: 24 }, (_, i) => counted(24 + i, leakByLoad).leak() !== undefined);
    expect(found).toContain(true);
  });

  test("are not judged before half a day of one process was seen", () => {
    expect(counted(11.5, (h) => 100 + 100 * h).leak()).toBeUndefined();
    const restarted = counted(13, (h) => 100 + 100 * h);
    restarted.add(13 * hour + minute, 2000, 13 * hour);
    expect(restarted.leak()).toBeUndefined();
  });

  test("that cannot be read leave a gap that is not zero", () => {
    const history = counted(13, (h) => 100 + 20 * h);
    const before = history.leak();
    history.add(13 * hour + minute, Number.NaN, 0);
    expect(history.leak()).toEqual(before);
  });

  test("are known again after they were written down", () => {
    const before = counted(13, (h) => 100 + 20 * h);
    const after = new CountHistory();
    after.restore(JSON.parse(JSON.stringify(before.save())));
    expect(after.leak()).toEqual(before.leak());
    expect(after.leak()).toBeDefined();
  });
});
