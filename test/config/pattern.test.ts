import { describe, expect, test } from "vitest";
import { KiB, sizes } from "../../catalog/defaults.ts";
import { decodeConfig } from "../../exporter/config/config.ts";
import { Pattern } from "../../exporter/config/pattern.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "../support/hostile-text.ts";

const words = (source: string, text: string) => new Pattern(source).match(text);

describe("a pattern matches", () => {
  test.each([
    ["the whole text", "server", "server"],
    ["nothing with nothing", "", ""],
    ["either alternative", "node|python", "python"],
    ["the longer of two alternatives, where the shorter comes first", "a|ab", "ab"],
    ["a newline by a dot", "a.b", "a\nb"],
    ["lines by a star", ".*b.*", "a\nb\nc\n"],
    ["a line end at the end only by itself", "a\n", "a\n"],
    ["with anchors of its own", "^server$", "server"],
    ["whatever the case, if told so", "(?i)SERVER", "server"],
    ["classes", "[\\w.-]+:\\d{2,5}", "db.example-1:5432"],
    ["other scripts", "größe-\\pL+", "größe-東京"],
    ["characters beyond the first plane as one", "a.b", "a\ud83d\ude00b"],
    ["broken bytes", "job .*", "job \ufffd\ufffd"],
    ["PCRE's way to name a group", "(?P<name>a)", "a"],
  ])("%s", (_, source, text) => {
    expect(words(source, text)).toBeDefined();
  });
});

describe("a pattern does not match", () => {
  test.each([
    ["a part of the text", "erve", "server"],
    ["the beginning of it", "serv", "server"],
    ["the end of it", "er", "server"],
    ["a part by an alternative that would, without brackets around", "x|erver", "server"],
    ["another case", "Server", "server"],
    ["a text with one line more", "server", "server\n"],
    ["a text with one line more, by a dollar sign", "^server$", "server\n"],
    ["anything, if it is empty", "", "server"],
    ["an empty text, if it is not", ".+", ""],
  ])("%s", (_, source, text) => {
    expect(words(source, text)).toBeUndefined();
  });
});

