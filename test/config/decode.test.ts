// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${word} is the configuration's own notation
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GiB, KiB, MiB } from "../../catalog/defaults.ts";
import { decodeConfig } from "../../exporter/config/config.ts";
import {
  anchoredPattern,
  byteSize,
  DecodeError,
  type Decoder,
  duration,
  listOf,
  mapping,
  oneOf,
  showPath,
  text,
  wholeNumber,
  yesOrNo,
} from "../../exporter/config/decode.ts";

/** What a decoder complains of. */
function complaint(decode: Decoder<unknown>, value: unknown): { path: string; message: string } {
  try {
    decode(value, []);
  } catch (error) {
    if (error instanceof DecodeError) return { path: showPath(error.path), message: error.message };
    throw error;
  }
  throw new Error(`${JSON.stringify(value)} was accepted`);
}

describe("duration", () => {
  test.each([
    ["5s", 5],
    ["500ms", 0.5],
    ["1m30s", 90],
    ["2h", 7200],
    ["1d12h", 36 * 3600],
    ["1.5h", 5400],
    ["0s", 0],
  ])("%s", (written, seconds) => {
    expect(duration(written, [])).toBe(seconds);
  });

  test.each([
    ["a bare number", 5, "5"],
    ["a bare number as text", "5", '"5"'],
    ["no text", "", '""'],
    ["a blank", "5 s", '"5 s"'],
    ["an unknown unit", "5w", '"5w"'],
    ["a capital", "5S", '"5S"'],
    ["a minus", "-5s", '"-5s"'],
    ["something behind it", "5s!", '"5s!"'],
    ["something between", "1h+5s", '"1h+5s"'],
    ["nothing at all", undefined, "nothing"],
    ["an empty value", null, "an empty value"],
    ["a list", ["5s"], "a list"],
    ["a mapping", { s: 5 }, "a mapping"],
  ])("rejects %s", (_, value, shown) => {
    expect(complaint(duration, value).message).toBe(`expected a duration such as 5s or 1m30s, got ${shown}`);
  });

  test("adds its parts up", () => {
    const part = fc.tuple(fc.nat({ max: 999 }), fc.constantFrom(["s", 1], ["m", 60], ["h", 3600], ["d", 86_400]));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const written = parts.map(([n, [unit]]) => `${n}${unit}`).join("");
        expect(duration(written, [])).toBe(parts.reduce((sum, [n, [, seconds]]) => sum + n * Number(seconds), 0));
      }),
    );
  });
});

describe("byteSize", () => {
  test.each([
    ["512MiB", 512 * MiB],
    ["512Mi", 512 * MiB],
    ["512 MiB", 512 * MiB],
    ["1.5GiB", 1.5 * GiB],
    ["4Ki", 4 * KiB],
    ["64k", 64_000],
    ["64kB", 64_000],
    ["200M", 200e6],
    ["1GB", 1e9],
    ["100B", 100],
    ["100", 100],
    [1024, 1024],
  ])("%s", (written, bytes) => {
    expect(byteSize(written, [])).toBe(bytes);
  });

  test.each([
    ["nothing of it", 0, "0"],
    ["less than a byte", "0.4B", '"0.4B"'],
    ["a minus", "-1MiB", '"-1MiB"'],
    ["an unknown unit", "1TiB", '"1TiB"'],
    ["a unit in other letters", "1mib", '"1mib"'],
    ["a unit alone", "MiB", '"MiB"'],
    ["words", "a lot", '"a lot"'],
    ["a percentage", "80%", '"80%"'],
    ["an amount that no number holds", `${"9".repeat(400)}GiB`, `"${"9".repeat(56)}…"`],
    ["no number", Number.NaN, "NaN"],
    ["an endless number", Number.POSITIVE_INFINITY, "Infinity"],
    ["a list of one", ["512MiB"], "a list"],
    ["a truth", true, "true"],
    ["an empty value", null, "an empty value"],
  ])("rejects %s", (_, value, shown) => {
    expect(complaint(byteSize, value).message).toBe(`expected a size such as 512MiB or 1GB, got ${shown}`);
  });
});

