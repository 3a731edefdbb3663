// The page as files, a server on loopback that hands them out beside boards and Prometheus, and a browser that looks at it.

import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer, { type Browser } from "puppeteer-core";
import { build } from "vite";
import { addressOf, type Wish } from "./page/wish.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = path.join(here, "dist");
const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** Milliseconds until a board must be drawn. */
const drawnWithin = 90_000;

export async function buildPage(): Promise<void> {
  await build({ configFile: path.join(here, "vite.config.ts"), root: path.join(here, "page") });
}

/** `/boards/…` are the generated files, `/prom/…` is Prometheus, and everything else is the page. */
export async function servePage(boards: string, prometheus: string): Promise<{ url: string; stop(): void }> {
  const server = http.createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://page");
    if (pathname.startsWith("/prom/")) {
      forward(request, `${prometheus}${pathname.slice("/prom".length)}${search}`, response);
      return;
    }
    const [folder, name] = pathname.startsWith("/boards/") ? [boards, pathname.slice(7)] : [dist, pathname];
    sendFile(path.join(folder, name === "/" ? "index.html" : path.normalize(name)), response);
  });
  server.keepAliveTimeout = drawnWithin; // else a browser may just then send on a connection that is closed
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

function sendFile(file: string, response: http.ServerResponse): void {
  const type = types[path.extname(file)] ?? "application/octet-stream";
  fs.readFile(file, (error, bytes) => {
    if (error) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": type }).end(bytes);
  });
}

async function forward(request: http.IncomingMessage, address: string, response: http.ServerResponse): Promise<void> {
  try {
    const { method = "GET" } = request;
    const { url, headers } = withCredentials(address);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
    const type = request.headers["content-type"];
    if (type !== undefined) headers["content-type"] = type;
    const answer = await fetch(url, { method, headers, ...body });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  } catch (error) {
    const cause = ((error as Error).cause ?? error) as Error;
    response
      .writeHead(502)
      .end(JSON.stringify({ status: "error", error: `no answer from Prometheus: ${cause.message}` }));
  }
}

/** fetch wants user and password in a header. */
function withCredentials(address: string): { url: URL; headers: Record<string, string> } {
  const url = new URL(address);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "") return { url, headers: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
}

export interface Picture {
  readonly file: string;
  /** What went wrong in the page. */
  readonly messages: readonly string[];
}

/** One after another; the browser is gone at the end. */
export async function* draw(
  chromium: string,
  temporary: string,
  url: string,
  wishes: readonly (Wish & { file: string })[],
): AsyncGenerator<Picture> {
  const browser = await puppeteer.launch({
    executablePath: chromium,
    userDataDir: path.join(temporary, "chromium"),
    args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"], // root, as in containers, has no sandbox
  });
  try {
    for (const { file, ...wish } of wishes) yield { file, messages: await drawOne(browser, url, wish, file) };
  } finally {
    await browser.close();
  }
}

async function drawOne(browser: Browser, url: string, wish: Wish, file: string): Promise<string[]> {
  const messages = new Set<string>();
  const page = await browser.newPage();
  page.on("console", (message) => {
    const isNoise = /Failed to load resource|i18n|Warning:/.test(message.text());
    if (message.type() === "error" && !isNoise) messages.add(message.text().slice(0, 500));
  });
  page.on("pageerror", (error) => messages.add(String(error).slice(0, 500)));
  await page.setViewport({ width: 1600, height: 1000 });
  await page.goto(url + addressOf(wish));
  try {
    await page.waitForSelector("body[data-state]", { timeout: drawnWithin });
    const height = await page.evaluate("document.body.scrollHeight");
    await page.setViewport({ width: 1600, height: Math.max(300, Math.ceil(Number(height))) });
    await new Promise((resolve) => setTimeout(resolve, 400));
  } catch (error) {
    messages.add(`not drawn within ${drawnWithin / 1000} s: ${(error as Error).message}`);
  }
  await page.screenshot({ path: file as `${string}.png` });
  await page.close();
  return [...messages];
}