describe("named groups", () => {
  test.each([
    ["one", "worker --queue=(?<queue>\\w+)", "worker --queue=mail", { queue: "mail" }],
    ["several, also within each other", "(?<a>x(?<b>y))(?<c>z)", "xyz", { a: "xy", b: "y", c: "z" }],
    ["PCRE's and JavaScript's", "(?P<a>x)(?<b>y)", "xy", { a: "x", b: "y" }],
    ["what matched nothing is empty", "a(?<b>\\d*)", "a", { b: "" }],
    ["what took no part is left out", "(?<a>x)|(?<b>y)", "y", { b: "y" }],
    ["what took no part, in the middle", "a(?<b>b)?c", "ac", {}],
    ["the last round of a repeated one", "(?:(?<last>\\w),?)+", "a,b,c", { last: "c" }],
    ["without names there are no words", "(a)(b)", "ab", {}],
    ["those that Object has as well", "(?<toString>a)(?<constructor>b)", "ab", { toString: "a", constructor: "b" }],
  ])("%s", (_, source, text, found) => {
    expect(words(source, text)).toEqual(found);
  });

  test("are known before anything is matched", () => {
    const pattern = new Pattern("(?<queue>\\w+) (\\w+)");
    expect([pattern.hasGroup("queue"), pattern.hasGroup("other"), pattern.hasGroup("toString")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("Pattern.exactly", () => {
  test.each(["server.js", "a.b*(c)[d]{2}|^$?+", "\\Q.*\\E", "C:\\x", "a\nb", "größe", "", "\ud83d\ude00", "(?i)a"])(
    "fits %j and nothing else",
    (text) => {
      const pattern = Pattern.exactly(text);
      expect(pattern.match(text)).toEqual({});
      for (const other of [`${text}x`, `x${text}`, `${text}\n`, text.toUpperCase(), text.replace(".", "x")]) {
        if (other !== text) expect(pattern.match(other)).toBeUndefined();
      }
    },
  );
});

describe("what RE2 does not have is refused, with what and where", () => {
  test.each([
    ["a look ahead", "(?=a)b", "(?="],
    ["a negative look ahead", "a(?!b)", "(?!"],
    ["a look behind", "(?<=a)b", "(?<=a)b"],
    ["a negative look behind", "(?<!a)b", "(?<!a)b"],
    ["a back reference", "(a)\\1", "\\1"],
    ["a back reference by name", "(?<x>a)\\k<x>", "\\k"],
    ["an atomic group", "(?>a)b", "(?>"],
    ["a possessive quantifier", "a++", "++"],
    ["a thousand and one repetitions", "a{1001}", "{1001}"],
    ["repetitions of repetitions", "(?:a{1000}){1000}", "{1000}"],
    ["a name that is used twice", "(?<a>x)|(?<a>y)", "duplicate"],
    ["a name that cannot be one", "(?<a-b>x)", "(?<a-b>"],
    ["an open bracket", "(a", "missing closing )"],
    ["an open class", "[a", "missing closing ]"],
    ["nothing to repeat", "*a", "*"],
    ["a lone backslash", "a\\", "trailing backslash"],
  ])("%s", (what, source, told) => {
    expect(() => new Pattern(source)).toThrow(told);
    const config = () => decodeConfig({ ignore: [{ name: source }] }, []);
    expect(config).toThrow(expect.objectContaining({ path: ["ignore", 0, "name"] }));
    expect(config).toThrow("a regular expression of RE2");
    expect(config).toThrow(told);
    const hint = "RE2 has no look-ahead, look-behind or back reference";
    if (/look|reference/.test(what)) expect(config).toThrow(hint);
    else expect(config).not.toThrow(hint);
  });
});

describe("takes time in proportion to the text", () => {
  const long = sizes.arguments;

  test.each([
    ["(a+)+b", "a".repeat(long)],
    ["(?:a|aa)*b", "a".repeat(long)],
    ["(a|aa)*$", `${"a".repeat(long)}b`],
    ["(?:(?:a|a)*)*b", "a".repeat(long)],
    ["(.*)(.*)(.*)x", "a".repeat(long)],
    ["(?<a>.*)(?<b>.*)(?<c>.*)x", "a".repeat(long)],
    ["(?:.*a){20}b", "a".repeat(long)],
    ["([a-z]+)*\\d", "abc".repeat(long / 3)],
    ["(?:x?){200}x{200}", "x".repeat(200)],
    [".*(?:a.{1,100}b).*", "a".repeat(long)],
    ["\\s*\\S*\\s*=\\s*.*;", " ".repeat(long)],
  ])("%s", (source, text) => {
    const pattern = new Pattern(source);
    let found: unknown;
    expect(cpuSeconds(() => (found = pattern.match(text)))).toBeLessThan(mostCpuSeconds);
    expect(found === undefined).toBe(source !== "(?:x?){200}x{200}");
  });

  test.each(hostileTexts)("of %j", (_, text) => {
    const pattern = new Pattern(".*(?<name>[\\w-]+)(?:=|: ?)(?<value>.*)?never");
    expect(cpuSeconds(() => pattern.match(text.slice(0, 16 * KiB)))).toBeLessThan(mostCpuSeconds);
  });

  test("also to be compiled, or is refused", () => {
    for (const source of ["a".repeat(10_000), "(".repeat(900) + ")".repeat(900), "(?:a?){1000}", "(".repeat(10_000)]) {
      const work = () => {
        try {
          new Pattern(source).match("a".repeat(1000));
        } catch (error) {
          expect((error as Error).message).toMatch(/parsing regexp/);
        }
      };
      expect(cpuSeconds(work)).toBeLessThan(mostCpuSeconds);
    }
  });
});
