import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ring } from "../../exporter/memory/ring.ts";

const kept = (ring: Ring) => {
  const { times, values } = ring.samples();
  return Array.from(times, (time, i) => [time, values[i] as number] as const);
};

describe("a ring", () => {
  test("keeps the last value of each step", () => {
    const ring = new Ring(60, 3600);
    ring.put(0, 1);
    ring.put(59, 2);
    ring.put(60, 3);
    expect(kept(ring)).toEqual([
      [0, 2],
      [60, 3],
    ]);
  });

  test("forgets what is older than its span, also after a hole that is longer", () => {
    const ring = new Ring(60, 3600);
    ring.put(0, 1);
    ring.put(86_400, 2);
    expect(kept(ring)).toEqual([[86_400, 2]]);
  });

  test("agrees with a plain map of the last steps, whatever is put", () => {
    const puts = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 1000 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(puts, (steps) => {
        const ring = new Ring(10, 1000);
        const map = new Map<number, number>();
        let index = 0;
        for (const [skip, value] of steps) {
          index += skip;
          ring.put(index * 10, value);
          map.set(index * 10, value);
        }
        const expected = [...map].filter(([time]) => time > index * 10 - 1000);
        // more may be remembered while the array is short, never less
        expect(kept(ring).filter(([time]) => time > index * 10 - 1000)).toEqual(expected);
      }),
    );
  });
});
