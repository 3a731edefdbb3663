import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHsperfdata } from "../../../exporter/detect/live/hsperfdata.ts";
import { FormatError } from "../../../exporter/kernel/files.ts";

/** A file as a JVM on a little-endian machine writes it. */
function fileOf(counters: Record<string, number | string>): Buffer {
  const entries = Object.entries(counters).map(([name, value]) => {
    const isText = typeof value === "string";
    const nameLength = Math.ceil((name.length + 1) / 8) * 8;
    const bytes = isText ? Buffer.from(`${value}\0`) : Buffer.alloc(8);
    if (!isText) bytes.writeBigInt64LE(BigInt(value));
    const entry = Buffer.alloc(24 + nameLength + Math.ceil(bytes.length / 8) * 8);
    for (const [i, field] of [entry.length, 24, isText ? bytes.length : 0].entries()) entry.writeInt32LE(field, 4 * i);
    entry.write(isText ? "B" : "J", 12);
    entry.writeInt32LE(24 + nameLength, 16);
    entry.write(name, 24);
    bytes.copy(entry, 24 + nameLength);
    return entry;
  });
  const head = Buffer.from("cafec0c001020001".padEnd(64, "0"), "hex");
  head.writeInt32LE(32, 24);
  head.writeInt32LE(entries.length, 28);
  return Buffer.concat([head, ...entries]);
}

const file = fileOf({ "sun.gc.policy.name": "Copy:MSC", "sun.gc.metaspace.used": 9_516_400, empty: "" });

describe("parseHsperfdata", () => {
  test("reads numbers and texts", () => {
    expect(Object.fromEntries(parseHsperfdata(file))).toEqual({
      "sun.gc.policy.name": "Copy:MSC",
      "sun.gc.metaspace.used": 9_516_400,
      empty: "",
    });
  });

  test("reads what is there of a file that is cut short, at any length", () => {
    for (let length = 32; length < file.length; length++) {
      expect(parseHsperfdata(file.subarray(0, length)).size).toBeLessThan(3);
    }
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["another file", Buffer.alloc(64)],
  ])("rejects %s", (_, text) => {
    expect(() => parseHsperfdata(text)).toThrow(FormatError);
  });

  test("ends on every file, whatever is written into it", () => {
    const damage = fc.array(fc.tuple(fc.nat(file.length - 33), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(file);
        for (const [at, byte] of changes) damaged[24 + at] = byte;
        return parseHsperfdata(damaged).size <= file.length / 20;
      }),
      { numRuns: 2000 },
    );
  });
});
