import { describe, expect, test } from "vitest";
import { wrap } from "../../exporter/terminal/wrap.ts";

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
