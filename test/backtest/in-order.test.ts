import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { inOrder } from "../../exporter/backtest/in-order.ts";

async function collected<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

test("results come in the order of the items, whatever takes longest", async () => {
  const results = await collected(
    inOrder([30, 1, 10, 2], 3, async (ms) => {
      await wait(ms);
      return ms;
    }),
  );
  expect(results).toEqual([30, 1, 10, 2]);
});

test("no more are under way than are allowed", async () => {
  let running = 0;
  let most = 0;
  const work = async (item: number) => {
    most = Math.max(most, ++running);
    await wait(2);
    running--;
    return item;
  };
  expect(await collected(inOrder([1, 2, 3, 4, 5], 2, work))).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test("a failure comes in its turn, and those behind it are not heard", async () => {
  const seen: number[] = [];
  const all = async () => {
    for await (const item of inOrder([1, 2, 3], 3, async (n) => {
      if (n > 1) throw new Error(`no ${n}`);
      return n;
    })) {
      seen.push(item);
    }
  };
  await expect(all()).rejects.toThrow("no 2");
  expect(seen).toEqual([1]);
});

test("of nothing comes nothing", async () => {
  expect(await collected(inOrder([], 2, async () => 1))).toEqual([]);
});
