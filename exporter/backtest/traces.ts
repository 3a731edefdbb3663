// Recorded memory of processes: `<id>.csv`, or `<id>.w<slot>.csv` for each process of a service, plain or as .csv.gz.
//   t_seconds,rss_bytes,limit_bytes,start_time_seconds
//   0,322961408,1073741824,-3600
// docs/backtest.md has the columns. Only the time and one of the memory columns must be there.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { MiB } from "../../catalog/defaults.ts";
import { CommandError } from "../terminal/command-error.ts";
import { humanBytes } from "../text/human.ts";
import { Lives } from "./lives.ts";

/** One process. Arrays have one entry per sample, oldest first; a missing row is a missing sample. */
export interface Member {
  readonly slot: number;
  /** Seconds on the trace's own clock. */
  readonly times: Float64Array;
  /** What is judged, in bytes: memory that cannot be given back where the file has it, resident memory otherwise. */
  readonly resident: Float64Array;
  /** Bytes; NaN where there is none. */
  readonly limit: Float64Array;
  /** Start of the life that the sample belongs to, in seconds on the same clock; NaN where it is not known. */
  readonly startTime: Float64Array;
  /** What the runtime allows itself, in bytes; NaN where it is not known. */
  readonly heapLimit?: Float64Array;
}

export interface Trace {
  readonly id: string;
  readonly members: readonly Member[];
}

/** What a file lacks, for the report. */
export interface TraceGaps {
  /** Rows without a value of memory. */
  empty: number;
  /** Samples of 0 bytes: a process that is just exiting. */
  zero: number;
  /** Files without start times, whose restarts rest on falls of memory, and how many were seen. */
  withoutStart: number;
  falls: number;
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

/** Columns that are read; of those with several names the first that the file has counts. */
const columnNames = {
  time: ["t_seconds"],
  memory: ["judged_bytes", "anon_bytes", "rss_bytes"],
  limit: ["limit_bytes"],
  startTime: ["start_time_seconds"],
  heapLimit: ["heap_limit_bytes"],
} as const;
type Column = keyof typeof columnNames;

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

/** A trace as it was read, and what its files lack. */
export interface ReadTrace extends Trace {
  readonly gaps: TraceGaps;
}

/** Throws TraceError. */
export function readTrace({ id, files }: { id: string; files: readonly { file: string; slot: number }[] }): ReadTrace {
  const gaps = { empty: 0, zero: 0, withoutStart: 0, falls: 0 };
  return { id, members: files.map(({ file, slot }) => ({ slot, ...readMember(file, gaps) })), gaps };
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

function readMember(file: string, gaps: TraceGaps): Omit<Member, "slot"> {
  const lines = textOf(file)
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .split(/\r?\n/);
  const header = (lines[0] ?? "").split(",").map((name) => name.trim());
  const at = placesOf(file, header, lines[0] ?? "");
  const rows = new Rows(lines.length - 1);
  let before = Number.NEGATIVE_INFINITY;
  for (let row = 1; row < lines.length; row++) {
    const where = `${file}:${row + 1}`;
    const fields = (lines[row] as string).split(",");
    if (fields.length < header.length) {
      throw new TraceError(`${where}: expected ${header.length} fields, got ${fields.length}`);
    }
    const read = (column: Column) => numberOf(where, header[at[column] ?? -1] ?? "", fields[at[column] ?? -1]);
    const time = read("time");
    if (!Number.isFinite(time))
      throw new TraceError(`${where}: t_seconds: expected a number, got "${fields[at.time as number]}"`);
    if (time <= before)
      throw new TraceError(`${where}: t_seconds must rise from row to row: ${time} comes after ${before}`);
    before = time;
    const bytes = read("memory");
    if (Number.isNaN(bytes)) gaps.empty++;
    else if (bytes === 0) gaps.zero++;
    else rows.add(time, bytes, positive(read("limit")), read("startTime"), positive(read("heapLimit")));
  }
  const member = rows.end(at.heapLimit !== undefined);
  return at.startTime === undefined ? { ...member, startTime: guessedStarts(member, gaps) } : member;
}

/** Where each column stands; undefined for one that the file does not have. */
function placesOf(file: string, header: readonly string[], line: string): Record<Column, number | undefined> {
  const placeOf = (column: Column) => {
    const name = columnNames[column].find((known) => header.includes(known));
    return name === undefined ? undefined : header.indexOf(name);
  };
  for (const column of ["time", "memory"] as const) {
    if (placeOf(column) !== undefined) continue;
    throw new TraceError(`${file}:1: no column ${columnNames[column].at(-1)}, got ${line.slice(0, 100)}`);
  }
  return {
    time: placeOf("time"),
    memory: placeOf("memory"),
    limit: placeOf("limit"),
    startTime: placeOf("startTime"),
    heapLimit: placeOf("heapLimit"),
  };
}

/** NaN for what is empty, or written so: a value that is missing. */
function numberOf(where: string, column: string, text: string | undefined): number {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "" || /^nan$/i.test(trimmed)) return Number.NaN;
  const value = Number(trimmed);
  const isBytes = column.endsWith("_bytes");
  if (Number.isNaN(value) || (isBytes && (value < 0 || (column !== "limit_bytes" && !Number.isFinite(value))))) {
    throw new TraceError(`${where}: ${column}: expected a number${isBytes ? " of bytes" : ""}, got "${text}"`);
  }
  return value;
}

/** A limit of 0, or without end, is how some write that there is none. */
const positive = (bytes: number) => (bytes > 0 && Number.isFinite(bytes) ? bytes : Number.NaN);

/** Rows of a file, as far as they have a sample. */
class Rows {
  private readonly columns: readonly Float64Array[];
  private count = 0;

  constructor(most: number) {
    this.columns = Array.from({ length: 5 }, () => new Float64Array(most));
  }

  add(...values: readonly [time: number, bytes: number, limit: number, startTime: number, heapLimit: number]): void {
    for (const [i, value] of values.entries()) (this.columns[i] as Float64Array)[this.count] = value;
    this.count++;
  }

  end(hasHeapLimit: boolean): Omit<Member, "slot"> {
    const [times, resident, limit, startTime, heapLimit] = this.columns.map((column) =>
      column.slice(0, this.count),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    return { times, resident, limit, startTime, ...(hasHeapLimit ? { heapLimit } : {}) };
  }
}

/** A file without start times: a life begins where most of the memory is gone at once. */
function guessedStarts({ times, resident }: Omit<Member, "slot">, gaps: TraceGaps): Float64Array {
  const lives = new Lives("none");
  const starts = times.map((time, i) =>
    lives.add({ time, bytes: resident[i] as number, startTime: Number.NaN, label: "" }),
  );
  gaps.withoutStart++;
  gaps.falls += lives.evidence.falls;
  return starts;
}
