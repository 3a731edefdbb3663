// Files that a target can forge, or whose reading it can hold up: its arguments, its environment, its program, its smaps_rollup and
// everything behind its root. The kernel takes the target's memory lock for the first two, which a target can keep for ever (a FUSE file
// system that never answers a write is enough), and its root shows whatever it mounts. A call that waits cannot be taken back, so
// each runs on the thread pool, has a time, and only few may be under way: what is stuck must not use up the pool.

import fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { targetReads } from "../../catalog/defaults.ts";
import { type KernelFiles, type ProcFolder, TimeoutError, UntrustedFileError } from "./files.ts";

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW, O_DIRECTORY } = fs.constants;

/** What a file behind a target's root must be: a regular file on the device that the kernel names for the mount. */
export interface ExpectedFile {
  /** `st_dev`. */
  readonly device: number;
  readonly mostBytes: number;
}

/** Nothing was tried: other targets hold up readings of this kind, and this one might too. It can be tried again soon. */
export class HeldUpElsewhere extends TimeoutError {
  constructor() {
    super("other processes hold up readings of this kind");
  }
}

/** Threads that are looked at for one that waits. */
const mostThreads = 64;

export class TargetFiles {
  private readonly files: KernelFiles;
  private readonly seconds: number;
  private readonly buffers: (Buffer | undefined)[];
  private readonly free: number[];
  private readonly waiting: (() => void)[] = [];
  private stuck = 0;

  constructor(files: KernelFiles, options: { seconds: number; atOnce: number } = targetReads) {
    this.files = files;
    this.seconds = options.seconds;
    this.buffers = Array.from({ length: options.atOnce }, () => undefined);
    this.free = this.buffers.map((_, i) => i);
  }

  /** Calls that a target holds up now; each takes a thread of the pool until the target lets go of it or ends. */
  get heldUp(): number {
    return this.stuck;
  }

