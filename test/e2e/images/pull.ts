// Can an official image be had? Asked once per registry, and not again for an hour where the answer was no.

import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../support/debian.ts";

/** A registry that can be reached says something within this time; the layers may take longer. In milliseconds. */
const firstWordWithin = 15_000;
const wholeWithin = 600_000;
const forgetAfter = 3_600_000;

/** True when the engine has the image, now or already. */
export async function pull(name: string): Promise<boolean> {
  if (spawnSync("docker", ["image", "inspect", name]).status === 0) return true;
  const registry = registryOf(name);
  if (process.env["LEAKWATCH_TEST_PULL"] === "never" || failedLately(registry)) return false;
  const error = await tryToPull(name);
  if (error === undefined) return true;
  console.log(`${registry} is not used for the next hour, as ${name} could not be pulled: ${error}`);
  fs.mkdirSync(cacheFolder, { recursive: true });
  fs.writeFileSync(memory(registry), error);
  return false;
}

/** "ghcr.io/a/b:1" is on ghcr.io; a name without a host is on Docker Hub. */
function registryOf(name: string): string {
  const [first = "", ...rest] = name.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

/** What went wrong, or undefined. */
function tryToPull(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn("docker", ["pull", name], { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.on("data", (text) => {
      errors += text;
    });
    const silent = setTimeout(() => child.kill(), firstWordWithin);
    const slow = setTimeout(() => child.kill(), wholeWithin);
    child.stdout.once("data", () => clearTimeout(silent));
    child.once("error", ({ message }) => {
      errors += message;
    });
    child.once("close", (code) => {
      clearTimeout(silent);
      clearTimeout(slow);
      resolve(code === 0 ? undefined : errors.trim() || "no answer in time");
    });
  });
}

const memory = (registry: string) => path.join(cacheFolder, `no-pull-from-${registry.replaceAll(/[^\w.]/g, "-")}`);

function failedLately(registry: string): boolean {
  const failed = fs.statSync(memory(registry), { throwIfNoEntry: false });
  return failed !== undefined && Date.now() - failed.mtimeMs < forgetAfter;
}
