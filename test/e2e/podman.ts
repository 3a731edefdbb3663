// podman as a kubelet: `podman kube play` makes real pods of manifests, one at a time. What it does not know it ignores.

import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { dump } from "js-yaml";
import { onTestFinished } from "vitest";
import { docker } from "../support/docker.ts";
import type { Rendered } from "../support/kubectl.ts";
import { ensurePrograms, findProgram } from "../support/packages.ts";

/** crun refuses machines that have both versions of cgroups; podman's own limits may be above what we may set. */
const settings = `
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-podman-"));
process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

export function podman(...words: string[]): string {
  fs.writeFileSync(path.join(folder, "containers.conf"), settings);
  const env = { ...process.env, CONTAINERS_CONF: path.join(folder, "containers.conf") };
  // where the monitors of its containers leave files, such as `oom`
  const { status, stdout, stderr, error } = spawnSync("podman", words, {
    cwd: folder,
    env,
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`podman ${words.join(" ")} failed: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

/** Why there can be no pods here; undefined when there can. */
export function podmanObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can";
  try {
    ensurePrograms([
      { program: "podman", packages: ["podman"] },
      { program: "runc", packages: ["runc"] },
      { program: "busybox", packages: ["busybox-static"] },
    ]);
    if (!["/usr/libexec/podman/catatonit", "/usr/bin/catatonit"].some((file) => fs.existsSync(file))) {
      execFileSync("apt-get", ["-q", "-y", "--no-install-recommends", "install", "catatonit"], { stdio: "pipe" });
    }
  } catch (error) {
    return (error as Error).message;
  }
  return findProgram("podman") === undefined ? "there is no podman" : undefined;
}

/** Takes an image over from the docker engine. Returns its name here. */
export function takeImage(name: string): string {
  const id = docker("image", "inspect", "--format={{.Id}}", name).replace("sha256:", "");
  if (spawnSync("podman", ["image", "exists", id]).status !== 0) {
    execFileSync("sh", ["-c", 'docker save "$1" | podman load --quiet', "sh", name], { stdio: "pipe" });
  }
  const here = `localhost/leakwatch-test/${name.replaceAll(/[^\w.-]+/g, "-").toLowerCase()}:latest`;
  podman("tag", id, here); // what a registry calls it is no name without one
  return here;
}

export interface Pod {
  readonly name: string;
  /** Of the container with this name in the manifest. */
  container(name: string): PodContainer;
}

export class PodContainer {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  inspect(format: string): string {
    return podman("inspect", `--format=${format}`, this.name);
  }

  get id(): string {
    return this.inspect("{{.Id}}");
  }

  /** Id of its main process on the host. */
  get pid(): number {
    return Number(this.inspect("{{.State.Pid}}"));
  }

  get restarts(): number {
    return Number(this.inspect("{{.RestartCount}}"));
  }

  log(): string {
    const { stdout, stderr } = spawnSync("podman", ["logs", this.name], { encoding: "utf8" });
    return stdout + stderr;
  }
}

/** Runs a Pod or Deployment, with its ConfigMaps, until the test is over. */
export function play(objects: readonly Rendered[], pod: string): Pod {
  const file = path.join(folder, `${pod}.yaml`);
  fs.writeFileSync(file, objects.map((object) => dump(object)).join("---\n"));
  onTestFinished(() => {
    spawnSync("podman", ["pod", "rm", "--force", "--time=0", pod]);
  });
  podman("kube", "play", file);
  return { name: pod, container: (name) => new PodContainer(`${pod}-${name}`) };
}
