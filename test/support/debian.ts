// Debian packages taken apart, not installed: downloaded from one release, whatever release the machine has.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, installPackage } from "./packages.ts";

/** Has Prometheus 3, Alertmanager 0.33 and Compose 2; older releases do not. */
const release = "forky";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** What tests download is kept here, outside of version control. */
export const cacheFolder = fileURLToPath(new URL("../.cache", import.meta.url));

/** Why packages cannot be had on this machine; undefined when they can. */
export function debianObstacle(): string | undefined {
  if (findProgram("apt-get") === undefined || findProgram("dpkg") === undefined) return "this is no Debian or Ubuntu";
  if (fs.existsSync(keyring)) return undefined;
  installPackage("debian-archive-keyring"); // Ubuntu has it, but not at first
  return fs.existsSync(keyring) ? undefined : `${keyring} is missing (package debian-archive-keyring)`;
}

/** Unpacks packages into a folder. */
export function unpackDebian(names: readonly string[], folder: string): void {
  const debs = path.join(cacheFolder, "debs");
  fs.mkdirSync(debs, { recursive: true });
  const files = filesOf(names);
  download(
    files.filter((file) => !fs.existsSync(path.join(debs, file))),
    debs,
  );
  for (const file of files) execFileSync("dpkg", ["-x", path.join(debs, file), folder], { stdio: "pipe" });
}

/** The same with everything that they depend on. */
export function unpackDebianWithDependencies(names: readonly string[], folder: string): void {
  const simulated = apt(["install", "--simulate", "--no-install-recommends", ...names]);
  const all = [...simulated.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name as string);
  unpackDebian(all, folder);
}

/** "libc6_2.43-7_amd64.deb" for "libc6". */
function filesOf(names: readonly string[]): string[] {
  const lines = apt(["download", "--print-uris", ...names]).matchAll(/^'\S+' (\S+) /gm);
  return [...lines].map(([, file]) => file as string);
}

function download(files: readonly string[], folder: string): void {
  if (files.length === 0) return;
  // into a folder of its own: another run may download the same
  const own = fs.mkdtempSync(path.join(folder, "download-"));
  try {
    apt(["download", ...files.map((file) => file.split("_")[0] as string)], own);
    for (const file of files) fs.renameSync(path.join(own, file), path.join(folder, file));
  } finally {
    fs.rmSync(own, { recursive: true });
  }
}

/** apt-get with lists, a cache and an empty list of installed packages of its own: it neither sees nor changes the machine. */
function apt(words: readonly string[], cwd?: string): string {
  return runApt(aptState(), words, cwd);
}

let refreshed = false;

function aptState(): string {
  const state = path.join(cacheFolder, "apt");
  if (refreshed) return state;
  fs.mkdirSync(path.join(state, "lists/partial"), { recursive: true });
  fs.mkdirSync(path.join(state, "cache/archives/partial"), { recursive: true });
  fs.writeFileSync(path.join(state, "installed"), "");
  fs.writeFileSync(path.join(state, "list"), `deb [signed-by=${keyring}] ${mirror()} ${release} main\n`);
  runApt(state, ["update"]);
  refreshed = true;
  return state;
}

function runApt(state: string, words: readonly string[], cwd?: string): string {
  const settings = {
    "Dir::Etc::SourceList": path.join(state, "list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::State::Lists": path.join(state, "lists"),
    "Dir::State::status": path.join(state, "installed"),
    "Dir::Cache": path.join(state, "cache"),
    "Debug::NoLocking": "true",
    "APT::Sandbox::User": "root",
    "Acquire::Retries": "2",
  };
  const given = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  try {
    return execFileSync("apt-get", ["-q", ...given, ...words], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, LC_ALL: "C" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 300_000,
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`apt-get ${words.join(" ")} failed:\n${stderr ?? String(error)}`, { cause: error });
  }
}

/** The mirror that the machine itself uses, when it is a Debian. */
function mirror(): string {
  const format = "$(ORIGIN) $(LABEL) $(REPO_URI)";
  const lines = execFileSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
  });
  return /^Debian Debian (http\S+)$/m.exec(lines)?.[1] ?? "http://deb.debian.org/debian";
}
