// The trees under test/fixtures: files of real machines. README.md there says how each was taken.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const KiB = 1024;
export const MiB = 1024 * KiB;

const root = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** Path of a file or folder of a captured machine. */
export function fixturePath(...parts: string[]): string {
  return path.join(root, ...parts);
}

/** Its text, decoded as the exporter decodes it. */
export function fixture(...parts: string[]): string {
  return fs.readFileSync(fixturePath(...parts), "utf8");
}

/** Its bytes. */
export function fixtureBytes(...parts: string[]): Buffer {
  return fs.readFileSync(fixturePath(...parts));
}