  /**
   * /proc/<pid>/cmdline, its first 128 KiB. Only reading it waits for the target. Throws the file system's error, or TimeoutError.
   * While some target holds up a reading, others that look like it are not asked: the last place is for all the rest.
   */
  async cmdline(process: ProcFolder): Promise<string> {
    if (this.stuck > 0 && this.waitsInKernel(process)) throw new HeldUpElsewhere();
    return this.withinTime(targetReads.mostBytes, async (buffer) => {
      const fd = this.files.open(this.files.proc(process, "cmdline"));
      try {
        return await readText(fd, buffer, targetReads.mostBytes);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  /** Another file of procfs that the kernel answers only when the target lets it; opening it may wait too. */
  procText(process: ProcFolder, name: string, mostBytes: number = targetReads.mostBytes): Promise<string> {
    return this.withinTime(mostBytes, async (buffer) => {
      const fd = await this.files.openOffLoop(this.files.proc(process, name), O_RDONLY);
      return closing(fd, () => readText(fd, buffer, mostBytes));
    });
  }

  /** The first bytes of the program that a process runs, wherever that stands. */
  programHead(process: ProcFolder, mostBytes: number): Promise<Buffer> {
    return this.withinTime(mostBytes, async (buffer) => {
      const fd = await this.files.openOffLoop(this.files.proc(process, "exe"), O_RDONLY | O_NONBLOCK | O_NOCTTY);
      return closing(fd, async () => Buffer.from(buffer.subarray(0, await readBytes(fd, buffer, mostBytes))));
    });
  }

  /**
   * A file behind a target's root as text. Throws UntrustedFileError for everything that is not the kernel's file:
   * a FIFO, a device, a folder, a link, a file of another file system, one that is too large.
   */
  behindRoot(file: string, { device, mostBytes }: ExpectedFile): Promise<string> {
    return this.withinTime(mostBytes + 1, async (buffer) => {
      const fd = await this.files.openOffLoop(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
      return closing(fd, async () => {
        const stat = await fstat(fd);
        if (!stat.isFile() || !this.isOn(device, stat)) throw new UntrustedFileError("not a cgroup file");
        const text = await readText(fd, buffer, mostBytes + 1);
        if (text.length > mostBytes) throw new UntrustedFileError(`larger than ${mostBytes} bytes`);
        return text;
      });
    });
  }

  /** Is this a folder on that device, not reached through a link? Throws like `behindRoot`. */
  folderBehindRoot(folder: string, device: number): Promise<void> {
    return this.withinTime(0, async () => {
      const fd = await this.files.openOffLoop(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
      return closing(fd, async () => {
        if (!this.isOn(device, await fstat(fd))) throw new UntrustedFileError("not a cgroup folder");
      });
    });
  }

  /** Is one of its threads in an uninterruptible sleep (D)? Who keeps a memory lock for ever, or waits for it, mostly is. */
  private waitsInKernel(process: ProcFolder): boolean {
    const pid = Number.parseInt(String(process), 10);
    const threads = this.files.listUpTo(this.files.proc(pid, "task"), mostThreads);
    return threads.some((thread) => {
      try {
        const stat = this.files.text(this.files.proc(pid, "task", thread, "stat"));
        return stat.startsWith(") D ", stat.lastIndexOf(")")); // the name before it can hold anything
      } catch {
        return false; // ended since
      }
    });
  }

  private isOn(device: number, stat: fs.Stats): boolean {
    return this.files.isCopy || stat.dev === device;
  }

  /** Takes one of the few places, and gives it back when the work is over, however late. */
  private async withinTime<T>(bytes: number, work: (buffer: Buffer) => Promise<T>): Promise<T> {
    const place = await this.takePlace();
    return new Promise((resolve, reject) => {
      let isOver = false;
      let isLate = false;
      const timer = setTimeout(async () => {
        // a few turns of the event loop tell a target that waits from an exporter that was not given the CPU
        for (let turn = 0; turn < 3; turn++) await nextTurn();
        if (isOver) return;
        isLate = true;
        this.holdUp(1);
        reject(new TimeoutError(`no answer within ${this.seconds} s`));
      }, this.seconds * 1000);
      work(this.bufferOf(place, bytes))
        .then(resolve, reject)
        .finally(() => {
          isOver = true;
          clearTimeout(timer);
          if (isLate) this.holdUp(-1);
          this.givePlace(place);
        });
    });
  }

  private holdUp(more: 1 | -1): void {
    this.stuck += more;
    heldUpByAll += more;
    if (this.stuck === this.buffers.length) for (const refuse of this.waiting.splice(0)) refuse();
  }

  private async takePlace(): Promise<number> {
    for (;;) {
      if (this.stuck >= this.buffers.length) throw new HeldUpElsewhere();
      const place = this.free.pop();
      if (place !== undefined) return place;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private givePlace(place: number): void {
    this.free.push(place);
    this.waiting.shift()?.();
  }

  /** Each place has a buffer of its own: one that is held up may be written to at any time. */
  private bufferOf(place: number, bytes: number): Buffer {
    const known = this.buffers[place];
    if (known !== undefined && known.length >= bytes) return known;
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.buffers[place] = larger;
    return larger;
  }
}

/** Reads to the end, or to `mostBytes`: files of the kernel have no size, and may be given in several parts. */
async function readText(fd: number, buffer: Buffer, mostBytes: number): Promise<string> {
  return buffer.toString("utf8", 0, await readBytes(fd, buffer, mostBytes));
}

async function readBytes(fd: number, buffer: Buffer, mostBytes: number): Promise<number> {
  const most = Math.min(mostBytes, buffer.length);
  let length = 0;
  for (let read = -1; read !== 0 && length < most; length += read) {
    read = await readInto(fd, buffer, length, most - length);
  }
  return length;
}

function readInto(fd: number, buffer: Buffer, offset: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, buffer, offset, length, null, (error, read) => (error ? reject(error) : resolve(read)));
  });
}

function fstat(fd: number): Promise<fs.Stats> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, (error, stat) => (error ? reject(error) : resolve(stat)));
  });
}

/** Closed on the pool and waited for: a file system of the target's is asked about that too. */
async function closing<T>(fd: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await new Promise<void>((resolve) => fs.close(fd, () => resolve()));
  }
}

let heldUpByAll = 0;

/** Reads of this process that targets hold up: with any, Node.js would wait for them for ever before it ends. */
export const readsHeldUp = (): number => heldUpByAll;
