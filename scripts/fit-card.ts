// Makes the card of points from made-up services: detection/points.ts. Takes some ten minutes; the same seeds give the same card.
//   node scripts/fit-card.ts [FIRST_SEED [SEEDS]]

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import type { CardTable } from "../detection/card.ts";
import { randomFor } from "../test/traces/draws.ts";
import { sets } from "../test/traces/sets.ts";
import { Booster } from "./card/boost.ts";
import { type Examples, examplesOf } from "./card/examples.ts";
import { cardFeatures } from "./card/features.ts";

const [firstSeed = 3001, seeds = 5] = process.argv.slice(2).map(Number);
/** Traces of each family and seed. The wide set has more families. */
const perFamily = { like: 4, other: 4, wide: 3 } as const;
/** What a false alert weighs against a leak that is missed. */
const healthyWeight = 1.5;
/** So many points are a leak: chosen by scripts/score.ts on seeds that the card has not seen. */
const threshold = 3.5;

const examples: Examples[] = [];
for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
  for (const [name, families] of Object.entries(sets)) {
    examples.push(examplesOf(families, seed, perFamily[name as keyof typeof perFamily]));
    console.error(`seed ${seed}, ${name}: ${examples.at(-1)?.leaks.length} looks`);
  }
}
const all = balanced(examples);
const booster = new Booster(
  all,
  cardFeatures.map(({ direction }) => direction),
  { rounds: 240, depth: 4, learningRate: 0.1, bins: 24, sample: 0.4, features: 0.5, lambda: 30, leastWeight: 40 },
  randomFor(firstSeed, "card"),
);
const { base, tables, gains } = booster.run((round, loss) => console.error(`round ${round}: loss ${loss.toFixed(4)}`));
const total = gains.reduce((sum, gain) => sum + gain, 0);
const weights = cardFeatures
  .map(({ name }, i) => ({ name, share: (gains[i] as number) / total }))
  .sort((a, b) => b.share - a.share);
fs.writeFileSync(fileURLToPath(new URL("../detection/points.ts", import.meta.url)), text());
console.error(
  weights
    .slice(0, 20)
    .map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`)
    .join(", "),
);

/** Leaks and healthy looks weigh alike, but for the weight of a false alert. */
function balanced(parts: readonly Examples[]): { values: Float32Array; leaks: Uint8Array; weights: Float64Array } {
  const count = parts.reduce((sum, { leaks }) => sum + leaks.length, 0);
  const values = new Float32Array(count * cardFeatures.length);
  const leaks = new Uint8Array(count);
  const weights = new Float64Array(count);
  let row = 0;
  for (const part of parts) {
    values.set(part.values, row * cardFeatures.length);
    leaks.set(part.leaks, row);
    weights.set(part.weights, row);
    row += part.leaks.length;
  }
  const sums = [0, 0];
  weights.forEach((weight, i) => {
    sums[leaks[i] as number] = (sums[leaks[i] as number] as number) + weight;
  });
  const scale = [(healthyWeight * count) / 2 / (sums[0] as number), count / 2 / (sums[1] as number)];
  return { values, leaks, weights: weights.map((weight, i) => weight * (scale[leaks[i] as number] as number)) };
}

function text(): string {
  const main = weights.slice(0, 24).map(({ name, share }) => `//   ${name.padEnd(14)} ${(100 * share).toFixed(1)} %`);
  return `// Made by scripts/fit-card.ts from seeds ${firstSeed} to ${firstSeed + seeds - 1} of test/traces. Do not edit.
// What the numbers contribute, as shares of what all questions gained:
${main.join("\n")}

import type { Card } from "./card.ts";

// biome-ignore format: a table a line
export const card: Card = {
  features: ${JSON.stringify(cardFeatures.map(({ name }) => name))},
  base: ${Number(base.toPrecision(4))},
  threshold: ${threshold},
  tables: [
${tables.map((table) => `    ${line(table)},`).join("\n")}
  ],
};
`;
}

function line(table: CardTable): string {
  if (typeof table === "number") return String(table);
  const [feature, edge, absentIsBelow, below, notBelow] = table;
  return `[${feature}, ${edge}, ${absentIsBelow}, ${line(below)}, ${line(notBelow)}]`;
}
