// The body of a scrape. All who ask while it is fresh share it; its memory is used again for a later one, once nobody is
// still sending it. A megabyte of garbage per scrape would cost more than everything else that a scrape does.

import { promisify } from "node:util";
import zlib from "node:zlib";
import { TextBuffer } from "./text-buffer.ts";

const gzip = promisify(zlib.gzip);

export class Exposition {
  readonly buffer: TextBuffer;
  private holders = 0;
  private compressed: Promise<Buffer> | undefined;

  constructor(buffer: TextBuffer) {
    this.buffer = buffer;
  }

  /** The text, valid until `release`. */
  hold(): Buffer {
    this.holders++;
    return this.buffer.written();
  }

  release(): void {
    this.holders--;
  }

  get inUse(): boolean {
    return this.holders > 0;
  }

  /** The text, compressed once for all; valid for ever. Level 6 would save an eighth of the bytes for twice the time. */
  gzipped(): Promise<Buffer> {
    this.compressed ??= (async () => {
      try {
        const text = this.hold();
        return await gzip(text, { level: 1, chunkSize: chunkFor(text.length) });
      } finally {
        this.release();
      }
    })();
    return this.compressed;
  }
}

/** Room for the whole result, which is a twelfth of the text or less: then one trip to the thread pool is enough. */
const chunkFor = (length: number) => Math.max(4096, length >> 3);

/** Hands out buffers, and takes back those of expositions that are over. */
export class Expositions {
  private last: Exposition | undefined;

  /** An empty one. The one before it must not be handed to anybody any more. */
  next(): Exposition {
    const reusable = this.last !== undefined && !this.last.inUse ? this.last.buffer : new TextBuffer();
    reusable.clear();
    this.last = new Exposition(reusable);
    return this.last;
  }
}
