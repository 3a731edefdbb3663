// Reads one process: memory and threads from `status`, descriptors from the `fd` folder. Files stay open and are read
// again at position 0 into one buffer, which costs what the same reads cost in C. An open file also stays with its
// process: once that has ended it answers ESRCH, and never shows another process that was given the same pid.

import fs from "node:fs";
import { failureReason, type KernelFiles, type ProcFolder, TimeoutError } from "../kernel/files.ts";
import { column, columnCount, type ProcessTable } from "../memory/process-table.ts";
import { parseStat } from "../procfs/stat.ts";
import { fdTableSize, nameHash, parseStatus, type StatusOffsets, unknownOffsets } from "../procfs/status.ts";
import { otherThreads } from "./process-folder.ts";

/** Not kept open. */
const closed = -1;

/** What is needed to read one process again. */
export interface ProcessHandle {
  readonly pid: number;
  readonly startTicks: number;
  statusFd: number;
  fdFolder: number;
  readonly offsets: StatusOffsets;
  nameHash: number;
  /** A thread that goes on although the main thread has ended; undefined while that one runs. */
  livingThread: number | undefined;
}

/** Where the process shows what it has, as its status last said. */
export function folderOf({ pid, livingThread }: Pick<ProcessHandle, "pid" | "livingThread">): ProcFolder {
  return livingThread === undefined ? pid : `${pid}/task/${livingThread}`;
}

/** `renamed` means memory was read and the name is another: the process called exec, or renamed itself. */
export type ReadOutcome = "read" | "renamed" | "no memory" | "zombie" | "gone";

/** How the number of descriptors is found on this kernel. */
export type FdCountMethod = "size" | "list";

/** Listing as many takes some 50 ms. */
const mostListedFds = 65_536;

/** Largest status file that is read; one of a process with thousands of supplementary groups. */
const largestStatus = 1 << 20;

export class ProcessReader {
  readonly fdCountMethod: FdCountMethod;
  /** How many descriptors may be held. */
  readonly maxKept: number;
  /** How many are held. */
  kept = 0;
  private readonly files: KernelFiles;
  private buffer = Buffer.allocUnsafeSlow(8192);
  /** Bytes of the last status file that was read. */
  private length = 0;

  constructor(files: KernelFiles, options: { maxKept: number; fdCountMethod?: FdCountMethod }) {
    this.files = files;
    this.maxKept = options.maxKept;
    this.fdCountMethod = options.fdCountMethod ?? detectFdCountMethod(files);
  }

  /** Starts with nothing open; the files are opened at the first reading. */
  handle(pid: number, startTicks: number): ProcessHandle {
    return {
      pid,
      startTicks,
      statusFd: closed,
      fdFolder: closed,
      offsets: unknownOffsets(),
      nameHash: 0,
      livingThread: undefined,
    };
  }

  close(handle: ProcessHandle): void {
    handle.statusFd = this.release(handle.statusFd);
    handle.fdFolder = this.release(handle.fdFolder);
  }

  /** Stores memory and threads in the table. Throws when the file may not be read. */
  readStatus(handle: ProcessHandle, table: ProcessTable, row: number): ReadOutcome {
    try {
      if (handle.statusFd === closed && this.kept < this.maxKept) {
        handle.statusFd = this.keep(this.files.proc(handle.pid, "status"));
        // the file that was just opened could be that of another process with the same pid
        if (!this.isSameLife(handle)) return "gone";
      }
      if (handle.statusFd !== closed) this.fill(handle.statusFd);
      else if (!this.fillByPath(handle)) return "gone";
    } catch (error) {
      const reason = failureReason(error);
      if (reason === "gone" || reason === "absent") return "gone";
      throw error;
    }
    const kind = parseStatus(this.buffer, this.length, handle.offsets, table.values, row * columnCount);
    if (kind === "leader ended") return this.readThreads(handle, table, row);
    if (kind !== "memory") return kind;
    const hash = nameHash(this.buffer, this.length);
    const renamed = hash !== handle.nameHash && handle.nameHash !== 0;
    handle.nameHash = hash;
    return renamed ? "renamed" : "read";
  }

