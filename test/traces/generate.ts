// Writes labelled traces of process memory, in the format of the corpus.
//   node test/traces/generate.ts --set like|other|wide --seed 1 --per-family 8 OUTDIR

import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { csvGz } from "./csv.ts";
import type { Family } from "./service.ts";
import { isSetName, sets } from "./sets.ts";
import { makeTrace } from "./trace.ts";
import { scrapeInterval } from "./units.ts";

const usage = "node test/traces/generate.ts --set like|other|wide --seed N --per-family K OUTDIR";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: "string", default: "like" },
    seed: { type: "string", default: "1" },
    "per-family": { type: "string", default: "8" },
  },
});
const [folder] = positionals;
const seed = Number(values.seed);
const perFamily = Number(values["per-family"]);
if (folder === undefined || !isSetName(values.set) || !Number.isInteger(seed) || !(perFamily >= 1)) {
  console.error(usage);
  process.exit(2);
}
writeSet(folder, sets[values.set], seed, perFamily);

function writeSet(out: string, families: readonly Family[], seed: number, perFamily: number): void {
  fs.mkdirSync(path.join(out, "traces"), { recursive: true });
  const labels = [];
  for (const family of families) {
    for (let index = 0; index < perFamily; index++) {
      const { label, limits, rows } = makeTrace(family, index, seed);
      for (const [file, its] of rows) fs.writeFileSync(path.join(out, "traces", file), csvGz(its, limits));
      labels.push(label);
    }
  }
  const text = JSON.stringify({ resolution: scrapeInterval, clock: "t=0 is a Monday 00:00 UTC", traces: labels });
  fs.writeFileSync(path.join(out, "labels.json"), text);
}
