import type { Card } from "./card.ts";

export const card: Card = { features: [], base: -9, threshold: 3.5, tables: [] };
