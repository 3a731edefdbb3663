// The file in which the exporter keeps what it knows: gzip, one JSON value a line. The first says what it is and the last how many lines
// there are, so that a torn file is told from a whole one; gzip's own checksum tells a damaged one.
//   {"leakwatch":"state","version":1,"boot":"5e0b…","savedAt":1790000000,"sinceBoot":86400.5}
//   {"group":"api", …}
//   {"slot":0,"group":"api", …}
//   {"lines":3}

import { once } from "node:events";
import fs from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import readline from "node:readline";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";

export const stateFileName = "leakwatch.state.gz";
const version = 1;
/** Of one line, unpacked: a process takes some 14 KiB. */
const longestLine = 4 * 1024 * 1024;
/** Of all of it: 20,000 processes. */
const mostBytes = 1024 * 1024 * 1024;

export interface Header {
  /** Which boot of which machine the times are about: /proc/sys/kernel/random/boot_id. */
  readonly boot: string;
  /** Unix time, and seconds since that boot. */
  readonly savedAt: number;
  readonly sinceBoot: number;
}

/** The file cannot be used; the message says why. */
export class StateFileError extends Error {
  override readonly name = "StateFileError";
  /** What is appended to the file's name when it is set aside. */
  readonly aside: "damaged" | "newer";

  constructor(message: string, aside: "damaged" | "newer", options?: ErrorOptions) {
    super(message, options);
    this.aside = aside;
  }
}

/** Writes the file beside the old one, and puts it in its place when it is whole. */
export async function writeStateFile(
  folder: string,
  header: Header,
  lines: AsyncIterable<object> | Iterable<object>,
): Promise<void> {
  const target = path.join(folder, stateFileName);
  const draft = `${target}.tmp`; // one name: what a kill leaves behind is overwritten by the next
  const gzip = zlib.createGzip({ level: 1 });
  const written = pipeline(gzip, fs.createWriteStream(draft, { mode: 0o600 }));
  written.catch(() => undefined); // told where it is awaited
  try {
    let count = 1;
    const put = async (value: object) => {
      if (!gzip.write(`${JSON.stringify(value)}\n`)) await Promise.race([once(gzip, "drain"), written]);
    };
    await put({ leakwatch: "state", version, ...header });
    for await (const line of lines) {
      await put(line);
      count++;
    }
    await put({ lines: count });
    gzip.end();
    await written;
    await sync(draft);
    await rename(draft, target);
  } catch (error) {
    gzip.destroy();
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** On the disk, before it takes the place of the old one. */
async function sync(name: string): Promise<void> {
  const file = await open(name, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Reads the file, header first. Undefined where there is none. Throws StateFileError when it is torn, damaged or of a newer version, and
 * nothing of it must be used then: what was handed out before comes to nothing.
 */
export async function readStateFile(
  folder: string,
  take: { header(header: Header): boolean; line(line: Record<string, unknown>): void },
): Promise<Header | undefined> {
  const file = path.join(folder, stateFileName);
  if (!fs.existsSync(file)) return undefined;
  const unpacked = new PassThrough();
  const source = pipeline(fs.createReadStream(file), zlib.createGunzip(), bounded(), unpacked);
  source.catch((error) => unpacked.destroy(error));
  let header: Header | undefined;
  let count = 0;
  let isWhole = false;
  try {
    for await (const text of readline.createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (isWhole) throw new StateFileError("goes on after its end", "damaged");
      const line = JSON.parse(text) as Record<string, unknown>;
      count++;
      if (header === undefined) {
        header = headerOf(line);
        if (!take.header(header)) {
          unpacked.destroy();
          return header;
        }
      } else if (typeof line["lines"] === "number") isWhole = line["lines"] === count - 1;
      else take.line(line);
    }
    await source;
  } catch (error) {
    if (error instanceof StateFileError) throw error;
    throw new StateFileError((error as Error).message, "damaged", { cause: error });
  } finally {
    unpacked.destroy();
  }
  if (!isWhole) throw new StateFileError("ends too soon", "damaged");
  return header;
}

/** Sets a file that cannot be used aside, so that the next one does not take its place. Returns its new name. */
export function setAside(folder: string, why: "damaged" | "newer"): string {
  const from = path.join(folder, stateFileName);
  const to = `${from}.${why}`;
  fs.renameSync(from, to);
  return to;
}

function headerOf(line: Record<string, unknown>): Header {
  if (line["leakwatch"] !== "state" || typeof line["version"] !== "number") {
    throw new StateFileError("is not a state file of leakwatch", "damaged");
  }
  if (line["version"] > version) {
    throw new StateFileError(
      `was written by a newer leakwatch (version ${line["version"]} of the file, this is ${version})`,
      "newer",
    );
  }
  const { boot, savedAt, sinceBoot } = line;
  if (typeof boot !== "string" || typeof savedAt !== "number" || typeof sinceBoot !== "number") {
    throw new StateFileError("lacks the time at which it was written", "damaged");
  }
  return { boot, savedAt, sinceBoot };
}

/** A few kilobytes could become gigabytes. */
async function* boundedBytes(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  let sinceLine = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    const lastLine = chunk.lastIndexOf(10);
    sinceLine = lastLine < 0 ? sinceLine + chunk.length : chunk.length - lastLine;
    if (bytes > mostBytes || sinceLine > longestLine) throw new StateFileError("is too large", "damaged");
    yield chunk;
  }
}

const bounded = () => boundedBytes;
