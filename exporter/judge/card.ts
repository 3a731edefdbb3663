// The card of points: for growth over hours and days each number of a window's shape gives points, from a table of its own.

import type { Card, CardTable } from "../../detection/card.ts";
import { at, type ShapeName, shapeSize } from "../../detection/shape.ts";
import { windows } from "../../detection/windows.ts";
import type { Shapes } from "./shape.ts";

export interface Scored {
  readonly points: number;
  /** 0 to 1. */
  readonly probability: number;
}

/** A card, ready for many readings. */
export class CardReader {
  readonly card: Card;
  private readonly places: Int32Array;

  constructor(card: Card) {
    this.card = card;
    this.places = Int32Array.from(card.tables, ({ feature }) => placeOf(feature));
  }

  /** `level`: share of the limit that is used, NaN without one. */
  score(shapes: Shapes, level: number): Scored {
    let points = this.card.base;
    for (let i = 0; i < this.places.length; i++) points += this.pointsOf(i, shapes, level);
    return { points, probability: 1 / (1 + Math.exp(-points)) };
  }

  /** The tables that gave the most and the least points. */
  parts(shapes: Shapes, level: number): { feature: string; points: number }[] {
    return this.card.tables
      .map(({ feature }, i) => ({ feature, points: this.pointsOf(i, shapes, level) }))
      .sort((a, b) => b.points - a.points);
  }

  private pointsOf(table: number, shapes: Shapes, level: number): number {
    const place = this.places[table] as number;
    const value = place < 0 ? level : (shapes.values[place] as number);
    const { edges, points, absent } = this.card.tables[table] as CardTable;
    return Number.isNaN(value) ? absent : (points[binOf(edges, value)] as number);
  }
}

/** Place of a feature in the shapes; -1 for the level. */
export function placeOf(feature: string): number {
  if (feature === "level") return -1;
  const [window, shape] = feature.split(/\.(?=[a-zA-Z]+$)/);
  const index = windows.findIndex(({ name }) => name === window);
  const column = at[shape as ShapeName];
  if (index < 0 || column === undefined) throw new Error(`no such feature: ${feature}`);
  return index * shapeSize + column;
}

/** How many edges a value has reached. */
export function binOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= (edges[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}
