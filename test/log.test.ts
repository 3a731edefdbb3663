import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sizes } from "../catalog/defaults.ts";
import { createLogger, type LogFormat, type LogLevel, logLevels } from "../exporter/log.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "./support/hostile-text.ts";

const formats: readonly LogFormat[] = ["logfmt", "json"];

/** The lines that a logger writes. */
function logged(format: LogFormat, use: (log: ReturnType<typeof createLogger>) => void, level: LogLevel = "debug") {
  const lines: string[] = [];
  use(createLogger(level, format, (line) => lines.push(line)));
  return lines;
}

/** The one line without its time. */
const logfmt = (use: (log: ReturnType<typeof createLogger>) => void) =>
  logged("logfmt", use).map((line) => line.replace(/^time=\S+ /, "").trimEnd());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 28, 7, 49, 27) });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a line", () => {
  test("of logfmt has time, level and message first, then the fields in their order", () => {
    expect(
      logged("logfmt", (log) => log.info("listening", { address: "127.0.0.1:9847", tls: false, port: 9847 })),
    ).toEqual(["time=2026-11-28T07:49:27.000Z level=info msg=listening address=127.0.0.1:9847 tls=false port=9847\n"]);
  });

  test("of JSON is one object, whose numbers and booleans are such", () => {
    const [line = ""] = logged("json", (log) => log.warn("slow", { seconds: 1.5, ok: false, of: "a b" }));
    expect(line.endsWith("\n")).toBe(true);
    expect(JSON.parse(line)).toEqual({
      time: "2026-11-28T07:49:27.000Z",
      level: "warn",
      msg: "slow",
      seconds: 1.5,
      ok: false,
      of: "a b",
    });
  });

  test.each(formats)("of %s leaves out fields that are not known", (format) => {
    const [line] = logged(format, (log) => log.info("x", { a: undefined, b: 1 }));
    expect(line).not.toMatch(/undefined|a[=":]/);
  });

  test.each([
    ["a plain word", "node", "node"],
    ["an empty text", "", '""'],
    ["a blank", "a b", '"a b"'],
    ["an equals sign", "a=b", '"a=b"'],
    ["a quote", 'a"b', '"a\\"b"'],
    ["a blank that does not break", "a\u00a0b", '"a\u00a0b"'],
    ["a backslash", "a\\b", "a\\b"],
    ["a backslash in quotes", "a \\b", '"a \\\\b"'],
    ["another script", "größe", "größe"],
  ])("of logfmt quotes where it must: %s", (_, value, written) => {
    expect(logfmt((log) => log.info("x", { of: value }))).toEqual([`level=info msg=x of=${written}`]);
  });
});

describe("levels", () => {
  const all = (log: ReturnType<typeof createLogger>) => {
    for (const level of logLevels) log[level](level);
  };

  test.each<[LogLevel, number]>([
    ["debug", 4],
    ["info", 3],
    ["warn", 2],
    ["error", 1],
  ])("%s and what is worse", (level, count) => {
    const lines = logged("json", all, level);
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(logLevels.slice(-count));
  });
});

describe("what a target says of itself", () => {
  const acting = [
    ["an escape character", "\u001b[2J\u001b[31m", "\\x1b[2J\\x1b[31m"],
    ["ANSI's introducer in one byte", "\u009b2J", "\\x9b2J"],
    ["a newline and a line of its own", "x\nlevel=error", "x\\x0alevel=error"],
    ["a carriage return", "x\rlevel=error", "x\\x0dlevel=error"],
    ["a NUL", "x\0y", "x\\x00y"],
    ["a mark that turns the writing around", "x\u202egnp", "x\\u202egnp"],
    ["an isolate", "x\u2067y", "x\\u2067y"],
    ["a separator of lines", "x\u2028y", "x\\u2028y"],
    ["a separator of paragraphs", "x\u2029y", "x\\u2029y"],
    ["a next line", "x\u0085y", "x\\x85y"],
    ["a blank without width", "x\u200by", "x\\u200by"],
    ["half of a character", "x\ud83dy", "x\\ud83dy"],
  ] as const;

  test.each(acting)("is written out in a field: %s", (_, text, shown) => {
    const [line = ""] = logged("json", (log) => log.warn("x", { of: text }));
    expect(JSON.parse(line).of).toBe(shown);
    const quoted = shown.includes("=") ? JSON.stringify(shown) : shown;
    expect(logfmt((log) => log.warn("x", { of: text }))).toEqual([`level=warn msg=x of=${quoted}`]);
  });

  test.each(acting)("is written out in the message: %s", (_, text, shown) => {
    const [line = ""] = logged("json", (log) => log.warn(text));
    expect(JSON.parse(line).msg).toBe(shown);
    const quoted = shown.includes("=") ? JSON.stringify(shown) : shown;
    expect(logfmt((log) => log.warn(text))).toEqual([`level=warn msg=${quoted}`]);
  });

  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 2000 }),
    fc
      .array(fc.constantFrom("\u001b", "\n", "\u2028", '"', "\\", "=", " ", "\ud83d", "a"), { maxLength: 2000 })
      .map((all) => all.join("")),
  );

  test.each(formats)("never acts on a terminal or breaks a line of %s, and is bounded", (format) => {
    fc.assert(
      fc.property(anyText, anyText, (message, value) => {
        const lines = logged(format, (log) => log.info(message, { of: value, other: value }));
        expect(lines).toHaveLength(1);
        const line = lines[0]?.slice(0, -1) ?? "";
        expect(lines[0]?.at(-1)).toBe("\n");
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u);
        // quotes and backslashes are written as two
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(3 * 2 * sizes.logField + 200);
        if (format === "json") expect(Object.keys(JSON.parse(line))).toEqual(["time", "level", "msg", "of", "other"]);
      }),
    );
  });

  test.each(formats)("is cut in a line of %s, with a mark", (format) => {
    const [line = ""] = logged(format, (log) => log.info("m".repeat(100_000), { of: "f".repeat(100_000) }));
    expect(line.match(/m{1000,}…/)?.[0]).toHaveLength(sizes.logField - 2); // the mark takes three bytes
    expect(line.match(/f{1000,}…/)?.[0]).toHaveLength(sizes.logField - 2);
  });

  test("cannot pose as a field of logfmt", () => {
    const [line] = logfmt((log) => log.info("x", { of: 'a" level=error msg="y' }));
    expect(line).toBe('level=info msg=x of="a\\" level=error msg=\\"y"');
  });

  test.each(hostileTexts)("takes no time to write: %j", (_, text) => {
    for (const format of formats) {
      expect(cpuSeconds(() => logged(format, (log) => log.info(text, { of: text })))).toBeLessThan(mostCpuSeconds);
    }
  });
});
