import fc from "fast-check";
import { expect, test } from "vitest";
import { gap, level, line, notation, stretchesOf, valuesOf } from "../../alerts/tests/shape.ts";

test("values become as few pieces as they were made of", () => {
  const stretches = [level(3, 4), line(10, 20, 5), gap(2), line(50, 0, 10)];
  expect(stretchesOf(valuesOf(stretches))).toEqual(stretches);
  expect(notation(stretches)).toBe("3x3 10+2x4 _x2 50-5x9");
});

test("no value is lost, whatever they are", () => {
  const value = fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(value), (values) => {
      expect(valuesOf(stretchesOf(values))).toEqual(values);
    }),
  );
});
