// What the image's health check says of a server.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const program = fileURLToPath(new URL("../exporter/healthcheck.ts", import.meta.url));

function check(url: string): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [program], {
    env: { LEAKWATCH_HEALTH_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (piece) => {
    text += piece;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, text })));
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test.each([
  [200, 0, ""],
  [401, 0, ""], // it asks for a password, so it is alive
  [503, 1, ": answers 503\n"],
])("a server that answers %d", async (status, code, words) => {
  const asked: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status).end("x\n");
  });
  const url = `http://127.0.0.1:${await portOf(server)}/-/healthy`;
  expect(await check(url)).toEqual({ code, text: words && url + words });
  expect(asked).toEqual(["/-/healthy"]);
});

test("a server that says something else", async () => {
  const server = net.createServer((socket) => socket.end("220 mail\r\n"));
  const { code, text } = await check(`http://127.0.0.1:${await portOf(server)}/`);
  expect([code, text]).toEqual([1, expect.stringContaining("answers something that is no HTTP")]);
});

test("a server that hangs up", async () => {
  const server = net.createServer((socket) => socket.end());
  expect((await check(`http://127.0.0.1:${await portOf(server)}/`)).code).toBe(1);
});

test("no server", async () => {
  const { code, text } = await check("http://127.0.0.1:1/");
  expect([code, text]).toEqual([1, expect.stringContaining("ECONNREFUSED")]);
});

test("TLS with a certificate that nobody else trusts", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-tls-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(folder, name)) as [string, string];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
  execFileSync("openssl", [...words, "-keyout", key, "-out", cert], { stdio: "pipe" });
  const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, (_, response) => {
    response.end("fine\n");
  });
  expect(await check(`https://127.0.0.1:${await portOf(server)}/`)).toEqual({ code: 0, text: "" });
});
