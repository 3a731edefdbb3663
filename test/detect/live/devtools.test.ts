// Who answers is not trusted to be an inspector.

import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { DevTools } from "../../../exporter/detect/live/devtools.ts";

type Reply = (request: { id: number; method: string }) => unknown;

/** A server that answers each request with one message: text as it is, anything else as JSON. */
async function connectTo(reply: Reply): Promise<DevTools> {
  const server = http.createServer();
  server.on("upgrade", (request, socket) => {
    const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + guid);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
    );
    socket.on("data", (data: Buffer) => {
      for (const text of framesIn(data)) {
        const answer = reply(JSON.parse(text));
        if (answer === undefined) continue;
        const sent = Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer));
        socket.write(Buffer.concat([Buffer.from([0x81, sent.length]), sent]));
      }
    });
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const tools = await DevTools.connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  onTestFinished(() => tools.close());
  return tools;
}

/** The texts of frames of less than 126 bytes, as clients send them. */
function* framesIn(data: Buffer): Generator<string> {
  for (let at = 0; data[at] === 0x81; ) {
    const length = (data[at + 1] as number) & 0x7f;
    const mask = data.subarray(at + 2, at + 6);
    const text = data.subarray(at + 6, at + 6 + length).map((byte, i) => byte ^ (mask[i % 4] as number));
    yield Buffer.from(text).toString();
    at += 6 + length;
  }
}

const setUp = /^Node(Runtime|Worker)\./;
const orElse =
  (other: Reply): Reply =>
  (request) =>
    setUp.test(request.method) ? { id: request.id, result: {} } : other(request);

test("answers are given to the request that they are for", async () => {
  const tools = await connectTo(orElse(({ id, method }) => ({ id, result: { method } })));
  const [a, b] = await Promise.all([tools.send("A.a"), tools.send("B.b")]);
  expect([a, b]).toEqual([{ method: "A.a" }, { method: "B.b" }]);
});

test("what it refuses is thrown", async () => {
  const tools = await connectTo(orElse(({ id }) => ({ id, error: { message: "not here" } })));
  await expect(tools.send("A.a")).rejects.toThrow("not here");
});

test.each<[string, Reply]>([
  ["no JSON", () => "hello"],
  ["null", () => "null"],
  ["that the program wants to exit", () => ({ method: "NodeRuntime.waitingForDisconnect" })],
  ["a message of a worker that is no JSON", () => ({ method: "NodeWorker.receivedMessageFromWorker", params: {} })],
])("%s ends the connection, or is passed over, and nothing waits for ever", async (_, reply) => {
  const tools = await connectTo(orElse(reply));
  const answer = tools.send("A.a");
  setTimeout(() => tools.close(), 500);
  await expect(answer).rejects.toThrow("the connection is closed");
  await expect(tools.send("A.a")).rejects.toThrow("the connection is closed");
});
