import { expect, test } from "vitest";
import { printable } from "../../exporter/web/printable.ts";

test.each([
  ["/metrics?a=b c", "/metrics?a=b c"],
  ["a\r\nlevel=error", "a\\x0d\\x0alevel=error"],
  ["\u001b[31mred\u007f", "\\x1b[31mred\\x7f"],
  ["é", "\\xc3\\xa9"],
  ["", ""],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test.each([
  ["a".repeat(10), "aaaaaaaaaa"],
  ["a".repeat(11), "aaaaaaa..."],
  ["\n".repeat(1_000_000), "\\x0a..."],
  ["aaaaa\n\n", "aaaaa..."],
  ["aaaa\n\n\n", "aaaa..."],
])("%j is cut to ten characters, between escapes", (text, shown) => {
  expect(printable(text, 10)).toBe(shown);
});
