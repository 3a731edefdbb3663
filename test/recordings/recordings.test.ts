// Are the recordings what their labels say?

import { describe, expect, test } from "vitest";
import { MiB } from "../support/fixtures.ts";
import { type RecordedSlot, readRecordings } from "./recordings.ts";
import { services } from "./services.ts";

const minute = 60;
const hour = 60 * minute;

const recordings = readRecordings();
const named = recordings.map((recording) => ({ id: recording.label.id, recording }));

test("every service is recorded", () => {
  expect(recordings.map(({ label }) => label.id)).toEqual(services.map(({ id }) => id));
});

describe("a recording", () => {
  test.each(named)("of $id has samples every five seconds, for three quarters of an hour at least", ({ recording }) => {
    for (const { times } of recording.slots) {
      expect(at(times, -1) - at(times, 0)).toBeGreaterThan(45 * minute);
      // a slot without a process has no sample, and a busy machine is late now and then
      expect(times.length).toBeGreaterThan(0.9 * ((at(times, -1) - at(times, 0)) / 5));
      expect(times.every((time, i) => i === 0 || time > at(times, i - 1))).toBe(true);
    }
  });

  test.each(named)("of $id has memory and a start at each sample", ({ recording }) => {
    for (const { times, startTime, resident, unreclaimable } of recording.slots) {
      expect(startTime.every((start, i) => start <= at(times, i))).toBe(true);
      expect(resident.every((bytes) => bytes > 0)).toBe(true);
      expect(unreclaimable.every((bytes, i) => bytes > 0 && bytes <= 1.02 * at(resident, i))).toBe(true);
    }
  });

  const alone = named.filter(
    ({ recording }) => services.find(({ id }) => id === recording.label.id)?.workers === undefined,
  );
  test.each(alone)("of $id has another life after each exit", ({ recording }) => {
    const { label, slots } = recording;
    const [slot] = slots as [RecordedSlot];
    const lives = new Set(slot.startTime).size;
    // the life after the last exit may have come too late for a sample
    const last = at(slot.times, -1);
    expect(lives).toBeLessThanOrEqual(label.ends.length + 1);
    expect(lives).toBeGreaterThanOrEqual(label.ends.filter(({ t }) => t + 15 < last).length + 1);
  });
});

describe("a leak whose rate is known", () => {
  const known = named.filter(
    ({ recording: { label } }) => typeof label.leak_mib_per_hour === "number" && label.ends.length === 0,
  );

  test.each(known)("in $id raises the floor by what the program keeps", ({ recording }) => {
    const { label, slots } = recording;
    const from = (label.onset_seconds as number) + 15 * minute;
    for (const slot of slots.filter(({ startTime }) => new Set(startTime).size === 1)) {
      const to = at(slot.times, -1) - 5 * minute;
      const grown = floor(slot, to) - floor(slot, from);
      const kept = ((label.leak_mib_per_hour as number) * MiB * (to - from)) / hour;
      expect(grown / MiB).toBeGreaterThan((0.6 * kept) / MiB);
    }
  });
});

describe("a cache", () => {
  const caches = named.flatMap(({ id, recording }) => {
    const minutes = /-(?:lru|ttl)-(\d+)m$/.exec(id)?.[1];
    return minutes === undefined || id.includes("late") ? [] : [{ id, recording, full: Number(minutes) * minute }];
  });
  // evicted entries lie in the old generation of a JVM until its heap is full, which looks like more entries
  const filled = caches.filter(({ id }) => !id.startsWith("java"));

  test.each(caches)("in $id grows until it is full", ({ recording, full }) => {
    const [slot] = recording.slots as [RecordedSlot];
    expect(whenFull(slot, full)).toBeGreaterThan(1.25 * floor(slot, 0.2 * full, 0.3 * full));
  });

  test.each(filled)("in $id grows no more when it is full", ({ recording, full }) => {
    const [slot] = recording.slots as [RecordedSlot];
    expect(floor(slot, at(slot.times, -1) - 5 * minute)).toBeLessThan(1.2 * whenFull(slot, full));
  });

  function whenFull(slot: RecordedSlot, full: number): number {
    return floor(slot, 1.15 * full + 2 * minute);
  }
});

/** Lowest memory in some minutes from a time on, in bytes. */
function floor({ times, unreclaimable }: RecordedSlot, from: number, seconds = 5 * minute): number {
  return Math.min(...unreclaimable.filter((_, i) => at(times, i) >= from && at(times, i) < from + seconds));
}

function at(values: Float64Array, index: number): number {
  return values.at(index) as number;
}
