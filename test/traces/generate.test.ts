import { describe, expect, test } from "vitest";
import { csv, csvGz, twoDigits } from "./csv.ts";
import type { Label } from "./labels.ts";
import { steadyLeak } from "./parts.ts";
import type { Family, Process, Service } from "./service.ts";
import { sets } from "./sets.ts";
import { simulate } from "./simulate.ts";
import { makeTrace } from "./trace.ts";
import { hour, MiB, minute } from "./units.ts";

const families: readonly Family[] = [...sets.like, ...sets.other, ...sets.wide];
// once for all tests: they only read
const traces = families.map((family) => makeTrace(family, 0, 7));

describe("a generated trace", () => {
  test.each(["oom_loop", "crash_loop", "dies_of_its_heap_limit"])(
    "of %s is the same for the same seed, and another for another",
    (name) => {
      const family = families.find((family) => family.name === name) as Family;
      const bytes = (seed: number) => {
        const { limits, rows } = makeTrace(family, 0, seed);
        return [...rows.values()].map((its) => csvGz(its, limits));
      };
      expect(bytes(7)).toEqual(bytes(7));
      expect(bytes(8)).not.toEqual(bytes(7));
    },
  );

  test.each(traces)("$label.id has rows for each member, by its interval, inside its time", ({ label, rows }) => {
    expect([...rows.keys()]).toEqual(label.members.map(({ file }) => file));
    for (const its of rows.values()) {
      expect(its.length).toBeGreaterThan(0);
      expect(its.every(({ time }) => time >= label.start && time <= label.end)).toBe(true);
      expect(its.every(({ time }) => (time - label.start) % (label.resolution ?? minute) === 0)).toBe(true);
      expect(its.every(({ time, startTime }) => startTime <= time)).toBe(true);
    }
  });

  test.each(traces)("$label.id stays below its limit as long as it lives", ({ label, rows }) => {
    expect([...rows.values()].flat().filter(({ resident }) => resident > label.limit_bytes)).toEqual([]);
  });
});

describe("a trace of a service whose heap has a limit", () => {
  const limited = traces.filter(({ limits }) => limits.heapLimit !== undefined);

  test.each(limited)("$label.id has a column for it", ({ label, limits, rows }) => {
    const [first = []] = rows.values();
    const [header, row] = csv(first, limits).split("\n");
    expect(header).toMatch(/,heap_limit_bytes$/);
    expect(row).toMatch(new RegExp(`,${label.heap_limit_bytes}$`));
  });

  test.each(limited.filter(({ label }) => label.restarts.some(({ reason }) => reason === "heap_oom")))(
    "$label.id gives up while its container has room",
    ({ label, rows }) => {
      expect(new Set(label.restarts.map(({ reason }) => reason))).toEqual(new Set(["heap_oom"]));
      const highest = Math.max(...[...rows.values()].flat().map(({ resident }) => resident));
      expect(highest).toBeLessThan(label.limit_bytes / 1.1);
    },
  );
});

describe("a healthy trace", () => {
  const healthy = traces.filter(({ label }) => label.label === "healthy");

  test.each(healthy)("$label.id has no onset, no leak and no kill", ({ label }) => {
    expect(label).toMatchObject({
      onset: null,
      tto: null,
      oom_times: [],
      leaked_total_mb: 0,
      leak_rate_bytes_per_s: 0,
    });
    expect(label.members.some(({ leaking }) => leaking)).toBe(false);
  });
});

