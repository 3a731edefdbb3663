// The trees under test/fixtures: files of real machines. README.md there says how each was taken.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { KernelFiles, type KernelRoots } from "../../exporter/kernel/files.ts";

export const KiB = 1024;
export const MiB = 1024 * KiB;

const root = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** Path of a file or folder of a captured machine. */
export function fixturePath(...parts: string[]): string {
  return path.join(root, ...parts);
}

/** Its text, decoded as the exporter decodes it. */
export function fixture(...parts: string[]): string {
  return fs.readFileSync(fixturePath(...parts), "utf8");
}

/** Its bytes. */
export function fixtureBytes(...parts: string[]): Buffer {
  return fs.readFileSync(fixturePath(...parts));
}

/** The files of a captured machine as the exporter reads them. Links, which cannot be captured as such, come from lists. */
export class FixtureFiles extends KernelFiles {
  constructor(machine: string, roots: Partial<KernelRoots> = {}) {
    super({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup", ...roots, root: fixturePath(machine) });
  }

  override link(file: string): string {
    const [, folder, fd] = /^(.*)\/fd\/(\d+)$/.exec(file) ?? [];
    if (folder === undefined) return this.text(`${file}.link`);
    const target = new RegExp(`^${fd} (.*)$`, "m").exec(this.text(`${folder}/fd.links`))?.[1];
    if (target === undefined) throw Object.assign(new Error("not captured"), { code: "ENOENT" });
    return target;
  }
}
