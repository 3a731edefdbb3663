// Before the integration tests: programs, a container engine, an image, and the exporter as it is shipped.

import type { TestProject } from "vitest/node";
import { ensureBuilt } from "../support/built.ts";
import { ensureEngine, ensureNodeImage, removeContainersOf, removeContainersOfDeadRuns } from "../support/docker.ts";
import { ensurePrograms } from "../support/packages.ts";
import { ownRunId } from "../support/run-id.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.platform !== "linux") throw new Error("The integration tests need Linux.");
  ensurePrograms();
  ensureBuilt();
  const stopEngine = await ensureEngine();
  const runId = ownRunId();
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
