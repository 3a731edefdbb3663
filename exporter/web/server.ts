// HTTP at the end of the line: /metrics for Prometheus, /-/… for orchestrators, /api/v1/… for programs, / for people.

import type http from "node:http";
import type https from "node:https";
import type { AddressInfo } from "node:net";
import express, { type NextFunction, type Request, type Response } from "express";
import type { Exporter } from "../exporter.ts";
import { contentTypes, negotiate } from "../exposition/format.ts";
import type { Logger } from "../log.ts";
import { version } from "../version.ts";
import { BasicAuth } from "./basic-auth.ts";
import type { ListenAddress } from "./listen-address.ts";
import { renderPage } from "./page.ts";
import { groupStatuses } from "./status.ts";
import type { WebConfigFile } from "./web-config.ts";

/** Longer than any scrape interval in use, so that a scraper never meets a connection that is just being closed. */
const keepAliveMilliseconds = 130_000;

/** Smaller bodies are sent as they are: compressing them costs more than it saves. */
const gzipFromBytes = 2048;

/** `import "node:http"` would read each of its exports, one of which is WebSocket, which loads all of undici: 5 MB. */
const { createServer } = process.getBuiltinModule("node:http");

export interface ServerOptions {
  exporter: Exporter;
  webConfig: WebConfigFile;
  telemetryPath: string;
  log: Logger;
}

/** The routes, as an express application. */
export function createApp({ exporter, webConfig, telemetryPath, log }: ServerOptions): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag"); // every answer is new
  const auth = new BasicAuth();

  app.use(async (request: Request, response: Response, next: NextFunction) => {
    const { users, headers } = webConfig.current;
    response.set({ "X-Content-Type-Options": "nosniff", ...headers });
    if (users.size === 0 || (await auth.accepts(request.headers.authorization, users))) return next();
    response.status(401).set("WWW-Authenticate", 'Basic realm="leakwatch"').type("text").send("Unauthorized\n");
  });

  app.get(telemetryPath, async (request, response) => {
    const format = negotiate(request.headers.accept);
    const exposition = await exporter.scrape(format);
    response.setHeader("Content-Type", contentTypes[format]);
    response.setHeader("Vary", "Accept, Accept-Encoding");
    const body = exposition.hold();
    response.once("close", () => exposition.release());
    if (body.length >= gzipFromBytes && request.acceptsEncodings(["gzip", "identity"]) === "gzip") {
      response.setHeader("Content-Encoding", "gzip");
      response.end(await exposition.gzipped());
    } else {
      response.end(body);
    }
  });

  app.get("/-/healthy", (_request, response) => {
    response.type("text").send("leakwatch is healthy.\n");
  });

  app.get("/-/ready", (_request, response) => {
    const reason = exporter.notReady();
    const unreadable = exporter
      .unreadableNow()
      .map(([{ file, reason: why }, n]) => `Cannot be read: ${file} of ${n} processes (${why}).\n`);
    response.status(reason === undefined ? 200 : 503).type("text");
    response.send(
      `${reason === undefined ? "leakwatch is ready." : `leakwatch is not ready: ${reason}.`}\n${unreadable.join("")}`,
    );
  });

  app.post("/-/reload", async (_request, response) => {
    const refused = await exporter.reloadConfig();
    response.status(refused === undefined ? 200 : 500).type("text");
    response.send(refused === undefined ? "" : `failed to reload config: ${refused}\n`);
  });

  app.get("/api/v1/groups", async (_request, response) => {
    await exporter.refresh();
    response.json({ status: "success", data: groupStatuses(exporter, await exporter.verdicts(), Date.now() / 1000) });
  });

  app.get("/", async (_request, response) => {
    await exporter.refresh();
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.type("html").send(
      renderPage({
        version,
        groups: groupStatuses(exporter, await exporter.verdicts(), Date.now() / 1000),
        notReady: exporter.notReady(),
        configError: exporter.reload.error,
        unreadable: exporter.unreadableNow(),
        telemetryPath,
        sampleInterval: exporter.config.sampleInterval,
        speed: exporter.speed,
      }),
    );
  });

  app.all(["/-/healthy", "/-/ready", "/-/reload", "/api/v1/groups", "/", telemetryPath], (request, response) => {
    const allowed = request.path === "/-/reload" ? "POST" : "GET, HEAD";
    response
      .status(405)
      .set("Allow", allowed)
      .type("text")
      .send(`${request.method} is not possible here, only ${allowed}\n`);
  });

  app.use((request, response) => {
    response.status(404).type("text").send(`Nothing is served at ${request.path}\n`);
  });

  app.use((error: Error, request: Request, response: Response, next: NextFunction) => {
    log.error("request failed", { path: request.path, error: error.message });
    if (response.headersSent) return next(error);
    response.status(500).type("text").send("The request failed; the log says why.\n");
  });
  return app;
}

/** Starts to listen. Resolves with the server and the port; rejects when the address cannot be used. */
export async function listen(
  options: ServerOptions,
  { host, port }: ListenAddress,
): Promise<{ server: http.Server; port: number }> {
  const app = createApp(options);
  const { tls } = options.webConfig.current;
  // looked at first, so that a password that was changed holds on connections that are kept alive as well
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    await refreshWebConfig(server, options);
    app(request, response);
  };
  const server: http.Server =
    tls === undefined ? createServer(answer) : (await import("node:https")).createServer(tls, answer);
  server.keepAliveTimeout = keepAliveMilliseconds;
  server.headersTimeout = keepAliveMilliseconds + 5000;
  // before the handshake of a new connection, and so before its requests
  server.prependListener("connection", () => {
    void refreshWebConfig(server, options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function refreshWebConfig(server: http.Server, { webConfig, log }: ServerOptions): Promise<void> {
  try {
    if (!(await webConfig.refresh())) return;
    const { tls } = webConfig.current;
    if ("setSecureContext" in server && tls !== undefined) (server as https.Server).setSecureContext(tls);
    log.info("web configuration loaded");
  } catch (error) {
    log.error("web configuration refused, the old one stays", { error: (error as Error).message });
  }
}
