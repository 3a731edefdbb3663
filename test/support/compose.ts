// Compose projects for the end-to-end tests: the shipped files, run as a user runs them, under names and ports of their own.

import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { docker, projectName } from "./docker.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Ports that the engine chooses, so that nothing that runs already is in the way. */
const anyPorts = Object.fromEntries(
  ["EXPORTER", "PROMETHEUS", "ALERTMANAGER", "GRAFANA", "NOTIFICATIONS"].map((name) => [`${name}_PORT`, "0"]),
);

let count = 0;

export class ComposeProject {
  readonly name: string;
  private readonly words: readonly string[];
  private readonly env: NodeJS.ProcessEnv;

  /** Files are below the root; `env` is what a user would set. */
  constructor(
    files: readonly string[],
    { env = {}, profiles = [] }: { env?: Record<string, string>; profiles?: readonly string[] } = {},
  ) {
    this.name = projectName(count++);
    this.words = [
      "compose",
      `--project-name=${this.name}`,
      ...files.map((file) => `--file=${path.resolve(repository, file)}`),
      ...profiles.map((profile) => `--profile=${profile}`),
    ];
    this.env = { ...process.env, ...anyPorts, ...env };
  }

  /** Runs a command of compose, and returns what it wrote. */
  run(...command: readonly string[]): string {
    const { status, stdout, stderr, error } = spawnSync("docker", [...this.words, ...command], {
      cwd: repository,
      env: this.env,
      encoding: "utf8",
      timeout: 300_000,
    });
    if (status === 0) return stdout;
    const logs = command[0] === "up" ? this.logs() : "";
    throw new Error(`docker compose ${command.join(" ")} failed: ${error?.message ?? ""}\n${stderr}\n${logs}`);
  }

  /** `docker compose up --wait`; without Grafana where its image cannot be had, which compose would try to pull all the same. */
  up(...services: readonly string[]): void {
    const isAsked = services.length === 0 || services.includes("grafana");
    const absent = isAsked && !this.canRun("grafana") ? ["--pull=never", "--scale=grafana=0"] : [];
    this.run("up", "--wait", "--wait-timeout=120", ...absent, ...services);
  }

  /** Health of each container by the name of its service; its state where there is no health check. */
  states(): Record<string, string> {
    const containers = this.run("ps", "--all", "--format=json")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { Service: string; State: string; Health: string });
    return Object.fromEntries(containers.map(({ Service, State, Health }) => [Service, Health || State]));
  }

  /** Addresses of this machine at which anything listens. */
  publishedAddresses(): string[] {
    return lines(this.run("ps", "--quiet")).flatMap((id) => {
      const ports = JSON.parse(docker("inspect", "--format={{json .NetworkSettings.Ports}}", id)) as Record<
        string,
        { HostIp: string }[] | null
      >;
      return Object.values(ports).flatMap((bindings) => (bindings ?? []).map(({ HostIp }) => HostIp));
    });
  }

  /** Is the image of this service here, or built here? */
  canRun(service: string): boolean {
    const config = JSON.parse(this.run("config", "--format=json")) as {
      services: Record<string, { image?: string; build?: object }>;
    };
    const { image, build } = config.services[service] ?? {};
    return (
      build !== undefined || (image !== undefined && spawnSync("docker", ["image", "inspect", image]).status === 0)
    );
  }

  /** Takes everything away, as docs/compose.md says it: without the profiles compose would let their services run on. */
  down(): void {
    this.run("--profile=*", "down", "--volumes", "--remove-orphans", "--timeout=2");
  }

  /** Containers, networks and volumes that bear the project's name. */
  remains(): string[] {
    const filter = `--filter=label=com.docker.compose.project=${this.name}`;
    return [
      ...lines(docker("ps", "--all", "--quiet", filter)),
      ...lines(docker("network", "ls", "--quiet", filter)),
      ...lines(docker("volume", "ls", "--quiet", filter)),
    ];
  }

  /** Where a service listens on this machine: `http://127.0.0.1:49153`. */
  url(service: string, port: number): string {
    return `http://${this.run("port", service, String(port)).trim()}`;
  }

  container(service: string): string {
    return this.run("ps", "--all", "--quiet", service).trim();
  }

  inspect(service: string, format: string): string {
    return docker("inspect", `--format=${format}`, this.container(service));
  }

  /** The last lines of everybody. */
  logs(...services: readonly string[]): string {
    const { stdout, stderr } = spawnSync("docker", [...this.words, "logs", "--no-color", "--tail=40", ...services], {
      cwd: repository,
      env: this.env,
      encoding: "utf8",
    });
    return stdout + stderr;
  }
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
