// The numbers that the card may ask for, and whether more of a number can only speak for a leak (1), only against it (-1), or both (0).

import type { ShapeName } from "../../detection/shape.ts";

const askedWindows = ["144m", "6h", "9h", "18h", "27h", "36h", "54h", "108h"];

const askedShapes: readonly (readonly [shape: ShapeName, direction: -1 | 0 | 1])[] = [
  ["gain", 1],
  ["slowest", 1],
  ["biggest", -1],
  ["bend", 1],
  ["noise", -1],
  ["swing", 1],
  ["new", 1],
  ["life", 1],
  ["last", 0],
  ["wave", 1],
  ["ahead", -1],
  ["reach", 1],
];

export const cardFeatures: readonly { readonly name: string; readonly direction: -1 | 0 | 1 }[] = [
  ...askedWindows.flatMap((window) =>
    askedShapes.map(([shape, direction]) => ({ name: `${window}.${shape}`, direction })),
  ),
  { name: "level", direction: 1 },
];
