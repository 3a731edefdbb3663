// Writes every generated file; with --check it writes nothing and fails when one is not what it would be.
// Each generator is a function from the catalogue to text. Generated files are committed, so that they can be read and
// reviewed without running anything.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { metricsPage } from "./metrics-page.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Text by path below the root. */
const generated: Record<string, string> = {
  "docs/metrics.md": metricsPage(),
};

const check = process.argv.includes("--check");
const stale = Object.entries(generated).filter(([file, text]) => read(file) !== text);
if (check) {
  for (const [file] of stale) console.error(`${file} is not current: run npm run generate`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [file, text] of stale) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
    console.log(`wrote ${file}`);
  }
}

function read(file: string): string | undefined {
  const full = path.join(root, file);
  return fs.existsSync(full) ? fs.readFileSync(full, "utf8") : undefined;
}
