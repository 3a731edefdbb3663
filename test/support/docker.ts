// The container engine for the integration tests: started when it does not run, with an image that needs no registry.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { findProgram } from "./packages.ts";
import { isRunning, ownRunId } from "./run-id.ts";

/** Label of every container that the tests start. */
export const label = "leakwatch-test";

/** Runs the client and returns what it wrote to standard output. */
export function docker(...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("docker", words, { encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`docker ${words.join(" ")} failed: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

/** Makes sure that an engine answers. Returns what stops it, if it was started here. */
export async function ensureEngine(): Promise<() => Promise<void>> {
  if (engineError() === undefined) return async () => {};
  const dockerd = findProgram("dockerd");
  if (dockerd === undefined || process.getuid?.() !== 0) {
    throw new Error(`The integration tests need a container engine, and only root can start one: ${engineError()}`);
  }
  const logFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-dockerd-")), "log");
  const log = fs.openSync(logFile, "w");
  // a process group of its own: Ctrl-C must not stop it before the containers are gone
  const engine = spawn(dockerd, [], { stdio: ["ignore", log, log], detached: true });
  fs.closeSync(log);
  const ended = new Promise<void>((resolve) => engine.once("exit", () => resolve()));

  const stop = async () => {
    engine.kill("SIGTERM");
    await ended;
    fs.rmSync(path.dirname(logFile), { recursive: true });
  };
  const deadline = Date.now() + 60_000;
  while (engineError() !== undefined) {
    if (engine.exitCode !== null || Date.now() > deadline) {
      const lastLines = fs.readFileSync(logFile, "utf8").trim().split("\n").slice(-10).join("\n");
      await stop();
      throw new Error(`dockerd cannot be started on this machine, so the integration tests cannot run:\n${lastLines}`);
    }
    await wait(200);
  }
  return stop;
}

function engineError(): string | undefined {
  const { status, stderr, error } = spawnSync("docker", ["info", "--format", "{{.ID}}"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/**
 * An image with this very Node.js, its libraries and busybox. Its tag is the hash of its contents, so it is made once.
 * `/pause` is busybox again: what holds the namespaces of a pod is known by the name of its program.
 */
export function ensureNodeImage(): string {
  const busybox = findProgram("busybox") as string;
  const node = fs.realpathSync(process.execPath);
  const contents = new Map([
    ["/usr/local/bin/node", node],
    ["/bin/busybox", busybox],
    ["/pause", busybox],
    ...[node, busybox].flatMap(sharedLibraries).map((file) => [file, file] as const),
  ]);
  const hash = createHash("sha256").update(JSON.stringify(layout));
  for (const [name, file] of contents) hash.update(name).update(fs.readFileSync(file));
  const tag = `leakwatch-test/node:${hash.digest("hex").slice(0, 16)}`;
  if (docker("image", "ls", "--quiet", tag) === "") {
    importImage(tag, contents);
    removeOtherImages(tag);
  }
  return tag;
}

/** What the image has beside programs. */
const layout = {
  folders: ["tmp", "mnt", "proc", "sys", "etc"],
  applets: ["sh", "mount", "su"],
  passwd: "root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532:nonroot:/:/bin/sh\n",
  environment: "ENV PATH=/usr/local/bin:/bin",
};

function importImage(tag: string, contents: ReadonlyMap<string, string>): void {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-image-"));
  try {
    for (const [name, file] of contents) {
      fs.mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
      fs.copyFileSync(file, path.join(root, name));
    }
    for (const folder of layout.folders) fs.mkdirSync(path.join(root, folder), { recursive: true });
    for (const applet of layout.applets) fs.symlinkSync("busybox", path.join(root, "bin", applet));
    fs.writeFileSync(path.join(root, "etc/passwd"), layout.passwd);
    const pipe = 'tar -C "$1" --owner=0 --group=0 --mode=a+rX -c . | docker import --change "$2" - "$3"';
    execFileSync("sh", ["-c", pipe, "sh", root, layout.environment, tag], { stdio: "pipe" });
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

/** Those of an earlier Node.js or layout, unless another run uses them. */
function removeOtherImages(tag: string): void {
  const others = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", "leakwatch-test/node").split("\n");
  for (const other of others) if (other !== tag) spawnSync("docker", ["image", "rm", other]);
}

/** What `ldd` finds for a program; nothing for a static one. */
function sharedLibraries(program: string): string[] {
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, file]) => file as string);
}

/** Removes the containers that a run left behind, whatever became of its tests. */
export function removeContainersOf(runId: string): void {
  const left = docker("ps", "--all", "--quiet", "--filter", `label=${label}=${runId}`);
  if (left !== "") docker("rm", "--force", "--volumes", ...left.split("\n"));
}

/** The same for runs that were killed before they could do it themselves, and their compose projects. */
export function removeContainersOfDeadRuns(): void {
  for (const runId of labelsOf(label)) if (!isRunning(runId)) removeContainersOf(runId);
  for (const project of labelsOf("com.docker.compose.project")) {
    const runId = runIdOfProject(project);
    if (runId === undefined || isRunning(runId)) continue;
    docker("compose", `--project-name=${project}`, "down", "--volumes", "--remove-orphans", "--timeout=0");
  }
}

/** All values of a label that containers have. */
function labelsOf(name: string): Set<string> {
  const lines = docker("ps", "--all", "--filter", `label=${name}`, "--format", `{{.Label "${name}"}}`).split("\n");
  return new Set(lines.filter((line) => line !== ""));
}

/** Names of compose projects that the tests start. */
export const projectName = (count: number) => `leakwatch-e2e-${ownRunId()}-${count}`;

const runIdOfProject = (project: string) => /^leakwatch-e2e-(\d+-\w+)-\d+$/.exec(project)?.[1];
