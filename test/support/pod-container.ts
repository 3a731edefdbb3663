// Containers that share a PID namespace, as those of a pod or of docker-compose.yml do, by testcontainers.

import { spawnSync } from "node:child_process";
import { GenericContainer, type StartedTestContainer } from "testcontainers";
import { inject, onTestFinished } from "vitest";
import { label } from "./docker.ts";

/** testcontainers' own helper removes what a killed run leaves; it comes from a registry. We do it by the label as well. */
const helper = "testcontainers/ryuk:0.14.0";
if (spawnSync("docker", ["image", "inspect", helper]).status !== 0)
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";

export class PodContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.withLabels({ [label]: inject("runId") });
  }

  /** `container:<id>` or `host`, for which testcontainers has no word. */
  withPidOf(owner: StartedTestContainer | "host"): this {
    this.hostConfig.PidMode = owner === "host" ? "host" : `container:${owner.getId()}`;
    return this;
  }

  withRestart(): this {
    this.hostConfig.RestartPolicy = { Name: "always" };
    return this;
  }

  /** Memory without swap, so that the limit is met. */
  withMemory(bytes: number): this {
    this.hostConfig.Memory = bytes;
    this.hostConfig.MemorySwap = bytes;
    return this;
  }

  withoutRights(): this {
    this.hostConfig.CapDrop = ["ALL"];
    this.hostConfig.SecurityOpt = ["no-new-privileges"];
    this.hostConfig.ReadonlyRootfs = true;
    return this;
  }

  /** Started, and stopped when the test is over, however that ends. */
  async startForTest(): Promise<StartedTestContainer> {
    const started = await this.start();
    onTestFinished(async () => {
      await started.stop({ timeout: 1000 });
    });
    return started;
  }
}
