// Before the end-to-end tests: a container engine, Compose, and every image that the shipped files name.

import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { ensureCompose } from "../support/compose-plugin.ts";
import { docker, ensureEngine, removeContainersOf, removeContainersOfDeadRuns } from "../support/docker.ts";
import { ensurePrograms, requirements } from "../support/packages.ts";
import { ownRunId } from "../support/run-id.ts";
import { exportImages, type Images, images } from "./images/index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What the tests build on, and where it came from. */
    images: Images;
    /** Tags of what was built from this repository. */
    builtImages: BuiltImages;
  }
}

/** By the variables of docker-compose.yml. */
export type BuiltImages = Record<"EXPORTER_IMAGE" | "DEMO_IMAGE" | "TIMINGS_IMAGE", string>;

const repository = fileURLToPath(new URL("../..", import.meta.url));

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.platform !== "linux") throw new Error("The end-to-end tests need Linux.");
  ensurePrograms(requirements.filter(({ program }) => ["dockerd", "docker"].includes(program)));
  const stopEngine = await ensureEngine();
  const runId = ownRunId();
  try {
    ensureCompose();
    removeContainersOfDeadRuns();
    const found = await images();
    const built = buildImages(found);
    exportImages(found);
    Object.assign(process.env, built); // compose then takes these, and builds none
    project.provide("images", found);
    project.provide("builtImages", built);
    project.provide("runId", runId);
  } catch (error) {
    await stopEngine();
    throw error;
  }
  return async () => {
    try {
      removeContainersOf(runId);
    } catch {
      // another project's tests may have stopped the engine that they started; the next run removes what is left
    }
    await stopEngine();
  };
}

/** As a user would. What did not change since the last run comes from the engine's cache. */
function buildImages({ NODE_IMAGE, PYTHON_IMAGE }: Images): BuiltImages {
  const built = {
    EXPORTER_IMAGE: build("leakwatch-local/exporter:test", ".", `NODE_IMAGE=${NODE_IMAGE.name}`, "VERSION=0.0.0-test"),
    DEMO_IMAGE: build("leakwatch-local/demo:test", "demo", `NODE_IMAGE=${NODE_IMAGE.name}`),
    TIMINGS_IMAGE: build("leakwatch-local/timings:test", "demo/timings", `PYTHON_IMAGE=${PYTHON_IMAGE.name}`),
  };
  // those of earlier sources
  docker("image", "prune", "--force", "--filter=label=org.opencontainers.image.version=0.0.0-test");
  for (const [variable, tag] of Object.entries(built)) console.log(`${variable}=${tag} (built from this repository)`);
  return built;
}

function build(tag: string, folder: string, ...buildArgs: string[]): string {
  const words = [
    "build",
    `--tag=${tag}`,
    ...buildArgs.map((pair) => `--build-arg=${pair}`),
    path.join(repository, folder),
  ];
  try {
    execFileSync("docker", words, { encoding: "utf8", stdio: "pipe", maxBuffer: 64 * 1024 * 1024, timeout: 900_000 });
    return tag;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const end = `${stdout}${stderr}`.trim().split("\n").slice(-30).join("\n");
    throw new Error(`docker ${words.join(" ")} failed:\n${end}`, { cause: error });
  }
}
