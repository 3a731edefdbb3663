// The card of points, ready for many readings.

import type { Card, CardTable } from "../../detection/card.ts";
import { at, type ShapeName, shapeSize } from "../../detection/shape.ts";
import { windows } from "../../detection/windows.ts";
import type { Shapes } from "./shape.ts";

export interface Scored {
  readonly points: number;
  /** 0 to 1. */
  readonly probability: number;
}

/** Marks a place that holds points, not a question. */
const leaf = -1;
const ofLevel = -1;

export class CardReader {
  readonly card: Card;
  /** Where each feature stands in the shapes. */
  private readonly places: Int32Array;
  /** All tables behind each other: of each question its feature, edge, what an absent number is, and where the answers go on. */
  private readonly feature: Int16Array;
  private readonly value: Float64Array;
  private readonly absentIsBelow: Uint8Array;
  private readonly below: Int32Array;
  private readonly notBelow: Int32Array;
  private readonly roots: Int32Array;

  constructor(card: Card) {
    this.card = card;
    this.places = Int32Array.from(card.features, placeOf);
    const nodes: { feature: number; value: number; absent: 0 | 1; below: number; notBelow: number }[] = [];
    const add = (table: CardTable): number => {
      const place = nodes.length;
      if (typeof table === "number") {
        nodes.push({ feature: leaf, value: table, absent: 0, below: 0, notBelow: 0 });
        return place;
      }
      const [feature, value, absent, below, notBelow] = table;
      const node = { feature, value, absent, below: 0, notBelow: 0 };
      nodes.push(node);
      node.below = add(below);
      node.notBelow = add(notBelow);
      return place;
    };
    this.roots = Int32Array.from(card.tables, add);
    this.feature = Int16Array.from(nodes, (node) => node.feature);
    this.value = Float64Array.from(nodes, (node) => node.value);
    this.absentIsBelow = Uint8Array.from(nodes, (node) => node.absent);
    this.below = Int32Array.from(nodes, (node) => node.below);
    this.notBelow = Int32Array.from(nodes, (node) => node.notBelow);
  }

  /** `level`: share of the limit that is used, NaN without one. */
  score({ values }: Shapes, level: number): Scored {
    let points = this.card.base;
    for (let i = 0; i < this.roots.length; i++)
      points += this.value[this.cellOf(this.roots[i] as number, values, level)] as number;
    return { points, probability: 1 / (1 + Math.exp(-points)) };
  }

  private cellOf(root: number, shapes: Float64Array, level: number): number {
    let node = root;
    for (;;) {
      const feature = this.feature[node] as number;
      if (feature === leaf) return node;
      const place = this.places[feature] as number;
      const number = place === ofLevel ? level : (shapes[place] as number);
      const isBelow = Number.isNaN(number) ? this.absentIsBelow[node] === 1 : number < (this.value[node] as number);
      node = (isBelow ? this.below[node] : this.notBelow[node]) as number;
    }
  }
}

/** Place of a feature in the shapes. */
function placeOf(feature: string): number {
  if (feature === "level") return ofLevel;
  const [window, shape] = feature.split(/\.(?=[a-zA-Z]+$)/);
  const index = windows.findIndex(({ name }) => name === window);
  const column = at[shape as ShapeName];
  if (index < 0 || column === undefined) throw new Error(`no such feature: ${feature}`);
  return index * shapeSize + column;
}
