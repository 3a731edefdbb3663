// Small kernel files that are read again and again: they stay open and are read at position 0, which costs a sixth of
// opening them anew. A file whose folder was removed answers ENODEV for ever, also when another folder was made under the
// same path: then it is opened anew.

import fs from "node:fs";
import { failureReason, type KernelFiles } from "./files.ts";

/** How many descriptors may be held, and how many are. */
export interface DescriptorBudget {
  readonly maxKept: number;
  kept: number;
}

/** What the parsers of small files need. */
export type TextFiles = Pick<KernelFiles, "text" | "textIfPresent">;

/** Of the whole budget: the rest is for the processes, which are read more often. */
const shareOfBudget = 0.5;

/** Of more than about 130 cgroups some files are opened anew: each that is kept takes 4.4 KiB of kernel memory. */
const mostKept = 1024;

/** Larger files are read by their path. */
const bufferBytes = 16_384;

/** What is not there is looked for again after so many rounds: failing to open costs as much as some twenty readings. */
const roundsOfAbsence = 20;

export class KeptFiles implements TextFiles {
  private readonly files: KernelFiles;
  private readonly budget: DescriptorBudget;
  private readonly open = new Map<string, number>();
  private readonly openIn = new Map<string, string[]>();
  private readonly absent = new Set<string>();
  private readonly buffer = Buffer.allocUnsafeSlow(bufferBytes);
  private rounds = 0;

  constructor(files: KernelFiles, budget: DescriptorBudget) {
    this.files = files;
    this.budget = budget;
  }

  /** A round of readings begins. */
  startRound(): void {
    if (++this.rounds % roundsOfAbsence === 0) this.absent.clear();
  }

  text(file: string): string {
    const known = this.open.get(file);
    if (known === undefined && !this.mayKeep) return this.files.text(file);
    try {
      return this.read(known ?? this.keep(file), file);
    } catch (error) {
      this.release(file);
      if (known === undefined || failureReason(error) !== "gone") throw error;
      this.absent.clear(); // what stands under this path now may have more
      return this.text(file);
    }
  }

  textIfPresent(file: string): string | undefined {
    if (this.absent.has(file)) return undefined;
    try {
      return this.text(file);
    } catch (error) {
      const reason = failureReason(error);
      if (reason === "gone") return undefined;
      if (reason !== "absent") throw error;
      // of a folder without an open file nobody would notice that it was made anew
      if (this.openIn.has(folderOf(file))) this.absent.add(file);
      return undefined;
    }
  }

  /** Closes the files of a folder. */
  releaseFolder(folder: string): void {
    for (const file of this.openIn.get(folder) ?? []) this.release(file);
    this.openIn.delete(folder);
    this.absent.clear();
  }

  close(): void {
    for (const folder of this.openIn.keys()) this.releaseFolder(folder);
  }

  private get mayKeep(): boolean {
    const most = Math.min(mostKept, this.budget.maxKept * shareOfBudget);
    return this.open.size < most && this.budget.kept < this.budget.maxKept;
  }

  private keep(file: string): number {
    const fd = this.files.open(file);
    this.open.set(file, fd);
    this.budget.kept++;
    const folder = folderOf(file);
    this.openIn.set(folder, [...(this.openIn.get(folder) ?? []), file]);
    return fd;
  }

  private release(file: string): void {
    const fd = this.open.get(file);
    if (fd === undefined) return;
    this.open.delete(file);
    this.budget.kept--;
    fs.closeSync(fd);
    const folder = folderOf(file);
    const left = this.openIn.get(folder)?.filter((other) => other !== file) ?? [];
    if (left.length > 0) this.openIn.set(folder, left);
    else this.openIn.delete(folder);
  }

  /** These files are ASCII. */
  private read(fd: number, file: string): string {
    const length = fs.readSync(fd, this.buffer, 0, bufferBytes, 0);
    return length < bufferBytes ? this.buffer.toString("latin1", 0, length) : this.files.text(file);
  }
}

const folderOf = (file: string) => file.slice(0, file.lastIndexOf("/"));
