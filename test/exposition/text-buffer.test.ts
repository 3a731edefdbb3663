import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatNumber, TextBuffer } from "../../exporter/exposition/text-buffer.ts";

const bytes = (text: string) => Buffer.from(text);

/** The number as the buffer writes it in a series. */
function written(value: number): string {
  const buffer = new TextBuffer(16);
  buffer.series(bytes("m"), bytes("{}"), value);
  return /^m\{\} (.*)\n$/s.exec(buffer.written().toString())?.[1] ?? "not a series";
}

describe("numbers", () => {
  test("whole ones have the digits that String gives them", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(written(n)).toBe(String(n));
      }),
    );
  });

  // 2^32 is where the digits are found another way; powers of ten are where a number gets one more
  test.each([
    0,
    9,
    10,
    99_999,
    100_000,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + 1,
    10 ** 15 - 1,
    10 ** 15,
    Number.MAX_SAFE_INTEGER,
  ])("%d", (n) => {
    expect(written(n)).toBe(String(n));
  });

  test("all others have the shortest form that reads back as the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(written(n)).toBe(String(n));
        expect(Number(written(n))).toBe(n === 0 ? 0 : n); // "-0" is written as 0
      }),
    );
  });

  test.each([
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [0.1 + 0.2, "0.30000000000000004"],
    [1e21, "1e+21"],
    [1_795_214_492.58, "1795214492.58"],
  ])("%d is written as Prometheus reads it", (n, text) => {
    expect(written(n)).toBe(text);
    expect(formatNumber(n)).toBe(text);
  });
});

describe("growth", () => {
  test("keeps everything that was written, whatever the first capacity", () => {
    const part = fc.oneof(
      fc.string({ unit: "grapheme" }).map((text) => ({ text, write: (to: TextBuffer) => to.text(text) })),
      fc.string().map((text) => ({ text, write: (to: TextBuffer) => to.raw(bytes(text)) })),
      fc.tuple(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })).map(([head, n]) => ({
        text: `${head}{} ${n}\n`,
        write: (to: TextBuffer) => to.series(bytes(head), bytes("{}"), n),
      })),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 200 }), fc.nat(64), (parts, capacity) => {
        const buffer = new TextBuffer(capacity);
        for (const { write } of parts) write(buffer);
        expect(buffer.written().toString()).toBe(parts.map(({ text }) => text).join(""));
      }),
    );
  });

  test("clear starts anew in the same memory", () => {
    const buffer = new TextBuffer(16);
    buffer.text("x".repeat(1000));
    const before = buffer.written();
    buffer.clear();
    expect(buffer.written().length).toBe(0);
    buffer.text("short");
    expect(buffer.written().toString()).toBe("short");
    expect(buffer.written().buffer).toBe(before.buffer);
  });
});
