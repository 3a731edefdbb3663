import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizes } from "../../catalog/defaults.ts";
import { cutName, cutPath, cutText, visible } from "../../exporter/text/visible.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "../support/hostile-text.ts";

/** Any text: of all planes, with what acts on a terminal, and with halves of characters. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 700 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 700 }).map((codes) => String.fromCharCode(...codes)),
  fc
    .array(fc.constantFrom("\u001b", "\u202e", "\ud83d", "\ude00", "é", "€", "a", "\\x1b"), { maxLength: 700 })
    .map((all) => all.join("")),
);
const bytes = (text: string) => Buffer.byteLength(text);

describe("visible", () => {
  test.each([
    ["an escape character", "\u001b[2J", "\\x1b[2J"],
    ["a NUL", "a\0b", "a\\x00b"],
    ["a bell and a backspace", "\u0007\b", "\\x07\\x08"],
    ["line ends", "a\r\nb", "a\\x0d\\x0ab"],
    ["a tab", "a\tb", "a\\x09b"],
    ["DEL", "\u007f", "\\x7f"],
    ["ANSI's introducer in one byte", "\u009b31m", "\\x9b31m"],
    ["the line end of old mainframes", "\u0085", "\\x85"],
    ["marks that turn the writing around", "\u202egnp.exe\u202c", "\\u202egnp.exe\\u202c"],
    ["isolates of a direction", "\u2066a\u2069", "\\u2066a\\u2069"],
    ["a blank without width", "a\u200bb", "a\\u200bb"],
    ["a joiner without width", "a\u200db", "a\\u200db"],
    ["a soft hyphen", "a\u00adb", "a\\xadb"],
    ["a byte order mark", "\ufeffa", "\\ufeffa"],
    ["separators of lines and paragraphs", "a\u2028b\u2029c", "a\\u2028b\\u2029c"],
    ["characters for private use", "\ue000\u{f0000}", "\\ue000\\u{f0000}"],
    ["tags, which are invisible letters", "\u{e0041}", "\\u{e0041}"],
    ["the first half of a character", "\ud83d", "\\ud83d"],
    ["the second half of a character", "\ude00", "\\ude00"],
  ])("writes out %s", (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test.each([
    ["nothing", ""],
    ["ASCII", " !\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~"],
    ["other scripts", "größer 東京 Ελλάδα עברית"],
    ["signs and emoji", "€ → … \ud83d\ude00"],
    ["accents that combine", "e\u0301"],
    ["what stands for a broken byte", "\ufffd"],
    ["what was written out before", "\\x1b\\u202e"],
    ["systemd's way to write a path", "dev-disk-by\\x2duuid.device"],
  ])("leaves %s", (_, text) => {
    expect(visible(text)).toBe(text);
  });

  test("leaves nothing to write out, so that doing it twice changes nothing", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = visible(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });
});

describe.each([
  ["cutName", sizes.name, cutName],
  ["cutPath", sizes.path, cutPath],
  ["cutText of 1000 bytes", 1000, (text: string) => cutText(text, 1000)],
  ["cutText of 10 bytes", 10, (text: string) => cutText(text, 10)],
  ["cutText of 3 bytes", 3, (text: string) => cutText(text, 3)],
])("%s", (_, most, cut) => {
  test("leaves what fits", () => {
    for (const text of ["", "a", "é€".slice(0, most / 5), "x".repeat(most)]) expect(cut(text)).toBe(text);
  });

  test("marks what it cuts, and uses the room", () => {
    for (const unit of ["x", "é", "€", "\ud83d\ude00"]) {
      const shown = cut(unit.repeat(most));
      if (unit !== "x") expect(bytes(unit.repeat(most))).toBeGreaterThan(most);
      if (unit !== "x") expect(shown).toContain("…");
      expect(bytes(shown)).toBeGreaterThan(most - 4);
    }
    expect(cut("x".repeat(most + 1))).toContain("…");
  });

  test("is never longer than its bound in UTF-8, however the text looks when written out", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = cut(text);
        expect(bytes(shown)).toBeLessThanOrEqual(most);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u);
      }),
      { numRuns: 500 },
    );
  });

  test("never ends within a character", () => {
    for (let lead = 0; lead < 5; lead++) {
      const shown = cut("x".repeat(lead) + "\ud83d\ude00".repeat(most));
      expect(shown).not.toMatch(/\p{Cs}|\\ud83d/u);
    }
  });

  test.each(hostileTexts)("takes time in proportion to a text of %j", (_, text) => {
    expect(cpuSeconds(() => cut(text))).toBeLessThan(mostCpuSeconds);
    expect(cpuSeconds(() => visible(text))).toBeLessThan(mostCpuSeconds);
    expect(bytes(cut(text))).toBeLessThanOrEqual(most);
  });
});

test("names and paths hold no backtick, in which boards quote what they ask for", () => {
  expect(cutName("run `date`")).toBe("run 'date'");
  expect(cutPath("/srv/`id`/app")).toMatch(/^\/srv\/'id'\/app…[0-9a-f]{16}$/);
});

describe("cutPath keeps apart", () => {
  const long = `/${"deep/".repeat(1000)}`;

  test.each([
    ["two long paths with different ends", `${long}a`, `${long}b`],
    ["two of the same length in characters, but not in bytes", `/${"é".repeat(500)}a`, `/${"é".repeat(500)}b`],
    ["two that are too long only when written out", `/${"\u001b".repeat(500)}a`, `/${"\u001b".repeat(500)}b`],
    ["a path and what it is cut to", long, cutPath(long)],
    ["a control character and how it is written", "/a\u001b", "/a\\x1b"],
    ["a backtick and what is shown for it", "/a`", "/a'"],
    ["a mark of direction and how it is written", "/a\u202e", "/a\\u202e"],
    ["a character for private use and how it is written", "/a\u{f0000}", "/a\\u{f0000}"],
  ])("%s", (_, one, other) => {
    expect(cutPath(one)).not.toBe(cutPath(other));
  });

  test("any two", () => {
    const path = fc.oneof(
      anyText,
      anyText.map((end) => long + end),
    );
    fc.assert(
      fc.property(path, path, (one, other) => {
        fc.pre(one !== other);
        expect(cutPath(one)).not.toBe(cutPath(other));
      }),
    );
  });

  test("and gives the same path the same name again", () => {
    expect(cutPath(`${long}a`)).toBe(cutPath(`${long}a`));
    expect(cutPath(`${long}a`)).toMatch(/^\/deep\/deep\/.*…[0-9a-f]{16}$/);
  });
});