describe("anchoredPattern", () => {
  const fits = (source: string, against: string) => anchoredPattern(source, []).match(against) !== undefined;

  test.each([
    ["matches the whole text", "node", "node", true],
    ["does not match a part", "node", "nodejs", false],
    ["holds alternatives together", "node|deno", "denojs", false],
    ["matches across lines", "a.*b", "a\nb", true],
    ["does not end at the first line", "a", "a\nb", false],
  ])("%s", (_, source, against, expected) => {
    expect(fits(source, against)).toBe(expected);
  });

  test.each(["[", "(", "*", "a)|(?:b", "(?<n>a)(?<n>b)", "\\"])("rejects %s, and shows the reason", (source) => {
    const { message } = complaint(anchoredPattern, source);
    expect(message).toMatch(/^expected a regular expression of RE2 \(.+\), got "/);
    expect(message).toContain(`got ${JSON.stringify(source)}`);
  });

  test.each([
    ["a number", 5, "5"],
    ["no text", "", '""'],
    ["a list", ["node"], "a list"],
  ])("rejects %s", (_, value, shown) => {
    expect(complaint(anchoredPattern, value).message).toBe(`expected a text, got ${shown}`);
  });

  test.each(["(?=a)b", "(?!a)b", "(?<=a)b", "(a)\\1"])("rejects %s, which has no time in proportion", (source) => {
    expect(() => anchoredPattern(source, [])).toThrow(DecodeError);
  });

  test("matches as JavaScript's own engine does, and no part of a text", () => {
    const source = fc.array(fc.constantFrom("a", "b", "(", ")", "|", "(?:", "(?<n>", "*", "?", ".", "^", "$", "[ab]"), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(source, fc.stringMatching(/^[ab]{0,4}$/), (parts, against) => {
        try {
          new RegExp(parts.join(""), "s");
        } catch {
          return; // RE2 takes some of these: ^* and **
        }
        const own = new RegExp(`^(?:${parts.join("")})$`, "s").exec(against);
        const words = anchoredPattern(parts.join(""), []).match(against);
        expect(words !== undefined).toBe(own !== null);
        expect(words?.["n"]).toBe(own?.groups?.["n"]);
      }),
    );
  });
});

describe("the small ones", () => {
  test.each([
    ["a text", text, "a text", [7, "7"]],
    ["a truth", yesOrNo, true, ["yes", '"yes"']],
    ["one of several words", oneOf("watch", "ignore"), "ignore", ["Watch", '"Watch"']],
    ["a whole number", wholeNumber(1, 65_535), 65_535, [0, "0"]],
  ])("%s", (_, decode: Decoder<unknown>, good, [bad, shown]) => {
    expect(decode(good, [])).toBe(good);
    expect(complaint(decode, bad).message).toMatch(new RegExp(`, got ${shown}$`));
  });

  test.each([
    [1.5, "1.5"],
    ["8080", '"8080"'],
    [65_536, "65536"],
    [Number.NaN, "NaN"],
  ])("a whole number is not %s", (value, shown) => {
    expect(complaint(wholeNumber(1, 65_535), value).message).toBe(
      `expected a whole number from 1 to 65535, got ${shown}`,
    );
  });

  test("a message shows only the beginning of a long text", () => {
    expect(complaint(yesOrNo, "x".repeat(5000)).message).toBe(`expected true or false, got "${"x".repeat(56)}…"`);
  });
});

describe("listOf and mapping", () => {
  const decode = mapping({ uid: wholeNumber(0, 10), tags: listOf(text) });

  test("give back what was there, and nothing for what was not", () => {
    expect(decode({ uid: 3, tags: ["a", "b"] }, [])).toEqual({ uid: 3, tags: ["a", "b"] });
    expect(decode({}, [])).toEqual({});
  });

  test.each([
    ["a value", { uid: 11 }, "uid", "expected a whole number from 0 to 10, got 11"],
    ["an entry of a list", { tags: ["a", ""] }, "tags[1]", 'expected a text, got ""'],
    ["a key that is unknown", { gid: 3 }, "gid", 'expected one of uid, tags, got "gid"'],
    ["a key that every object has", { constructor: 3 }, "constructor", 'expected one of uid, tags, got "constructor"'],
    ["a list", { tags: "a" }, "tags", 'expected a list, got "a"'],
    ["itself", ["uid"], "", "expected a mapping, got a list"],
    ["itself, empty", null, "", "expected a mapping, got an empty value"],
  ])("name the place of %s", (_, value, path, message) => {
    expect(complaint(decode, value)).toEqual({ path, message });
  });

  test("do not take a prototype for a key", () => {
    expect(complaint(decode, JSON.parse('{"__proto__": {"uid": 1}}')).path).toBe("__proto__");
  });
});

describe("showPath", () => {
  test.each([
    [[], ""],
    [["groups"], "groups"],
    [["groups", 0, "match", "uid"], "groups[0].match.uid"],
    [[2, "name"], "[2].name"],
  ])("%j", (path, shown) => {
    expect(showPath(path)).toBe(shown);
  });
});

describe("whatever comes", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
  });
  const decoders: [string, Decoder<unknown>][] = [
    ["text", text],
    ["yesOrNo", yesOrNo],
    ["oneOf", oneOf("a", "b")],
    ["wholeNumber", wholeNumber(0, 9)],
    ["duration", duration],
    ["byteSize", byteSize],
    ["anchoredPattern", anchoredPattern],
    ["listOf", listOf(byteSize)],
    ["mapping", mapping({ a: duration, b: byteSize })],
    ["decodeConfig", decodeConfig],
  ];

  test.each(decoders)("%s throws nothing but DecodeError", (_, decode) => {
    fc.assert(
      fc.property(anything, (value) => {
        try {
          decode(value, []);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  test("nor does decodeConfig for documents that are almost right", () => {
    const value = fc.oneof(
      anything,
      fc.constantFrom("5s", "1GiB", ".*", "(?<q>.*)", 80, true, "watch", "a-${q}", {}, [], null),
    );
    const match = fc.dictionary(fc.constantFrom("name", "exe", "cmdline", "cgroup", "uid", "port"), value);
    const rule = fc.record({ name: value, match: fc.oneof(match, value), memory_limit: value }, { requiredKeys: [] });
    const document = fc.record(
      {
        sampling: fc.oneof(value, fc.dictionary(fc.constantFrom("interval", "max_age"), value)),
        groups: fc.oneof(value, fc.array(fc.oneof(rule, value), { maxLength: 3 })),
        ignore: fc.oneof(value, fc.array(fc.oneof(match, value), { maxLength: 3 })),
        unmatched: value,
        memory_limit: value,
        smaps: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(document, (config) => {
        try {
          const decoded = decodeConfig(config, []);
          expect(decoded.sampleInterval).toBeGreaterThanOrEqual(0.5);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
