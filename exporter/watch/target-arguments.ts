// The arguments of processes, which those can hold up: read one after the other, within the time that a pass has for it.

import { targetReads } from "../../catalog/defaults.ts";
import { failureReason, type ProcFolder, TimeoutError } from "../kernel/files.ts";
import { HeldUpElsewhere, type TargetFiles } from "../kernel/target-files.ts";
import type { Life } from "../model/life.ts";
import type { Slices } from "./slices.ts";

/** Between two looks at the clock. */
export const argumentsAtOnce = 16;

/** The arguments of a process that held up their reading are not asked for again for a while. */
const stillHeldUp = new TimeoutError("the process holds up the reading of its arguments");

export class TargetArguments {
  private readonly files: TargetFiles;
  private readonly slices: Slices;
  /** Seconds that this pass has waited for its targets beyond what is ordinary. */
  private waited = 0;

  constructor(files: TargetFiles, slices: Slices) {
    this.files = files;
    this.slices = slices;
  }

  /** A pass begins. */
  begin(): void {
    this.waited = 0;
  }

  /**
   * Of each process its arguments, or why there are none; undefined when the time of this pass is over. `now` is in seconds since boot.
   */
  async read(
    processes: readonly { folder: ProcFolder; argumentsAsideUntil?: number }[],
    now: number,
  ): Promise<(string | Error)[] | undefined> {
    if (this.waited > targetReads.secondsInPass) return undefined;
    const started = performance.now();
    const read: (string | Error)[] = [];
    await this.slices.aside(async () => {
      // one after the other: two that hold up their reading would else take both places before the first is noticed
      for (const { folder, argumentsAsideUntil = now } of processes) {
        if (now < argumentsAsideUntil) read.push(stillHeldUp);
        else read.push(await this.files.cmdline(folder).catch((error: Error) => error));
      }
    });
    const seconds = (performance.now() - started) / 1000;
    this.waited += Math.max(0, seconds - argumentsAtOnce * targetReads.ordinarySeconds);
    return read;
  }

  /** They were not read: when they are tried again. False where they were not tried now. */
  static putAside(life: Life, error: Error, now: number): boolean {
    if (error === stillHeldUp) return false;
    life.refreshAt = now + targetReads.againSeconds;
    if (failureReason(error) === "timeout" && !(error instanceof HeldUpElsewhere)) {
      // the first time it may have been a busy machine
      life.argumentsAsideUntil = now + (life.heldUp ? targetReads.asideSeconds : targetReads.againSeconds);
      life.heldUp = true;
    }
    return true;
  }
}