  /** The status of the first thread that still has memory; all of them share it. */
  private readThreads(handle: ProcessHandle, table: ProcessTable, row: number): ReadOutcome {
    handle.livingThread = undefined;
    for (const thread of otherThreads(this.files, handle.pid)) {
      try {
        this.fillFrom(this.files.proc(handle.pid, "task", thread, "status"));
      } catch {
        continue; // ended meanwhile
      }
      const kind = parseStatus(this.buffer, this.length, unknownOffsets(), table.values, row * columnCount);
      if (kind !== "memory") continue;
      handle.livingThread = thread;
      return "read";
    }
    return "no memory"; // all of them are ending
  }

  /** The status file that was read last, for what is needed only now and then. */
  lastStatus(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** Stores the number of open descriptors. Throws when it may not be known. */
  readFdCount(handle: ProcessHandle, table: ProcessTable, row: number): void {
    table.set(row, column.openFds, Number.NaN);
    table.set(row, column.openFds, this.countFds(handle));
  }

  private countFds(handle: ProcessHandle): number {
    if (handle.livingThread !== undefined) return this.listedFds(this.files.proc(folderOf(handle), "fd"));
    if (handle.fdFolder !== closed) return fs.fstatSync(handle.fdFolder).size;
    const folder = this.files.proc(handle.pid, "fd");
    if (this.fdCountMethod === "list") return this.listedFds(folder);
    if (this.kept < this.maxKept) {
      try {
        handle.fdFolder = this.keep(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
        return fs.fstatSync(handle.fdFolder).size;
      } catch (error) {
        // not ours to open; the size is still shown to everybody
        if (failureReason(error) !== "permission") throw error;
      }
    }
    return this.files.size(folder);
  }

  /** Only where the process' table of descriptors, whose size its status shows, is not too large to be listed at once. */
  private listedFds(folder: string): number {
    const size = fdTableSize(this.buffer, this.length);
    if (size > mostListedFds) throw new TimeoutError(`a table of ${size} descriptors takes too long to list`);
    return this.files.list(folder).length;
  }

  /** Reads the whole file at `fd` into the buffer, which grows when a file fills it. */
  private fill(fd: number): void {
    for (;;) {
      this.length = fs.readSync(fd, this.buffer, 0, this.buffer.length, 0);
      if (this.length < this.buffer.length || this.buffer.length >= largestStatus) return;
      this.buffer = Buffer.allocUnsafeSlow(this.buffer.length * 2);
    }
  }

  /** Without a descriptor to keep: opens, reads and closes, and makes sure that the pid was not given to another. */
  private fillByPath(handle: ProcessHandle): boolean {
    this.fillFrom(this.files.proc(handle.pid, "status"));
    return this.isSameLife(handle);
  }

  private fillFrom(file: string): void {
    const fd = this.files.open(file);
    try {
      this.fill(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Was what has just been read by its pid that of this process, and not of another which was given the pid since? Throws when it is gone. */
  isSameLife(handle: ProcessHandle): boolean {
    return parseStat(this.files.text(this.files.proc(handle.pid, "stat"))).startTicks === handle.startTicks;
  }

  private keep(path: string, flags?: number): number {
    const fd = this.files.open(path, flags);
    this.kept++;
    return fd;
  }

  private release(fd: number): number {
    if (fd !== closed) {
      fs.closeSync(fd);
      this.kept--;
    }
    return closed;
  }
}

/**
 * Since Linux 6.2 the size of /proc/<pid>/fd is the number of descriptors; before it is 0. Our own folder shows which:
 * our own count cannot be 0. A copy of /proc on disk has a size too, so the size must also agree with the listing.
 */
export function detectFdCountMethod(files: KernelFiles): FdCountMethod {
  try {
    const folder = files.proc("self", "fd");
    const size = files.size(folder);
    const listed = files.list(folder).length; // the listing itself holds one more
    return size > 0 && Math.abs(listed - size) <= 2 ? "size" : "list";
  } catch {
    return "list";
  }
}
