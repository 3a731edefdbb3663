// /tmp/hsperfdata_<user>/<pid>: counters that a JVM (HotSpot) writes into a file of 32 KiB while it runs. After a head of 32 bytes there is one entry
// for each counter: its length, where its name is, how many elements it has, its type, and where its value is.
//   sun.gc.generation.1.space.0.used=5731784
// jdk.internal.jvmstat in OpenJDK reads the same: https://openjdk.org/groups/hotspot/docs/RuntimeOverview.html

import { FormatError } from "../../kernel/files.ts";

/** Numbers and texts by name. Throws FormatError. */
export function parseHsperfdata(file: Buffer): Map<string, number | string> {
  if (file.length < headLength || file.readUInt32BE(0) !== 0xcafec0c0) throw new FormatError("not a file of a JVM");
  const isLittle = file[4] === 1;
  const int = (at: number) => (isLittle ? file.readInt32LE(at) : file.readInt32BE(at));
  const long = (at: number) => Number(isLittle ? file.readBigInt64LE(at) : file.readBigInt64BE(at));
  const counters = new Map<string, number | string>();
  const count = int(28);
  for (let at = int(24), i = 0; i < count && at >= headLength && at + 20 <= file.length; i++) {
    const length = int(at);
    const entry = file.subarray(at, at + length);
    if (length < 20 || entry.length < length) break; // it is being written
    const [nameAt, elements, valueAt] = [int(at + 4), int(at + 8), int(at + 16)];
    const type = String.fromCharCode(entry[12] as number);
    const name = textAt(entry, nameAt, length);
    if (elements === 0 && type === "J" && valueAt >= 20 && valueAt + 8 <= length)
      counters.set(name, long(at + valueAt));
    else if (type === "B" && valueAt >= 20) counters.set(name, textAt(entry, valueAt, valueAt + elements));
    at += length;
  }
  return counters;
}

const headLength = 32;

function textAt(entry: Buffer, from: number, most: number): string {
  const end = entry.indexOf(0, from);
  return entry.toString("utf8", from, end < 0 ? most : Math.min(end, most));
}
