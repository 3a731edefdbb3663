// Clients that want too much: real sockets, which send and read what a test wants.

import http from "node:http";
import type net from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import type { Exporter } from "../../exporter/exporter.ts";
import { type Exposition, Expositions } from "../../exporter/exposition/exposition.ts";
import { makeCertificate, RawClient, serve, temporaryFolder, webFile } from "./support.ts";

const get = (place: string) => `GET ${place} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** More than the kernel takes for a client that does not read. */
const large = 16 * MiB;

/** Short times, in seconds. Those that a test is not about are as in production. */
const quick = { timeoutCheckInterval: 0.05 };

describe("time", () => {
  test("to send the headers is bounded", async () => {
    const { port } = await serve({ limits: { ...quick, headersTimeout: 0.3 } });
    const [silent, slow] = [new RawClient(port), new RawClient(port).send("GET /metrics HTTP/1.1\r\nHo")];
    expect(await silent.untilClosed()).toMatch(/^HTTP\/1.1 408 /);
    expect(await slow.untilClosed()).toMatch(/^HTTP\/1.1 408 /);
  });

  test("to send the headers does not count while a connection is idle", async () => {
    const limits = { ...quick, headersTimeout: 0.2, requestTimeout: 0.3, inactivityTimeout: 0.3, responseTimeout: 0.3 };
    const { origin } = await serve({ limits });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const reused: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      reused.push(await sendWith(agent, `${origin}/-/healthy`));
      await wait(600); // longer than each of these times
    }
    expect(reused).toEqual([false, true, true]);
  });

  test("for a TLS handshake is bounded", async () => {
    const folder = temporaryFolder();
    makeCertificate(folder, "server");
    const file = webFile("tls_server_config: { cert_file: server.pem, key_file: server.key }\n", folder);
    const { port } = await serve({ webConfigFile: file, limits: { handshakeTimeout: 0.3 } });
    await new RawClient(port).untilClosed();
  });

  test("in which a client reads nothing is bounded", async () => {
    const { exporter, port } = await serve({ limits: { inactivityTimeout: 0.5 } });
    const { held } = endless(exporter);
    const client = new RawClient(port).send(get("/metrics"));
    await vi.waitUntil(() => held() === 1, { timeout: 20_000 });
    await vi.waitUntil(() => held() === 0, { timeout: 20_000 });
    expect((await client.untilClosed()).length).toBeLessThan(large);
  });

  test("in which a client reads an answer bit by bit is bounded", async () => {
    const { exporter, port } = await serve({ limits: { responseTimeout: 1 } });
    const larger = 4 * large; // of which a turn reads 2 MiB at most: all of them in a second, and what the kernel takes, are less
    const { held } = endless(exporter, larger);
    const client = new RawClient(port).send(get("/metrics"));
    await vi.waitUntil(() => held() === 1, { timeout: 20_000 });
    while (held() > 0) {
      client.socket.resume();
      await new Promise(setImmediate);
      client.socket.pause();
      await wait(100);
    }
    // what the kernel had taken by then still comes
    expect((await client.untilClosed()).length).toBeLessThan(larger);
  });
});

describe("size", () => {
  test("of all headers is bounded", async () => {
    const { port } = await serve();
    const request = `GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(9 * 1024)}\r\n\r\n`;
    expect(await new RawClient(port).send(request).untilClosed()).toMatch(/^HTTP\/1.1 431 /);
  });

  test("of the list of headers is bounded", async () => {
    const { port } = await serve();
    const many = Array.from({ length: 150 }, (_, i) => `X-${i}: y\r\n`).join("");
    const client = new RawClient(port).send(`GET /-/healthy HTTP/1.1\r\nHost: a\r\n${many}\r\n`);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 431 /);
  });

  test.each([
    ["POST", "/metrics", 405],
    ["POST", "/-/reload", 403],
    ["POST", "/nothing", 404],
    ["GET", "/-/healthy", 200],
  ])(
    "of a body does not matter to %s %s: it is answered unread, and the connection closed",
    async (method, place, status) => {
      const { server, port } = await serve();
      const accepted = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
      const client = new RawClient(port, { allowHalfOpen: true }); // it sends on when the answer is there
      client.send(`${method} ${place} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n`);
      client.socket.resume();
      const chunk = Buffer.alloc(MiB);
      for (let sent = 0; sent < 1024 && (await written(client.socket, chunk)); sent++);
      const answer = await client.untilClosed();
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain("\r\nConnection: close\r\n");
      expect((await accepted).bytesRead).toBeLessThan(4 * MiB);
    },
  );

  test("of a small body does not matter either, nor that its client sends no more", async () => {
    const { port } = await serve();
    const client = new RawClient(port).send("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 405 /);
    const waiting = new RawClient(port);
    waiting.send("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello");
    expect(await waiting.untilClosed()).toMatch(/^HTTP\/1.1 405 /);
  });

  test("of a body that a client announces: it is not asked to send it", async () => {
    const { port } = await serve();
    const client = new RawClient(port).send(
      "POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
    );
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 405 /); // not 100
  });
});

describe("connections", () => {
  test("are no more than allowed; the log says so once", async () => {
    const { port, logged } = await serve({ limits: { maxConnections: 3 } });
    const open = Array.from({ length: 3 }, () => new RawClient(port).send(get("/-/healthy")));
    for (const client of open) await client.until("leakwatch is healthy.");
    for (let i = 0; i < 5; i++) expect(await new RawClient(port).send(get("/-/healthy")).untilClosed()).toBe("");
    expect(logged.filter((line) => line.includes("too many are open"))).toEqual([
      expect.stringMatching(/level=warn msg="new connection closed: too many are open" limit=3/),
    ]);
    expect(open.map(({ closed }) => closed)).toEqual([false, false, false]);
    open[0]?.socket.destroy();
    await vi.waitFor(() => new RawClient(port).send(get("/-/healthy")).until("healthy"), { timeout: 20_000 });
  });
});

describe("memory for clients that do not read", () => {
  test("is that of some expositions: the connections of the oldest are closed, and others are served", async () => {
    const { exporter, server, port } = await serve();
    const sockets: net.Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket)); // who does not read does not see the end
    const { made, held, most } = endless(exporter);
    for (let i = 1; i <= 10; i++) {
      new RawClient(port).send(get("/metrics"));
      await vi.waitUntil(() => made() === i && held() === Math.min(i, 4), { timeout: 20_000 });
    }
    expect(most()).toBeLessThanOrEqual(5); // a dropped one lets go a moment later
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([...Array(6).fill(true), ...Array(4).fill(false)]);
    const reader = new RawClient(port).send(get("/metrics"));
    await reader.until("# the last line");
    expect(reader.text.length).toBeGreaterThan(large);
  }, 120_000);

  test("is that of one exposition for a thousand requests that are sent ahead", async () => {
    const { exporter, port } = await serve();
    const { held, most } = endless(exporter, MiB / 4);
    const client = new RawClient(port).send(get("/metrics").repeat(1000));
    for (let i = 0; i < 20; i++) await new RawClient(port).send(get("/-/healthy")).until("leakwatch is healthy.");
    await client.untilClosed();
    await vi.waitUntil(() => held() === 0, { timeout: 20_000 });
    expect(most()).toBeLessThanOrEqual(2);
    await new RawClient(port).send(get("/metrics")).until("# the last line");
  });

  test("is let go of when the client leaves before its answer is made", async () => {
    const { exporter, port } = await serve();
    const { made, held } = endless(exporter);
    let waiting = false;
    let proceed: (() => void) | undefined;
    const mayProceed = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const scrape = exporter.scrape.bind(exporter);
    exporter.scrape = async (format) => {
      waiting = true;
      await mayProceed;
      return scrape(format);
    };
    const client = new RawClient(port).send(get("/metrics"));
    await vi.waitUntil(() => waiting, { timeout: 20_000 });
    client.socket.destroy();
    await wait(200);
    proceed?.();
    await vi.waitUntil(() => made() === 1 && held() === 0, { timeout: 20_000 });
    await wait(200);
    expect(held()).toBe(0);
  });
});

describe("requests that are sent ahead", () => {
  test("are answered in their order, the next one when the one before it is done", async () => {
    const { port } = await serve();
    const places = ["/a", "/-/healthy", "/b", "/metrics", "/c"];
    const text = await new RawClient(port).send(places.map(get).join("")).until("not found: /c");
    const order = [...text.matchAll(/not found: \S+|is healthy|leakwatch_build_info\{/g)].map(([found]) => found);
    expect(order).toEqual(["not found: /a", "is healthy", "not found: /b", "leakwatch_build_info{", "not found: /c"]);
  });

  test("hold one exposition, however many they are", async () => {
    const { exporter, port } = await serve();
    const { made, held } = endless(exporter);
    const client = new RawClient(port).send(get("/metrics").repeat(8));
    await vi.waitUntil(() => held() === 1, { timeout: 20_000 });
    await wait(300);
    expect([made(), held(), client.closed]).toEqual([1, 1, false]);
    client.socket.destroy();
    await vi.waitUntil(() => held() === 0, { timeout: 20_000 });
    expect(made()).toBe(1); // nobody waits for the others
  });
});

/** Makes every scrape a large text of its own, as with max_age 0s; says how many are held, and how many ever were. */
function endless(exporter: Exporter, size = large) {
  const expositions = new Expositions();
  const all: Exposition[] = [];
  const line = Buffer.alloc(size, "# a comment, over and over\n");
  let most = 0;
  const held = () => {
    const now = all.filter(({ inUse }) => inUse).length;
    most = Math.max(most, now);
    return now;
  };
  exporter.scrape = async () => {
    held();
    const exposition = expositions.next();
    exposition.buffer.raw(line);
    exposition.buffer.text("\n# the last line\n");
    all.push(exposition);
    return exposition;
  };
  return { made: () => all.length, held, most: () => Math.max(most, held()) };
}

/** Resolves with whether the socket took the data. */
function written(socket: net.Socket, data: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve(false));
    socket.write(data, (error) => setImmediate(resolve, !error && !socket.destroyed));
  });
}

/** Resolves with whether the request went over a connection that was open before. */
function sendWith(agent: http.Agent, url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const sent = http.get(url, { agent }, (response) => {
      response.resume().on("end", () => resolve(sent.reusedSocket));
    });
    sent.on("error", reject);
  });
}
