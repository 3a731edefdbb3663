import { describe, expect, test } from "vitest";
import { share, someOf, tally } from "../../exporter/text/words.ts";

describe("words", () => {
  test.each([
    [0, 0, "none of 0 processes"],
    [0, 1, "no process"],
    [1, 1, "the only process"],
    [1, 2, "1 of 2 processes"],
    [2, 2, "both processes"],
    [3, 3, "all 3 processes"],
  ])("%d of %d", (n, all, words) => {
    expect(share(n, all)).toBe(words);
  });

  test("the most frequent first, then by name", () => {
    expect(tally(["db", "api", "web", "api"])).toEqual(["api (2)", "db", "web"]);
  });

  test("one more than a few is not worth hiding", () => {
    expect(someOf(["a", "b", "c"], 2)).toBe("a, b and c");
    expect(someOf(["a", "b", "c", "d"], 2)).toBe("a, b and 2 more");
  });
});
