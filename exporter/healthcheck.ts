// Is the exporter alive? Asked by the container engine, from inside the image: it has no curl.
//   LEAKWATCH_HEALTH_URL=https://localhost:9847/-/healthy node healthcheck.js
// It runs again and again within the exporter's limits, so it is written for the shortest start: node:http alone would double
// its CPU time.

import { connect, type Socket } from "node:net";
import { defaultPort } from "../catalog/defaults.ts";

const url = new URL(process.env["LEAKWATCH_HEALTH_URL"] || `http://127.0.0.1:${defaultPort}/-/healthy`);
const isTls = url.protocol === "https:";
const host = url.hostname.replace(/^\[|\]$/g, ""); // an IPv6 address
const port = Number(url.port || (isTls ? 443 : 80));

const socket = isTls ? await connectTls() : connect(port, host);
socket.setTimeout(5000, () => fail("does not answer within 5 s"));
socket.on("error", ({ message }) => fail(message));
socket.on("end", () => fail("closes the connection"));
socket.once("data", (data) => {
  // what asks for a password is alive
  const [, status] = /^HTTP\/1\.\d (\d+)/.exec(data.toString()) ?? [];
  if (status === "200" || status === "401") process.exit(0);
  fail(`answers ${status ?? "something that is no HTTP"}`);
});
socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);

/** Who has signed the certificate does not matter: it asks itself. */
async function connectTls(): Promise<Socket> {
  const tls = await import("node:tls");
  return tls.connect({ port, host, rejectUnauthorized: false });
}

function fail(what: string): never {
  console.error(`${url}: ${what}`);
  process.exit(1);
}
