// A cgroup that our own mounts do not show, read through the root of a process in it: `/proc/<pid>/root/sys/fs/cgroup/…`.
// The process may have put anything there, and may change it at any moment. So the kernel's list of its mounts says where a cgroup
// file system is, each file must be on that device, and all of it is read off the event loop, once, into a snapshot.

import { targetReads } from "../../catalog/defaults.ts";
import type { CgroupFolder } from "../cgroupfs/layout.ts";
import { locateInMounts } from "../cgroupfs/layout.ts";
import { failureReason, type KernelFiles, UntrustedFileError } from "../kernel/files.ts";
import type { TextFiles } from "../kernel/kept-files.ts";
import type { TargetFiles } from "../kernel/target-files.ts";
import type { CgroupPath, Controller } from "../procfs/cgroup.ts";
import { type Mount, parseMounts } from "../procfs/mountinfo.ts";

/** What to read of a cgroup. */
export interface WantedFiles {
  readonly controller: Controller;
  /** Of the cgroup itself. */
  readonly own: readonly string[];
  /** Of it and of every one above it. */
  readonly eachLevel: readonly string[];
}

/** A cgroup's files as they were when they were read; for the parsers, which take them from here as from the kernel. */
export class CgroupSnapshot implements TextFiles {
  readonly at: CgroupFolder;
  private readonly texts: ReadonlyMap<string, string>;

  constructor(at: CgroupFolder, texts: ReadonlyMap<string, string>) {
    this.at = at;
    this.texts = texts;
  }

  text(file: string): string {
    const text = this.texts.get(file);
    if (text === undefined) throw Object.assign(new Error(`${file} was not there`), { code: "ENOENT" });
    return text;
  }

  textIfPresent(file: string): string | undefined {
    return this.texts.get(file);
  }
}

/**
 * Undefined where the process' mounts do not show the cgroup, or we may not see them. Throws UntrustedFileError for files
 * that are not the kernel's, and TimeoutError when the process holds the reading up.
 */
export async function readThroughTarget(
  { files, targetFiles }: { files: KernelFiles; targetFiles: TargetFiles },
  pid: number,
  cgroup: CgroupPath,
  wanted: WantedFiles,
): Promise<CgroupSnapshot | undefined> {
  const root = files.proc(pid, "root");
  try {
    const at = locateInMounts(await readMounts(targetFiles, pid), cgroup, wanted.controller);
    if (at === undefined) return undefined;
    if (at === "covered") throw new UntrustedFileError("not a cgroup file: something is mounted over it");
    await targetFiles.folderBehindRoot(root + at.folder, at.device);
    const texts = new Map<string, string>();
    for (const file of filesOf(at, wanted)) {
      const text = await textIfPresent(targetFiles, root + file, at.device);
      if (text !== undefined) texts.set(file, text);
    }
    return new CgroupSnapshot(at, texts);
  } catch (error) {
    if (["gone", "absent", "permission"].includes(failureReason(error))) return undefined; // another user's, or ended
    throw error;
  }
}

async function readMounts(targetFiles: TargetFiles, pid: number): Promise<Mount[]> {
  const text = await targetFiles.procText(pid, "mountinfo", targetReads.mountsBytes);
  if (text.length >= targetReads.mountsBytes) throw new UntrustedFileError("too many mounts");
  return parseMounts(text);
}

function filesOf({ folder, top }: CgroupFolder, { own, eachLevel }: WantedFiles): string[] {
  const files = own.map((name) => `${folder}/${name}`);
  let levels = 0;
  for (let at = folder; at.length >= top.length; at = at.slice(0, at.lastIndexOf("/"))) {
    if (++levels > targetReads.mostAncestors) throw new UntrustedFileError("too many cgroups above it");
    files.push(...eachLevel.map((name) => `${at}/${name}`));
  }
  return [...new Set(files)];
}

async function textIfPresent(targetFiles: TargetFiles, file: string, device: number): Promise<string | undefined> {
  try {
    return await targetFiles.behindRoot(file, { device, mostBytes: targetReads.cgroupFileBytes });
  } catch (error) {
    if (["gone", "absent"].includes(failureReason(error))) return undefined;
    throw error;
  }
}
