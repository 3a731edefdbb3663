// The one clock of ages and lifetimes: seconds since boot, on which the kernel tells when processes started. The time of day is set, by
// hand or by NTP; the monotonic clock stands still while the machine sleeps. This one does neither.

import type { KernelFiles } from "../kernel/files.ts";
import { parseStat, ticksPerSecond } from "../procfs/stat.ts";
import { parseBootTime } from "../procfs/system-stat.ts";
import { parseUptime } from "../procfs/uptime.ts";

/** Both clocks of this process, in seconds: the monotonic one for distances, the other for times of day, which can jump. */
export interface Clock {
  monotonic(): number;
  unix(): number;
}

export const systemClock: Clock = {
  monotonic: () => performance.now() / 1000,
  unix: () => Date.now() / 1000,
};

/** Start times are told in hundredths, the time of boot in whole seconds. */
const slackSeconds = 1;

export class BootClock {
  private readonly files: KernelFiles;
  private readonly clock: Clock;
  /** Seconds from the monotonic clock to this one. */
  private offset: number | undefined;
  /** When we were started; what lies before it cannot be now. */
  private readonly ownStart: number;

  constructor(files: KernelFiles, clock: Clock) {
    this.files = files;
    this.clock = clock;
    this.ownStart = (this.read("self/stat", (text) => parseStat(text).startTicks) ?? 0) / ticksPerSecond;
  }

  /** Now, in seconds since boot. Asks the kernel: once per pass. */
  now(): number {
    const monotonic = this.clock.monotonic();
    const told = this.told();
    // a container's view of /proc can say its own uptime, beside start times of the machine
    if (told !== undefined && told + slackSeconds >= this.ownStart) this.offset = told - monotonic;
    this.offset ??= this.ownStart;
    return monotonic + this.offset;
  }

  /** A moment of the monotonic clock on this one. */
  at(monotonic: number): number {
    return monotonic + (this.offset ?? this.ownStart);
  }

  private told(): number | undefined {
    const uptime = this.read("uptime", parseUptime);
    if (uptime !== undefined) return uptime;
    const bootTime = this.read("stat", parseBootTime);
    return bootTime === undefined ? undefined : this.clock.unix() - bootTime;
  }

  private read<T>(file: string, parse: (text: string) => T): T | undefined {
    try {
      return parse(this.files.text(this.files.proc(file)));
    } catch {
      return undefined; // there are other ways to know
    }
  }
}
