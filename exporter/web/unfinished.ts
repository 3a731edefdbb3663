// Large answers that are made for one client alone, and wait in memory until it has read them.

import type { ServerResponse } from "node:http";

/** Closes the connections of the oldest when there are too many, or when they are too large together. */
export class Unfinished {
  private readonly most: { answers: number; bytes: number };
  private readonly oldestFirst = new Map<ServerResponse, number>();
  private bytes = 0;

  constructor(most: { answers: number; bytes: number }) {
    this.most = most;
  }

  /** An answer that is about to be sent, and its size. One is let through however large it is. */
  add(response: ServerResponse, bytes: number): void {
    if (response.closed) return; // the client did not wait
    for (const oldest of this.oldestFirst.keys()) {
      if (this.oldestFirst.size < this.most.answers && this.bytes + bytes <= this.most.bytes) break;
      this.remove(oldest);
      oldest.destroy();
    }
    this.oldestFirst.set(response, bytes);
    this.bytes += bytes;
    response.once("close", () => this.remove(response));
  }

  private remove(response: ServerResponse): void {
    this.bytes -= this.oldestFirst.get(response) ?? 0;
    this.oldestFirst.delete(response);
  }
}
