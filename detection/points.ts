import type { Card } from "./card.ts";
export const card: Card = { base: -9, threshold: 9, tables: [] };
