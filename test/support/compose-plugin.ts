// `docker compose`: used as it is where the client has it, else from a package of Ubuntu, else unpacked from one of Debian.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { cacheFolder, debianObstacle, unpackDebian } from "./debian.ts";
import { installPackage } from "./packages.ts";

/** Makes `docker compose` work, for this process and those that it starts. Throws what to install where it cannot. */
export function ensureCompose(): void {
  if (composeVersion() !== undefined) return;
  if (isUbuntu()) installPackage("docker-compose-v2");
  if (composeVersion() !== undefined) return;
  const obstacle = debianObstacle();
  if (obstacle === undefined) usePlugin(unpackedPlugin());
  if (composeVersion() !== undefined) return;
  throw new Error(
    [
      "The end-to-end tests need Docker Compose 2 (`docker compose version`).",
      `It cannot be set up here: ${obstacle ?? "the unpacked plugin does not run"}.`,
      "Please install the Compose plugin: https://docs.docker.com/compose/install/linux/",
    ].join("\n"),
  );
}

/** "2.40.3"; undefined when there is no Compose, or only the first one. */
function composeVersion(): string | undefined {
  const { stdout } = spawnSync("docker", ["compose", "version", "--short"], { encoding: "utf8", timeout: 10_000 });
  return /^v?([2-9]\.\S+)/m.exec(stdout ?? "")?.[1];
}

function unpackedPlugin(): string {
  const folder = path.join(cacheFolder, "compose");
  const plugins = path.join(folder, "usr/libexec/docker/cli-plugins");
  if (!fs.existsSync(path.join(plugins, "docker-compose"))) unpackDebian(["docker-compose"], folder);
  return plugins;
}

/** The client's settings stay what they are; it looks into one more folder. */
function usePlugin(plugins: string): void {
  const settings = path.join(process.env["DOCKER_CONFIG"] ?? path.join(os.homedir(), ".docker"), "config.json");
  const known = fs.existsSync(settings) ? JSON.parse(fs.readFileSync(settings, "utf8")) : {};
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-docker-config-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  const contents = { ...known, cliPluginsExtraDirs: [...(known.cliPluginsExtraDirs ?? []), plugins] };
  fs.writeFileSync(path.join(folder, "config.json"), JSON.stringify(contents), { mode: 0o600 });
  process.env["DOCKER_CONFIG"] = folder;
}

function isUbuntu(): boolean {
  return fs.existsSync("/etc/os-release") && /^ID=ubuntu$/m.test(fs.readFileSync("/etc/os-release", "utf8"));
}
