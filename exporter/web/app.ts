// What is served: /metrics for Prometheus, /-/… for orchestrators, /api/v1/… for programs, / for people.

import express, { type NextFunction, type Request, type Response } from "express";
import { web } from "../../catalog/defaults.ts";
import type { Exporter } from "../exporter.ts";
import type { Exposition } from "../exposition/exposition.ts";
import { contentTypes, negotiate } from "../exposition/format.ts";
import type { Logger } from "../log.ts";
import { version } from "../version.ts";
import { BasicAuth } from "./basic-auth.ts";
import { CalmLog } from "./calm-log.ts";
import { leftOutText, renderPage } from "./page.ts";
import { printable } from "./printable.ts";
import { cgroupStatuses, groupStatuses } from "./status.ts";
import { Unfinished } from "./unfinished.ts";
import type { WebConfigFile } from "./web-config.ts";

/** Smaller bodies are sent as they are: compressing them costs more than it saves. */
const gzipFromBytes = 2048;

export interface ServerOptions {
  exporter: Exporter;
  webConfig: WebConfigFile;
  telemetryPath: string;
  /** Whether POST /-/reload is allowed. */
  enableLifecycle: boolean;
  log: Logger;
}

/** The routes, as an express application. */
export function createApp({
  exporter,
  webConfig,
  telemetryPath,
  enableLifecycle,
  log,
}: ServerOptions): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag"); // every answer is new
  app.set("query parser", false); // nothing reads queries
  const auth = new BasicAuth();
  const calmLog = new CalmLog(log);
  const pages = new Unfinished(web.unfinishedPages);

  app.use(async (request: Request, response: Response, next: NextFunction) => {
    const { users, headers } = webConfig.current;
    response.set({ "X-Content-Type-Options": "nosniff", ...headers });
    if (users.size === 0) return next();
    const admission = await auth.check(request.headers.authorization, users, request.socket.remoteAddress ?? "");
    if (admission === "accepted") return next();
    response.type("text");
    if (admission === "refused") {
      response.status(401).set("WWW-Authenticate", 'Basic realm="leakwatch"').send("Unauthorized\n");
    } else {
      response.status(429).set("Retry-After", "1").send("Too many login attempts. Try again in a second.\n");
    }
  });

  app.get(telemetryPath, async (request, response) => {
    const format = negotiate(request.headers.accept);
    const exposition = await exporter.scrape(format);
    if (response.closed) return; // the client did not wait: nothing would ever release the text
    const text = holdWhileSending(exposition, response);
    const compresses = text.length >= gzipFromBytes && request.acceptsEncodings(["gzip", "identity"]) === "gzip";
    const body = compresses ? await exposition.gzipped() : text;
    response.setHeader("Content-Type", contentTypes[format]);
    response.setHeader("Vary", "Accept, Accept-Encoding");
    if (compresses) response.setHeader("Content-Encoding", "gzip");
    response.end(body);
  });

  app.get("/-/healthy", (_request, response) => {
    response.type("text").send("leakwatch is healthy.\n");
  });

  app.get("/-/ready", (_request, response) => {
    const reason = exporter.notReady();
    const leftOut = exporter.leftOutNow().map((left) => `${leftOutText(left)}.\n`);
    const unreadable = exporter
      .unreadableNow()
      .map(([{ file, reason: why }, n]) => `Cannot be read: ${file} of ${n} processes (${why}).\n`);
    response.status(reason === undefined ? 200 : 503).type("text");
    const answer = reason === undefined ? "leakwatch is ready." : `leakwatch is not ready: ${reason}.`;
    response.send([`${answer}\n`, ...leftOut, ...unreadable].join(""));
  });

  app.post("/-/reload", async (_request, response) => {
    response.type("text");
    if (!enableLifecycle) return response.status(403).send("Lifecycle API is not enabled.\n");
    const refused = await exporter.reloadConfig();
    response.status(refused === undefined ? 200 : 500);
    return response.send(refused === undefined ? "" : `failed to reload config: ${refused}\n`);
  });

  const answers = { groups: groupStatuses, cgroups: cgroupStatuses };
  for (const [name, statuses] of Object.entries(answers)) {
    app.get(`/api/v1/${name}`, async (_request, response) => {
      await exporter.refresh();
      const json = JSON.stringify({ status: "success", data: statuses(exporter) });
      pages.add(response, json.length);
      response.type("json").send(json);
    });
  }

  app.get("/", async (_request, response) => {
    await exporter.refresh();
    const page = renderPage({
      version,
      groups: groupStatuses(exporter),
      cgroups: cgroupStatuses(exporter),
      notReady: exporter.notReady(),
      configError: exporter.reload.error,
      leftOut: exporter.leftOutNow(),
      unreadable: exporter.unreadableNow(),
      telemetryPath,
      sampleInterval: exporter.config.sampleInterval,
      speed: exporter.speed,
    });
    pages.add(response, page.length);
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.type("html").send(page);
  });

  app.all("/-/reload", onlyAllowed("POST"));
  app.all(
    ["/-/healthy", "/-/ready", "/api/v1/groups", "/api/v1/cgroups", "/", telemetryPath],
    onlyAllowed("GET, HEAD"),
  );

  app.use((request, response) => {
    response
      .status(404)
      .type("text")
      .send(`not found: ${printable(request.path)}\n`);
  });

  // four parameters tell express that this takes errors
  app.use((error: NodeJS.ErrnoException, request: Request, response: Response, _next: NextFunction) => {
    const reason = printable(error.message);
    // the same problem reads differently for each process; the code is the same
    calmLog.error(error.code ?? reason, "request failed", { path: printable(request.path), error: reason });
    if (response.headersSent) response.destroy();
    else response.status(503).type("text").send(`The request failed: ${reason}\n`);
  });
  return app;
}

function onlyAllowed(methods: string) {
  return (request: Request, response: Response) => {
    response.status(405).set("Allow", methods).type("text");
    response.send(`method not allowed: ${printable(request.method)} (allowed: ${methods})\n`);
  };
}

/** The exposition's text, kept until the response is closed. A client that reads too slowly is cut off for others. */
function holdWhileSending(exposition: Exposition, response: Response): Buffer {
  const drop = () => response.destroy();
  response.once("close", () => exposition.release(drop));
  return exposition.hold(drop);
}
