// The columns of the corpus.
//   t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second
//   60630,560865280,6895034368,60630,5.8e+02

import zlib from "node:zlib";
import type { Row } from "./simulate.ts";

const header = "t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second\n";

/** `limit` is in bytes. */
export function csv(rows: readonly Row[], limit: number): string {
  const lines = rows.map(
    ({ time, resident, startTime, requests }) => `${time},${resident},${limit},${startTime},${twoDigits(requests)}\n`,
  );
  return header + lines.join("");
}

/** The same bytes each time: Node writes no time into the gzip header. */
export function csvGz(rows: readonly Row[], limit: number): Buffer {
  return zlib.gzipSync(csv(rows, limit), { level: 6 });
}

/** As C's %.2g. */
export function twoDigits(value: number): string {
  const [digits = "", exponent] = value.toPrecision(2).split("e");
  const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  if (exponent === undefined) return short;
  return `${short}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
