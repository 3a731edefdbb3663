// kubectl, for `kubectl kustomize`: what users run. That of the machine, else that of a Debian release that has a new one.

import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { load, loadAll } from "js-yaml";
import { cacheFolder, debianObstacle, unpackDebian } from "./debian.ts";
import { findProgram } from "./packages.ts";

/** Components, replacements and patches with several targets: kustomize 5, in kubectl since 1.27. */
const leastKustomize = 5;

let found: string | undefined;

/** Path of the program. Throws when it cannot be had. */
export function ensureKubectl(): string {
  found ??= [findProgram("kubectl"), path.join(cacheFolder, "kubectl/usr/bin/kubectl")].find(isNewEnough) ?? download();
  return found;
}

function download(): string {
  const obstacle = debianObstacle();
  const folder = path.join(cacheFolder, "kubectl");
  if (obstacle === undefined) unpackDebian(["kubectl"], folder);
  const program = path.join(folder, "usr/bin/kubectl");
  if (!isNewEnough(program))
    throw new Error(`The tests need kubectl 1.27 or later: ${obstacle ?? "Debian's is older"}`);
  return program;
}

function isNewEnough(program: string | undefined): boolean {
  if (program === undefined || !fs.existsSync(program)) return false;
  const versions = execFileSync(program, ["version", "--client", "--output=yaml"], { encoding: "utf8" });
  const { kustomizeVersion = "" } = load(versions) as { kustomizeVersion?: string };
  return Number(/^v(\d+)\./.exec(kustomizeVersion)?.[1] ?? 0) >= leastKustomize;
}

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, into which tests look
type Anything = any;

/** An object of Kubernetes, of whatever kind. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; [key: string]: Anything };
  [key: string]: Anything;
}

/** What `kubectl kustomize` makes of a folder. Rejects with its complaint. */
export function kustomize(folder: string): Promise<Rendered[]> {
  return new Promise((resolve, reject) => {
    const options = { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 } as const;
    execFile(ensureKubectl(), ["kustomize", folder], options, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(stderr.trim() || error.message));
      else resolve(loadAll(stdout) as Rendered[]);
    });
  });
}
