// The built program, which tests of real starts run: never yesterday's.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import buildConfig from "../../tsconfig.build.json" with { type: "json" };

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The program that `package.json` names. */
export const builtMain = path.join(repository, "dist/exporter/main.js");

/** Builds it where one of its sources has changed since. Before the tests, once: setup files call it. */
export function ensureBuilt(): void {
  const builtAt = changedAt(builtMain) ?? Number.NEGATIVE_INFINITY;
  if (sources().every((file) => (changedAt(file) ?? 0) < builtAt)) return;
  execFileSync("npm", ["run", "--silent", "build"], { cwd: repository, stdio: "inherit" });
}

/** All that the compiler reads, and what it is told. */
function sources(): string[] {
  const settings = ["package.json", "tsconfig.json", "tsconfig.build.json"].map((name) => path.join(repository, name));
  return [...settings, ...buildConfig.include.flatMap((folder) => filesIn(path.join(repository, folder)))];
}

function filesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|json)$/.test(name))
    .map((name) => path.join(folder, name));
}

function changedAt(file: string): number | undefined {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
