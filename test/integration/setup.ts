// Before the integration tests: programs, a container engine, an image, and the exporter as it is shipped.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { ensureEngine, ensureNodeImage, removeContainersOf, removeContainersOfDeadRuns } from "../support/docker.ts";
import { ensurePrograms } from "../support/packages.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.platform !== "linux") throw new Error("The integration tests need Linux.");
  ensurePrograms();
  buildIfStale();
  const stopEngine = await ensureEngine();
  const runId = String(process.pid);
  try {
    removeContainersOfDeadRuns();
    project.provide("nodeImage", ensureNodeImage());
    project.provide("runId", runId);
  } catch (error) {
    await stopEngine();
    throw error;
  }
  return async () => {
    removeContainersOf(runId);
    await stopEngine();
  };
}

/** `npm test` has built it already; vitest alone has not. */
function buildIfStale(): void {
  const built = changedAt("dist/exporter/main.js") ?? 0;
  const sources = [
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
    ...filesIn("catalog"),
    ...filesIn("exporter"),
  ];
  if (sources.every((file) => (changedAt(file) ?? 0) <= built)) return;
  execFileSync("npm", ["run", "--silent", "build"], { cwd: repository, stdio: "inherit" });
}

function filesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(folder, name));
}

function changedAt(file: string): number | undefined {
  return fs.statSync(path.join(repository, file), { throwIfNoEntry: false })?.mtimeMs;
}