describe("a healthy trace of something that fills", () => {
  const filling = ["cache_fills_in_minutes", "cache_fills_in_hours", "store_fills_to_its_maximum"];
  const full = sets.wide
    .filter(({ name }) => filling.includes(name))
    .flatMap((family) => [0, 1, 2, 3, 4].map((index) => makeTrace(family, index, 7)))
    // a JVM commits more of its heap besides, at a pace of its own
    .filter(({ label }) => label.runtime !== "jvm" && endOfFilling(label) < label.end - hour / 4);

  test.each(full)("$label.id is level once it is full", ({ label, rows }) => {
    for (const its of rows.values()) {
      const after = its.filter(({ time }) => time > endOfFilling(label));
      const low = (from: number, to: number) =>
        Math.min(...after.slice(from * after.length, to * after.length).map(({ resident }) => resident));
      const highest = Math.max(...its.map(({ resident }) => resident));
      expect(low(0.6, 1) - low(0, 0.4)).toBeLessThan(0.1 * highest);
    }
  });

  /** At the latest, whatever the traffic is. */
  function endOfFilling({ params, start }: Label): number {
    return start + 2 * Number(params["fill_h"]) * hour + Number(params["delay_s"] ?? 0);
  }
});

describe("a leaking trace", () => {
  const leaking = traces.filter(({ label }) => label.label === "leak");

  test.each(leaking)("$label.id has its onset inside, and a life to judge after it", ({ label }) => {
    expect(label.onset).toBeGreaterThanOrEqual(label.start);
    expect(label.onset).toBeLessThan(label.end);
    expect(label.tto?.start).toBeGreaterThanOrEqual(label.onset as number);
    expect(label.tto?.oom).toBeGreaterThan(label.tto?.start as number);
    expect(label.leak_rate_bytes_per_s).toBeGreaterThan(0);
    expect(label.members.some(({ leaking }) => leaking)).toBe(true);
  });

  const wide = leaking.filter(({ label }) => sets.wide.some(({ name }) => name === label.family));
  test.each(wide)("$label.id of the wide set leaks notably", ({ label }) => {
    // noise kills some a little before they have leaked what they should
    expect(label.leaked_total_mb).toBeGreaterThan(10);
    expect(label.leaked_total_mb * MiB).toBeGreaterThan(0.15 * label.base_bytes);
  });

  test.each(leaking)(
    "$label.id is killed where its memory comes near the limit, and starts anew",
    ({ label, rows }) => {
      for (const kill of label.oom_times) {
        const isOfHeap = label.restarts.some(({ t, reason }) => t === kill && reason === "heap_oom");
        const limit = isOfHeap ? (label.heap_limit_bytes as number) : label.limit_bytes;
        const isNear = [...rows.values()].some((its) => {
          const last = its.findLast(({ time }) => time < kill);
          const next = its.find(({ time }) => time > kill);
          const life = its.filter(({ startTime }) => startTime === last?.startTime);
          const highest = Math.max(...life.map(({ resident }) => resident));
          return next?.startTime !== last?.startTime && highest > 0.7 * limit;
        });
        expect(isNear, `kill at ${kill}`).toBe(true);
      }
    },
  );
});

describe("simulate", () => {
  const process: Process = { parts: [], leak: steadyLeak(MiB / minute) };
  const service: Service = {
    runtime: "native",
    base: 100 * MiB,
    start: 0,
    end: 20 * minute,
    age: 0,
    traffic: { at: () => 5, load: () => 1, expectedLoad: () => 1 },
    processes: [process],
    limit: { aboveLevel: 10 * MiB },
    onset: 5 * minute,
    params: {},
  };

  test("leaks from the onset on, and is killed at the limit", () => {
    const run = simulate(() => 0, { service, process, limit: 110 * MiB });
    const memory = run.rows.map(({ resident }) => resident / MiB);
    expect(memory.slice(0, 8)).toEqual([100, 100, 100, 100, 100, 100.5, 101.5, 102.5]);
    expect(run.restarts).toEqual([{ t: 14.5 * minute, reason: "oom" }]);
    expect(run.lives.map(({ leaked }) => leaked / MiB)).toEqual([10, 5.5]);
  });
});

describe("twoDigits", () => {
  test.each([
    [580, "5.8e+02"],
    [100, "1e+02"],
    [99.6, "1e+02"],
    [17.4, "17"],
    [20, "20"],
    [5, "5"],
    [2.54, "2.5"],
    [0.031, "0.031"],
  ])("writes %d as C does", (value, text) => {
    expect(twoDigits(value)).toBe(text);
  });
});
