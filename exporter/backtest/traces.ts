// Recorded memory of processes: `<id>.csv`, or `<id>.w<slot>.csv` for each process of a group, plain or as .csv.gz.
//   t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second
//   0,322961408,1073741824,-3600,12.5

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { MiB } from "../../catalog/defaults.ts";
import { CommandError } from "../terminal/command-error.ts";
import { humanBytes } from "../text/human.ts";

/** One process. Arrays have one entry per sample, oldest first; a missing row is a missing sample. */
export interface Member {
  readonly slot: number;
  /** Seconds on the trace's own clock. */
  readonly times: Float64Array;
  /** Bytes. */
  readonly resident: Float64Array;
  readonly limit: Float64Array;
  /** Start of the life that the sample belongs to, in seconds on the same clock. */
  readonly startTime: Float64Array;
}

export interface Trace {
  readonly id: string;
  readonly members: readonly Member[];
}

/** A folder of traces cannot be used; the message names the file and the line. */
export class TraceError extends CommandError {
  override readonly name = "TraceError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, 2, options);
  }
}

const fileName = /^(.+?)(?:\.w(\d+))?\.csv(\.gz)?$/s;
/** Of a file, unpacked: a few hundred bytes can become gigabytes. Some five million rows. */
const largestFile = 256 * MiB;
const columns = ["t_seconds", "rss_bytes", "limit_bytes", "start_time_seconds"] as const;

/** Ids of the traces in a folder, with their files. Throws TraceError when there are none. */
export function listTraces(folder: string): { id: string; files: { file: string; slot: number }[] }[] {
  let names: string[];
  try {
    names = fs.readdirSync(folder);
  } catch (error) {
    throw new TraceError(`${folder}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const traces = new Map<string, { file: string; slot: number }[]>();
  for (const name of names.sort()) {
    const [, id, slot] = fileName.exec(name) ?? [];
    if (id === undefined) continue;
    const files = traces.get(id) ?? [];
    const one = { file: path.join(folder, name), slot: Number(slot ?? 0) };
    const other = files.find((known) => known.slot === one.slot);
    if (other !== undefined) throw new TraceError(`${one.file}: ${other.file} is slot ${one.slot} of this trace too`);
    traces.set(id, [...files, one]);
  }
  if (traces.size === 0) throw new TraceError(`${folder}: no files named <id>.csv or <id>.csv.gz`);
  return [...traces].map(([id, files]) => ({ id, files }));
}

export function readTrace({ id, files }: { id: string; files: readonly { file: string; slot: number }[] }): Trace {
  return { id, members: files.map(({ file, slot }) => ({ slot, ...readMember(file) })) };
}

function textOf(file: string): string {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    throw new TraceError(`${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const tooLarge = `${file}: larger than ${humanBytes(largestFile)}`;
  if (bytes.length > largestFile) throw new TraceError(tooLarge);
  if (!file.endsWith(".gz")) return bytes.toString("utf8");
  try {
    return zlib.gunzipSync(bytes, { maxOutputLength: largestFile }).toString("utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new TraceError(`${tooLarge} when unpacked`);
    throw new TraceError(`${file}: not a gzip file: ${message}`, { cause: error });
  }
}

function readMember(file: string): Omit<Member, "slot"> {
  const lines = textOf(file).trimEnd().split(/\r?\n/);
  const header = (lines[0] ?? "").split(",");
  const at = columns.map((column) => {
    const index = header.indexOf(column);
    if (index < 0) throw new TraceError(`${file}:1: no column ${column}, got ${lines[0]?.slice(0, 100)}`);
    return index;
  });
  const arrays = columns.map(() => new Float64Array(lines.length - 1));
  for (let row = 1; row < lines.length; row++) {
    const fields = (lines[row] as string).split(",");
    for (const [i, index] of at.entries()) {
      const text = fields[index];
      const value = text === undefined || text === "" ? Number.NaN : Number(text);
      // without a limit the column may be empty; everything else must be known
      if (Number.isNaN(value) && columns[i] !== "limit_bytes") {
        throw new TraceError(`${file}:${row + 1}: ${columns[i]}: expected a number, got "${text ?? ""}"`);
      }
      (arrays[i] as Float64Array)[row - 1] = value;
    }
    if (row > 1 && (arrays[0]?.[row - 1] as number) <= (arrays[0]?.[row - 2] as number)) {
      throw new TraceError(`${file}:${row + 1}: t_seconds must rise from row to row`);
    }
  }
  const [times, resident, limit, startTime] = arrays as [Float64Array, Float64Array, Float64Array, Float64Array];
  // a limit of 0 is how some write that there is none
  return { times, resident, limit: limit.map((bytes) => (bytes > 0 ? bytes : Number.NaN)), startTime };
}
