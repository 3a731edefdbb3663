// Reads the recordings in this folder.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import type { End, Label } from "./labels.ts";

export type { End, Label };

/** One process after another in one place. Arrays have one entry per sample, oldest first. */
export interface RecordedSlot {
  /** Seconds since the recording began. */
  times: Float64Array;
  /** Of the life that the sample belongs to, on the same clock. */
  startTime: Float64Array;
  /** Bytes; VmRSS. */
  resident: Float64Array;
  /** Bytes that cannot be given back: anonymous, shared and swapped. */
  unreclaimable: Float64Array;
}

export interface Recording {
  label: Label;
  slots: RecordedSlot[];
}

/** All of them, in the order of services.ts. */
export function readRecordings(folder = import.meta.dirname): Recording[] {
  const { recordings } = JSON.parse(fs.readFileSync(path.join(folder, "labels.json"), "utf8")) as {
    recordings: Label[];
  };
  return recordings.map((label) => ({
    label,
    slots: label.files.map((file) => readSlot(path.join(folder, "traces", file))),
  }));
}

function readSlot(file: string): RecordedSlot {
  const [, ...lines] = zlib.gunzipSync(fs.readFileSync(file)).toString("utf8").trimEnd().split("\n");
  const rows = lines.map((line) => line.split(",").map(Number));
  const column = (value: (row: number[]) => number) => Float64Array.from(rows, value);
  return {
    times: column(([time = Number.NaN]) => time),
    startTime: column(([, startTime = Number.NaN]) => startTime),
    resident: column(([, , resident = Number.NaN]) => resident * 1024),
    unreclaimable: column(
      ([, , , anon = Number.NaN, shmem = Number.NaN, swap = Number.NaN]) => (anon + shmem + swap) * 1024,
    ),
  };
}
