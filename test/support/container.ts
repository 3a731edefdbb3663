// Containers for the integration tests. Each is removed when its test is over, however that ends.

import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inject, onTestFinished } from "vitest";
import { docker, label } from "./docker.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Tag of the image with Node.js and busybox. */
    nodeImage: string;
    /** Marks the containers of this run. */
    runId: string;
  }
}

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** What every container sees of the repository. */
const mounts = ["package.json", "dist", "node_modules", "test/integration/targets"];

/** Command of a container that runs the exporter. */
export const exporterCommand = (...args: string[]) => ["node", "/app/dist/exporter/main.js", ...args];

/** Command of a container that runs a program of test/integration/targets. */
export const targetCommand = (script: string, ...args: string[]) => [
  "node",
  `/app/test/integration/targets/${script}`,
  ...args,
];

export class Container {
  readonly id: string;

  /**
   * Starts one, and removes it when the test is over. Without an image: that of the tests, which sees the repository. Tests that run
   * side by side say whose it is by the hook of their own context.
   */
  constructor(
    options: readonly string[],
    command: readonly string[],
    image?: string,
    whenFinished: (remove: () => void) => void = onTestFinished,
  ) {
    const volumes = mounts.map((name) => `--volume=${path.join(repository, name)}:/app/${name}:ro`);
    const run = ["run", "--detach", `--label=${label}=${inject("runId")}`, ...(image === undefined ? volumes : [])];
    this.id = docker(...run, ...options, image ?? inject("nodeImage"), ...command);
    whenFinished(() => {
      docker("rm", "--force", "--volumes", this.id);
    });
  }

  /** Id of its main process on the host; 0 while it does not run. */
  get pid(): number {
    return Number(this.inspect("{{.State.Pid}}"));
  }

  /** Address on the host of a port that was published to a port of the engine's choice. */
  address(port: number): string {
    const published = `(index (index .NetworkSettings.Ports "${port}/tcp") 0)`;
    try {
      return this.inspect(`{{${published}.HostIp}}:{{${published}.HostPort}}`);
    } catch (error) {
      throw new Error(`the container ended at once: ${this.log()}`, { cause: error });
    }
  }

  /** What it wrote to both its outputs. */
  log(): string {
    const { stdout, stderr } = spawnSync("docker", ["logs", this.id], { encoding: "utf8" });
    return stdout + stderr;
  }

  /** Stands still from now on. */
  freeze(): void {
    docker("kill", "--signal=STOP", this.id);
  }

  /** Asks it to end, and waits for that. */
  stop(): void {
    docker("stop", "--time=30", this.id);
  }

  restart(): void {
    docker("restart", "--time=0", this.id);
  }

  inspect(format: string): string {
    return docker("inspect", `--format=${format}`, this.id);
  }
}
