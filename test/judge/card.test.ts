import { describe, expect, test } from "vitest";
import type { Card, CardTable } from "../../detection/card.ts";
import { card } from "../../detection/points.ts";
import { at, shapeNames, shapeSize } from "../../detection/shape.ts";
import { windows } from "../../detection/windows.ts";
import { CardReader } from "../../exporter/judge/card.ts";
import { Shapes } from "../../exporter/judge/shape.ts";

/** Shapes of which only these numbers are known. */
function shapesWith(numbers: Record<string, number>): Shapes {
  const shapes = new Shapes();
  shapes.values.fill(Number.NaN);
  for (const [feature, value] of Object.entries(numbers)) {
    const [window, shape] = feature.split(/\.(?=[a-z]+$)/i) as [string, keyof typeof at];
    shapes.values[windows.findIndex(({ name }) => name === window) * shapeSize + at[shape]] = value;
  }
  return shapes;
}

const small: Card = {
  features: ["4.5h.gain", "27h.noise", "level"],
  base: -1,
  threshold: 2,
  tables: [
    [0, 0.1, 1, 0.25, [1, 0.05, 0, 3, 1]],
    [2, 0.5, 1, 0, 0.5],
  ],
};

describe("a card", () => {
  test("adds the points of each table to its base", () => {
    const { points, probability } = new CardReader(small).score(
      shapesWith({ "4.5h.gain": 0.2, "27h.noise": 0.01 }),
      0.9,
    );
    expect(points).toBe(-1 + 3 + 0.5);
    expect(probability).toBeCloseTo(1 / (1 + Math.exp(-2.5)), 10);
  });

  test("asks whether a number is below the edge; the edge itself is not", () => {
    const points = (gain: number) =>
      new CardReader(small).score(shapesWith({ "4.5h.gain": gain, "27h.noise": 0.01 }), 0).points;
    expect([points(0.0999), points(0.1)]).toEqual([-1 + 0.25, -1 + 3]);
  });

  test("answers for numbers that are absent as each question says", () => {
    expect(new CardReader(small).score(shapesWith({}), Number.NaN).points).toBe(-1 + 0.25 + 0);
    expect(new CardReader(small).score(shapesWith({ "4.5h.gain": 0.2 }), 0.9).points).toBe(-1 + 1 + 0.5);
  });

  test("with a feature that does not exist is refused", () => {
    expect(() => new CardReader({ ...small, features: ["5h.gain"] })).toThrow("no such feature: 5h.gain");
    expect(() => new CardReader({ ...small, features: ["9h.grace"] })).toThrow("no such feature: 9h.grace");
  });
});

describe("the card that is shipped", () => {
  const questions = (table: CardTable): number[] =>
    typeof table === "number" ? [] : [table[0], ...questions(table[3]), ...questions(table[4])];

  test("asks for numbers that the judge makes", () => {
    expect(() => new CardReader(card)).not.toThrow();
    const shapes: readonly string[] = shapeNames;
    for (const feature of card.features) if (feature !== "level") expect(shapes).toContain(feature.split(".").at(-1));
  });

  test("has tables that ask only for its own features, of four numbers at most each", () => {
    const depth = (table: CardTable): number =>
      typeof table === "number" ? 0 : 1 + Math.max(depth(table[3]), depth(table[4]));
    for (const table of card.tables) {
      for (const feature of questions(table)) expect(card.features[feature]).toBeDefined();
      expect(depth(table)).toBeLessThanOrEqual(4);
    }
  });

  test("calls nothing a leak of which nothing is known", () => {
    expect(new CardReader(card).score(shapesWith({}), Number.NaN).points).toBeLessThan(card.threshold);
  });
});
