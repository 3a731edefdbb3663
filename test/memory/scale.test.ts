import { describe, expect, test } from "vitest";
import { Scale } from "../../exporter/memory/scale.ts";

const minutes = () => new Scale({ step: 60, kept: 40 });

/** One reading a minute from the first on. */
function filled(values: readonly number[], from = 0): Scale {
  const scale = minutes();
  for (const [i, value] of values.entries()) scale.add(60 * (from + i) + 30, value);
  return scale;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("a step", () => {
  test("keeps the lowest and the highest of its readings", () => {
    const scale = minutes();
    for (const [time, value] of [
      [60, 7],
      [75, 3],
      [119, 9],
      [120, 5],
    ] as const)
      scale.add(time, value);
    expect([scale.low(1), scale.high(1)]).toEqual([3, 9]);
    expect([scale.low(2), scale.high(2)]).toEqual([5, 5]);
    expect(scale.newest).toBe(2);
  });

  test("without a reading has neither, and is not counted as 0", () => {
    const scale = filled([4]);
    scale.add(60 * 3, 6);
    expect([scale.low(1), scale.high(1)]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect([scale.lowest(0, 4), scale.highest(0, 4)]).toEqual([4, 6]);
    expect(scale.lowest(1, 3)).toBe(Number.POSITIVE_INFINITY);
  });

  test("of before the clock's zero is one like any other", () => {
    const scale = filled([5, 6, 7], -2);
    expect([-2, -1, 0].map((index) => scale.low(index))).toEqual([5, 6, 7]);
  });
});

describe("old steps", () => {
  test("make room for new ones, and cannot be mistaken for them", () => {
    const scale = filled(upTo(100));
    expect(scale.first).toBe(60);
    expect(scale.low(59)).toBe(Number.POSITIVE_INFINITY);
    expect([scale.low(60), scale.low(99)]).toEqual([61, 100]);
    expect([scale.lowest(0, 200), scale.highest(0, 200)]).toEqual([61, 100]);
  });

  test("survive that the scale grows with the life", () => {
    const scale = filled(upTo(35)); // more than the 32 that it begins with
    expect(upTo(35).map((_, i) => scale.low(i))).toEqual(upTo(35));
  });

  test("are all gone after a gap that is longer than what is kept", () => {
    const scale = filled(upTo(40));
    scale.add(60 * 1000, 5);
    expect([scale.lowest(0, 2000), scale.highest(0, 2000)]).toEqual([5, 5]);
  });
});

test("the highest peak and the largest fall are seen, also of lows over several steps", () => {
  const seen = { peak: 0, top: 0, fall: 0 };
  filled([10, 20, 14, 30, 12, 40]).see(0, 6, 1, seen);
  expect(seen).toEqual({ peak: 40, top: 40, fall: 18 }); // 30 to 12
  const ofPairs = { peak: 0, top: 0, fall: 0 };
  filled([10, 20, 14, 30, 12, 40]).see(0, 6, 2, ofPairs);
  expect(ofPairs).toEqual({ peak: 40, top: 14, fall: 2 }); // lows 10, 14, 12
});

describe("what is written down", () => {
  test("comes back step by step, and goes on from there", () => {
    const before = filled(upTo(100));
    const after = minutes();
    after.restore(JSON.parse(JSON.stringify(before.save())));
    for (const scale of [before, after]) scale.add(60 * 101, 7);
    const all = (scale: Scale) => upTo(110).map((i) => [scale.low(i), scale.high(i)]);
    expect(all(after)).toEqual(all(before));
    expect([after.first, after.newest]).toEqual([before.first, before.newest]);
  });

  test("is nothing of a scale that was never read", () => {
    expect(minutes().save()).toBeUndefined();
    const scale = filled([1]);
    scale.restore(undefined);
    expect(scale.newest).toBeNaN();
  });

  test("by another step is not taken: its numbers would be of another time", () => {
    const scale = new Scale({ step: 10, kept: 40 });
    scale.restore(filled(upTo(5)).save());
    expect(scale.newest).toBeNaN();
  });

  test("of more steps than are kept loses its oldest", () => {
    const scale = new Scale({ step: 60, kept: 3 });
    scale.restore(filled(upTo(5)).save());
    expect(upTo(6).map((_, i) => scale.low(i))).toEqual([
      ...Array(2).fill(Number.POSITIVE_INFINITY),
      3,
      4,
      5,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test("and does not fit together is refused", () => {
    const saved = filled(upTo(5)).save();
    expect(() => minutes().restore(saved && { ...saved, highs: "" })).toThrow(RangeError);
    expect(() => minutes().restore(saved && { ...saved, first: 1.5 })).toThrow(RangeError);
  });
});
