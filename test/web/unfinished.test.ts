import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { Unfinished } from "../../exporter/web/unfinished.ts";
import { RawClient } from "./support.ts";

/** A server whose answers are as large as the path says, in MiB, and a way to ask it and not read the answer. */
async function started(most: { answers: number; bytes: number }) {
  const unfinished = new Unfinished(most);
  const responses: http.ServerResponse[] = [];
  const server = http.createServer((request, response) => {
    const text = "x".repeat(Number(request.url?.slice(1)) * MiB);
    responses.push(response);
    unfinished.add(response, text.length);
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return {
    ask: async (mebibytes: number) => {
      const before = responses.length;
      const client = new RawClient(port).send(`GET /${mebibytes} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await vi.waitUntil(() => responses.length > before, { timeout: 20_000 });
      return client;
    },
    /** Which answers were cut off, in the order of the requests. */
    cutOff: () => responses.map((response) => response.destroyed && !response.writableFinished),
  };
}

test("the oldest of too many unfinished answers is cut off; finished ones do not count", async () => {
  const { ask, cutOff } = await started({ answers: 2, bytes: 1000 * MiB });
  await ask(16);
  await ask(16);
  for (let i = 0; i < 10; i++) await (await ask(0)).until("\r\n\r\n");
  expect(cutOff().slice(0, 2)).toEqual([true, false]); // the first small one came while both were there
  await ask(16);
  expect(cutOff().slice(0, 2)).toEqual([true, false]);
}, 60_000);

test("the oldest are cut off when all together are too large, but never the last one", async () => {
  const { ask, cutOff } = await started({ answers: 100, bytes: 40 * MiB });
  for (const mebibytes of [16, 16]) await ask(mebibytes);
  expect(cutOff()).toEqual([false, false]);
  await ask(16);
  expect(cutOff()).toEqual([true, false, false]);
  await ask(41);
  expect(cutOff()).toEqual([true, true, true, false]);
}, 60_000);
