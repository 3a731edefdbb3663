// The columns of the corpus.
//   t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second
//   60630,560865280,6895034368,60630,5.8e+02

import zlib from "node:zlib";
import type { Row } from "./simulate.ts";

/** Bytes. */
export interface Limits {
  limit: number;
  /** Of the runtime's heap; a column more, where there is one. */
  heapLimit?: number;
}

const header = "t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second";

export function csv(rows: readonly Row[], { limit, heapLimit }: Limits): string {
  const lastField = heapLimit === undefined ? "" : `,${heapLimit}`;
  const lines = rows.map(
    ({ time, resident, startTime, requests }) =>
      `${time},${resident},${limit},${startTime},${twoDigits(requests)}${lastField}\n`,
  );
  return `${header}${heapLimit === undefined ? "" : ",heap_limit_bytes"}\n${lines.join("")}`;
}

/** The same bytes each time: Node writes no time into the gzip header. */
export function csvGz(rows: readonly Row[], limits: Limits): Buffer {
  return zlib.gzipSync(csv(rows, limits), { level: 6 });
}

/** As C's %.2g. */
export function twoDigits(value: number): string {
  const [digits = "", exponent] = value.toPrecision(2).split("e");
  const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  if (exponent === undefined) return short;
  return `${short}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
