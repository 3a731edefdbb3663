// A cgroup that our own mounts do not show, read through the root of a process in it: `/proc/<pid>/root/sys/fs/cgroup/…`.
// The process may have put anything there, and may change it at any moment. So the kernel's list of its mounts says where a cgroup
// file system is, each file must be on that device, and all of it is read off the event loop, once, into a snapshot.

import { targetReads } from "../../catalog/defaults.ts";
import { countingFile, type LocatedCgroup, parentOf } from "../cgroupfs/counting-cgroup.ts";
import type { CgroupFolder } from "../cgroupfs/layout.ts";
import { locateInMounts } from "../cgroupfs/layout.ts";
import { failureReason, type KernelFiles, type ProcFolder, UntrustedFileError } from "../kernel/files.ts";
import type { TextFiles } from "../kernel/kept-files.ts";
import type { TargetFiles } from "../kernel/target-files.ts";
import type { CgroupPath, Controller } from "../procfs/cgroup.ts";
import { type Mount, parseMounts } from "../procfs/mountinfo.ts";

/** What to read of a cgroup. */
export interface WantedFiles {
  readonly controller: Controller;
  /** Of the cgroup that counts its memory, which may be one above it. */
  readonly counting: readonly string[];
  /** Of it and of every one above it. */
  readonly eachLevel: readonly string[];
}

/** A cgroup's files as they were when they were read; for the parsers, which take them from here as from the kernel. */
export class CgroupSnapshot implements TextFiles {
  /** The cgroup that was asked for. */
  readonly at: CgroupFolder;
  /** The one that counts its memory. */
  readonly counting: CgroupFolder & CgroupPath;
  private readonly texts: ReadonlyMap<string, string>;

  constructor(at: CgroupFolder, counting: LocatedCgroup, texts: ReadonlyMap<string, string>) {
    this.at = at;
    this.counting = { ...counting, ...counting.at };
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
  process: ProcFolder,
  cgroup: CgroupPath,
  wanted: WantedFiles,
): Promise<CgroupSnapshot | undefined> {
  const root = files.proc(process, "root");
  try {
    const at = locateInMounts(await readMounts(targetFiles, process), cgroup, wanted.controller);
    if (at === undefined) return undefined;
    if (at === "covered") throw new UntrustedFileError("not a cgroup file: something is mounted over it");
    await targetFiles.folderBehindRoot(root + at.folder, at.device);
    const texts = new Map<string, string>();
    const read = async (files: string[]) => {
      for (const file of files) {
        const text = texts.has(file) ? undefined : await textIfPresent(targetFiles, root + file, at.device);
        if (text !== undefined) texts.set(file, text);
      }
    };
    await read(eachLevelOf(at, wanted.eachLevel));
    const asked: LocatedCgroup = { version: cgroup.version, path: cgroup.path, at };
    if (wanted.counting.length === 0) return new CgroupSnapshot(at, asked, texts);
    for (let level: LocatedCgroup | undefined = asked; level !== undefined; level = parentOf(level)) {
      const { folder } = level.at;
      await read(wanted.counting.map((name) => `${folder}/${name}`));
      if (cgroup.version === 1 || texts.has(`${folder}/${countingFile}`)) return new CgroupSnapshot(at, level, texts);
    }
    return new CgroupSnapshot(at, asked, texts); // none of them counts
  } catch (error) {
    if (["gone", "absent", "permission"].includes(failureReason(error))) return undefined; // another user's, or ended
    throw error;
  }
}

async function readMounts(targetFiles: TargetFiles, process: ProcFolder): Promise<Mount[]> {
  const text = await targetFiles.procText(process, "mountinfo", targetReads.mountsBytes);
  if (text.length >= targetReads.mountsBytes) throw new UntrustedFileError("too many mounts");
  return parseMounts(text);
}

function eachLevelOf({ folder, top }: CgroupFolder, names: readonly string[]): string[] {
  const files: string[] = [];
  let levels = 0;
  for (let at = folder; at.length >= top.length; at = at.slice(0, at.lastIndexOf("/"))) {
    if (++levels > targetReads.mostAncestors) throw new UntrustedFileError("too many cgroups above it");
    files.push(...names.map((name) => `${at}/${name}`));
  }
  return files;
}

async function textIfPresent(targetFiles: TargetFiles, file: string, device: number): Promise<string | undefined> {
  try {
    return await targetFiles.behindRoot(file, { device, mostBytes: targetReads.cgroupFileBytes });
  } catch (error) {
    if (["gone", "absent"].includes(failureReason(error))) return undefined;
    throw error;
  }
}
