// A pass works in slices of about a millisecond; between them other work can run.

import { setImmediate as nextTurn } from "node:timers/promises";
import { sliceSeconds } from "../../catalog/defaults.ts";

export class Slices {
  /** Longest stretch without a pause, in seconds. */
  longest = 0;
  private start = 0;

  /** A pass begins. */
  begin(): void {
    this.longest = 0;
    this.start = performance.now();
  }

  end(): void {
    this.longest = Math.max(this.longest, (performance.now() - this.start) / 1000);
  }

  /** Lets other work run, when it is time. */
  pause(): Promise<void> | undefined {
    return performance.now() - this.start > sliceSeconds * 1000 ? this.rest() : undefined;
  }

  /** Waits for what does not run on the event loop. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.end();
    try {
      return await work();
    } finally {
      this.start = performance.now();
    }
  }

  private async rest(): Promise<void> {
    await this.aside(() => nextTurn());
  }
}
