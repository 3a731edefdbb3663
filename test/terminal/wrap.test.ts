import { describe, expect, test } from "vitest";
import { reportColumns, wrap } from "../../exporter/terminal/wrap.ts";

test.each([
  ["a narrow terminal", { isTTY: true, columns: 52 }, 52],
  ["one that is too narrow for a table", { isTTY: true, columns: 20 }, 40],
  ["a wide one, since long lines are hard to read", { isTTY: true, columns: 250 }, 100],
  ["one that does not say", { isTTY: true, columns: 0 }, 100],
  ["a file", { isTTY: false, columns: 52 }, 100],
])("a report for %s has its columns", (_, stream, expected) => {
  expect(reportColumns(stream)).toBe(expected);
});

describe("wrapped text", () => {
  test("a process' name cannot steer the terminal", () => {
    expect(wrap("a \u001b[31mred name\nwith\u0007bell", 80)).toEqual(["a \\x1b[31mred name\\x0awith\\x07bell"]);
  });

  test("nor GitHub's runner, when a line is broken before it", () => {
    expect(wrap("a name ::error::forged", 10)).toEqual(["a name", "\\x3a:error::forged"]);
  });

  test("a word that is too long stands alone", () => {
    expect(wrap("see http://a.very.long.address there", 10)).toEqual(["see", "http://a.very.long.address", "there"]);
  });
});
