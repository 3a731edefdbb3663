// The body of a scrape. All who ask while it is fresh share it; its memory is used again for a later one, once nobody is
// still sending it. A megabyte of garbage per scrape would cost more than everything else that a scrape does.

import { promisify } from "node:util";
import zlib from "node:zlib";
import { web } from "../../catalog/defaults.ts";
import { TextBuffer } from "./text-buffer.ts";

const gzip = promisify(zlib.gzip);

/** Ends what a holder does with the text. Called when too many texts are held, because clients read too slowly. */
type Drop = () => void;

/** Of a holder that is done soon and cannot be interrupted. */
const cannotDrop: Drop = () => undefined;

export class Exposition {
  readonly buffer: TextBuffer;
  private readonly holders: Drop[] = [];
  private compressed: Promise<Buffer> | undefined;

  constructor(buffer: TextBuffer) {
    this.buffer = buffer;
  }

  /** The text, valid until `release` with the same argument. */
  hold(drop: Drop = cannotDrop): Buffer {
    this.holders.push(drop);
    return this.buffer.written();
  }

  release(drop: Drop = cannotDrop): void {
    const at = this.holders.indexOf(drop);
    if (at >= 0) this.holders.splice(at, 1);
  }

  get inUse(): boolean {
    return this.holders.length > 0;
  }

  /** Asks all holders to let go. The text stays valid until they have. */
  drop(): void {
    for (const drop of [...this.holders]) drop();
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

/** Hands out buffers, and takes back those of expositions that are over. At most so many are held at a time. */
export class Expositions {
  private readonly mostHeld: number;
  private handedOut: Exposition[] = [];

  constructor(mostHeld: number = web.heldExpositions) {
    this.mostHeld = mostHeld;
  }

  /** An empty one. The one before it must not be handed to anybody any more. */
  next(): Exposition {
    const held = this.handedOut.filter(({ inUse }) => inUse);
    const reusable = this.handedOut.find(({ inUse }) => !inUse)?.buffer ?? new TextBuffer();
    // whoever still reads the oldest one is too slow; its memory is not used again, since its holders may take a moment
    if (held.length >= this.mostHeld) held.shift()?.drop();
    reusable.clear();
    const exposition = new Exposition(reusable);
    this.handedOut = [...held, exposition];
    return exposition;
  }
}
