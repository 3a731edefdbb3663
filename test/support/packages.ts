// Programs that the tests run and npm cannot bring: installed from Debian packages where that is possible.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

/** A program, and the Debian or Ubuntu packages that have it; releases differ, so the later ones are tried too. */
export interface Requirement {
  /** Its name, or a pattern of it where packages put their version into it. */
  program: string;
  packages: readonly string[];
}

export const requirements: readonly Requirement[] = [
  { program: "prometheus", packages: ["prometheus"] },
  { program: "promtool", packages: ["prometheus", "promtool"] },
  { program: "prometheus-alertmanager", packages: ["prometheus-alertmanager"] },
  { program: "amtool", packages: ["prometheus-alertmanager"] },
  { program: "dockerd", packages: ["docker.io"] },
  { program: "docker", packages: ["docker.io", "docker-cli"] },
  { program: "busybox", packages: ["busybox-static"] },
  { program: "python3", packages: ["python3"] },
  { program: "nginx", packages: ["nginx-light", "nginx"] },
  { program: "gunicorn", packages: ["gunicorn"] },
  { program: "pg_ctlcluster", packages: ["postgresql"] },
  { program: "php-fpm[0-9]*", packages: ["php-fpm"] },
];

/** Makes sure that every program is there. Installs what is missing as root on Debian, else throws one message. */
export function ensurePrograms(wanted: readonly Requirement[] = requirements): void {
  if (missing(wanted).length > 0 && canInstall()) install(wanted);
  const left = missing(wanted);
  if (left.length > 0) throw new Error(missingMessage(left));
}

/** Path of a program, or undefined; `name` may be a pattern. Debian keeps some in folders that only root has in PATH. */
export function findProgram(name: string): string | undefined {
  return [...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    .filter((folder) => folder !== "")
    .flatMap((folder) => fs.globSync(path.join(folder, name)))
    .find(isExecutable);
}

function missing(wanted: readonly Requirement[]): Requirement[] {
  return wanted.filter(({ program }) => findProgram(program) === undefined);
}

function missingMessage(left: readonly Requirement[]): string {
  const lines = left.map(({ program, packages }) => `  ${program} (Debian, Ubuntu: ${packages.join(" or ")})`);
  return [
    "The tests need programs that are not installed:",
    ...lines,
    "As root on Debian or Ubuntu they are installed by the tests themselves; elsewhere please install them.",
  ].join("\n");
}

/** Installs a package that is no program, if that is possible here; else nothing happens. */
export function installPackage(name: string): void {
  if (!canInstall()) return;
  if (!isKnown(name)) aptGet("update");
  if (isKnown(name)) withoutStartingDaemons(() => aptGet("install", name));
}

const canInstall = () => process.getuid?.() === 0 && findProgram("apt-get") !== undefined;

/** Package by package, since a later one is only wanted where an earlier one did not bring the program. */
function install(wanted: readonly Requirement[]): void {
  let listsAreCurrent = false;
  for (const { program, packages } of wanted) {
    for (const name of packages) {
      if (findProgram(program) !== undefined) break;
      // lists may be absent, as in slim images, or too old to be fetched from
      if (!isKnown(name) && !listsAreCurrent) {
        aptGet("update");
        listsAreCurrent = true;
      }
      if (!isKnown(name)) continue;
      console.log(`installing ${name} for the tests`);
      withoutStartingDaemons(() => {
        try {
          aptGet("install", name);
        } catch (error) {
          if (listsAreCurrent) throw error;
          aptGet("update");
          listsAreCurrent = true;
          aptGet("install", name);
        }
      });
    }
  }
}

const untranslated = { ...process.env, LC_ALL: "C" };

function aptGet(...words: string[]): void {
  const options = ["-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
  try {
    execFileSync("apt-get", [...options, ...words], {
      env: { ...untranslated, DEBIAN_FRONTEND: "noninteractive" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`apt-get ${words.join(" ")} failed:\n${stderr ?? String(error)}`, { cause: error });
  }
}

function isKnown(name: string): boolean {
  try {
    // a package that is only referred to has no version
    return /Candidate: \d/.test(execFileSync("apt-cache", ["policy", name], { env: untranslated, encoding: "utf8" }));
  } catch {
    return false;
  }
}

/** Debian starts the daemons of a package that it installs, unless this program says no. Ours start by hand. */
function withoutStartingDaemons(work: () => void): void {
  const policy = "/usr/sbin/policy-rc.d";
  const isOurs = !fs.existsSync(policy); // else the machine has a policy of its own
  if (isOurs) fs.writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    work();
  } finally {
    if (isOurs) fs.rmSync(policy);
  }
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
