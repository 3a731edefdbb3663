// The one module that touches the kernel's files. Everything above it works on values.

import fs from "node:fs";
import path from "node:path";

/** Where the kernel's file systems are mounted; a host's can stand under another root. */
export interface KernelRoots {
  /** Put before every path; for copies of a machine's files. */
  root?: string;
  /** Mount of procfs, `/proc` or for example `/host/proc`. */
  procfs: string;
  /** Mount of the cgroup hierarchies, `/sys/fs/cgroup` or for example `/host/sys/fs/cgroup`. */
  cgroupfs: string;
}

/**
 * A process' folder in procfs: its pid. Once its main thread has ended that shows no memory, arguments, descriptors or root any more,
 * and on cgroup version 1 the root cgroup; the folder of another thread still does.
 */
export type ProcFolder = number | `${number}/task/${number}`;

/** Why something could not be read, in the words of the `reason` label. */
export type FailureReason =
  | "gone"
  | "permission"
  | "descriptors"
  | "absent"
  | "format"
  | "io"
  | "timeout" // the kernel or a file system of the target's does not answer
  | "untrusted"; // there is a file, but not one of the kernel's: a target can put anything behind its root

/** A file that was read does not look as its documentation says. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** Behind a target's root stands something else than the kernel's file. The message never holds what it says. */
export class UntrustedFileError extends Error {
  override readonly name = "UntrustedFileError";
}

/** A read that a target holds up. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** Puts an error into one of the few classes that a metric can count. */
export function failureReason(error: unknown): FailureReason {
  if (error instanceof FormatError) return "format";
  if (error instanceof UntrustedFileError) return "untrusted";
  if (error instanceof TimeoutError) return "timeout";
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case "ESRCH": // the process ended while its file was open
    case "ENODEV": // the cgroup was removed while its file was open
      return "gone";
    case "ENOENT":
    case "ENOTDIR":
    case "EOPNOTSUPP": // memory.pressure on a kernel with PSI switched off
      return "absent";
    case "EACCES":
    case "EPERM":
      return "permission";
    case "EMFILE":
    case "ENFILE":
      return "descriptors";
    case "ELOOP": // a link, where the kernel has none
    case "ENXIO": // a socket, or a device that is not there
      return "untrusted";
    default:
      return "io";
  }
}

/** Every look at a file. Paths are as the watched machine names them. Every method throws the file system's own error. */
export class KernelFiles {
  readonly procfs: string;
  readonly cgroupfs: string;
  /** Copies of a machine's files are on another device than the files were. */
  readonly isCopy: boolean;
  private readonly root: string;

  constructor({ root = "", procfs, cgroupfs }: KernelRoots) {
    this.root = root;
    this.isCopy = root !== "";
    this.procfs = procfs;
    this.cgroupfs = cgroupfs;
  }

  /** Path of a file of procfs: `proc("meminfo")`, `proc(4242, "status")`, `proc("4242/task/4243", "status")`. */
  proc(...parts: (string | number)[]): string {
    return `${this.procfs}/${parts.join("/")}`;
  }

  /**
   * Contents as text, to the end: kernel files have no size. Bytes that are not UTF-8 become U+FFFD, since label values
   * must be UTF-8. (Asked for a Buffer, Node.js would allocate 64 KiB for each of these small files.)
   */
  text(file: string): string {
    return fs.readFileSync(this.root + file, "utf8");
  }

  /** The first bytes of a file, as text: of files that grow with what a target does, up to gigabytes. */
  textUpTo(file: string, mostBytes: number): string {
    const fd = this.open(file);
    try {
      const buffer = Buffer.allocUnsafe(mostBytes);
      let length = 0;
      for (let read = -1; read !== 0 && length < mostBytes; length += read) {
        read = fs.readSync(fd, buffer, length, mostBytes - length, null);
      }
      return buffer.toString("utf8", 0, length);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Opens a file on the thread pool, since a file system of the target's may never answer. The caller closes it. */
  openOffLoop(file: string, flags: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.open(this.root + file, flags, (error, fd) => (error ? reject(error) : resolve(fd)));
    });
  }

  /** Contents as text, or undefined where this kernel or mount does not have the file. */
  textIfPresent(file: string): string | undefined {
    try {
      return this.text(file);
    } catch (error) {
      if (failureReason(error) === "absent" || failureReason(error) === "gone") return undefined;
      throw error;
    }
  }

  /** Opens a file or folder for reading; the caller closes it. */
  open(file: string, flags = fs.constants.O_RDONLY): number {
    return fs.openSync(this.root + file, flags);
  }

  /** Size in bytes, as the kernel gives it. */
  size(file: string): number {
    return fs.statSync(this.root + file).size;
  }

  /** Is there such a file or folder? What may not be known counts as present: reading it says why it cannot be read. */
  isPresent(file: string): boolean {
    try {
      return fs.statSync(this.root + file, { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      return failureReason(error) !== "gone" && failureReason(error) !== "absent";
    }
  }

  /** The number that tells a folder from another that was made later under the same path. */
  inode(file: string): number {
    return fs.statSync(this.root + file).ino;
  }

  /** Target of a symbolic link. */
  link(file: string): string {
    return fs.readlinkSync(this.root + file);
  }

  /** Names in a folder. */
  list(folder: string): string[] {
    return fs.readdirSync(this.root + folder);
  }

  /** The first names in a folder that a target can fill with as many as it likes. */
  listUpTo(folder: string, most: number): string[] {
    const opened = fs.opendirSync(this.root + folder, { bufferSize: Math.min(most, 1024) });
    try {
      const names: string[] = [];
      for (let entry = opened.readSync(); entry !== null && names.length < most; entry = opened.readSync()) {
        names.push(entry.name);
      }
      return names;
    } finally {
      opened.closeSync();
    }
  }

  /** Names of the folders in a folder. */
  listFolders(folder: string): string[] {
    return fs
      .readdirSync(this.root + folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  }

  /** Ids of all processes, as the kernel lists them. The listing runs off the event loop. */
  async pids(): Promise<number[]> {
    const names = await new Promise<string[]>((resolve, reject) => {
      fs.readdir(this.root + this.procfs, (error, found) => (error ? reject(error) : resolve(found)));
    });
    const pids: number[] = [];
    for (const name of names) {
      const first = name.charCodeAt(0);
      if (first >= 0x30 && first <= 0x39) pids.push(Number(name));
    }
    return pids;
  }

  /** Our own id in the numbering of this procfs, or undefined where it does not show us. */
  ownPid(): number | undefined {
    try {
      const pid = Number(path.basename(this.link(this.proc("self"))));
      return Number.isInteger(pid) ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}
