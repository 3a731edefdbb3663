import { expect, test } from "vitest";
import { BoundedMap } from "../../exporter/web/bounded-map.ts";

test("a bounded map keeps what was set last", () => {
  const map = new BoundedMap<number, string>(3);
  for (const key of [1, 2, 3]) map.set(key, "");
  map.set(1, "again");
  map.set(4, "");
  expect([...map]).toEqual([
    [3, ""],
    [1, "again"],
    [4, ""],
  ]);
  for (let key = 0; key < 10_000; key++) map.set(key, "");
  expect(map.size).toBe(3);
});
