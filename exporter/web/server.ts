// HTTP at the end of the line: listens, and bounds what clients can cost. What is served is in app.ts.

import type http from "node:http";
import type https from "node:https";
import type { AddressInfo } from "node:net";
import { web } from "../../catalog/defaults.ts";
import { createApp, type ServerOptions } from "./app.ts";
import { CalmLog } from "./calm-log.ts";
import { inTurn } from "./in-turn.ts";
import type { ListenAddress } from "./listen-address.ts";
import { closeAfterAnswer, hasBody } from "./unread-body.ts";

/** `import "node:http"` would read each of its exports, one of which is WebSocket, which loads all of undici: 5 MB. */
const { createServer } = process.getBuiltinModule("node:http");

/** Seconds, and numbers of things. Tests have less time than clients. */
export type ListenOptions = Record<
  | "headersTimeout"
  | "requestTimeout"
  | "timeoutCheckInterval"
  | "handshakeTimeout"
  | "inactivityTimeout"
  | "responseTimeout"
  | "unreadBodyWait"
  | "keepAlive"
  | "maxConnections"
  | "waitingRequests",
  number
>;

/** Starts to listen. Resolves with the server and the port; rejects when the address cannot be used. */
export async function listen(
  options: ServerOptions,
  { host, port }: ListenAddress,
  differs: Partial<ListenOptions> = {},
): Promise<{ server: http.Server; port: number }> {
  const limits: ListenOptions = { ...web, ...differs };
  const app = createApp(options);
  const handler = inTurn(async (request, response) => {
    limitTime(response, limits.responseTimeout);
    if (hasBody(request)) closeAfterAnswer(request, response, limits.unreadBodyWait);
    // looked at first, so that a password that was changed holds on connections that are kept alive as well
    await refreshWebConfig(server, options);
    app(request, response);
  }, limits.waitingRequests);
  const server = await createLimitedServer(options, limits);
  server.on("request", handler);
  server.on("checkContinue", handler); // with no word that the client may send its body
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

/** Waits for no client longer than the limits say, and has no more of them. */
async function createLimitedServer({ webConfig, log }: ServerOptions, limits: ListenOptions): Promise<http.Server> {
  const inMilliseconds = {
    headersTimeout: limits.headersTimeout * 1000, // does not count while a connection that is kept alive is idle
    requestTimeout: limits.requestTimeout * 1000,
    connectionsCheckingInterval: limits.timeoutCheckInterval * 1000,
    keepAliveTimeout: limits.keepAlive * 1000,
  };
  const settings = { maxHeaderSize: web.maxHeaderBytes, ...inMilliseconds };
  const { tls } = webConfig.current;
  const server: http.Server =
    tls === undefined
      ? createServer(settings)
      : (await import("node:https")).createServer({
          ...settings,
          ...tls,
          handshakeTimeout: limits.handshakeTimeout * 1000,
        });
  server.maxHeadersCount = web.maxHeaders;
  server.timeout = limits.inactivityTimeout * 1000;
  server.maxConnections = limits.maxConnections;
  const calmLog = new CalmLog(log);
  server.on("drop", () => {
    calmLog.warn("drop", "new connection closed: too many are open", { limit: limits.maxConnections });
  });
  return server;
}

/** A client that reads a byte now and then is not inactive, and would keep its answer in memory for ever. */
function limitTime(response: http.ServerResponse, seconds: number): void {
  const timer = setTimeout(() => response.destroy(), seconds * 1000).unref();
  response.once("close", () => clearTimeout(timer));
}

async function refreshWebConfig(server: http.Server, { webConfig, log }: ServerOptions): Promise<void> {
  try {
    if (!(await webConfig.refresh())) return;
    const { tls } = webConfig.current;
    if ("setSecureContext" in server && tls !== undefined) (server as https.Server).setSecureContext(tls);
    log.info("web configuration loaded");
  } catch (error) {
    log.error("web configuration rejected, keeping the previous one", { error: (error as Error).message });
  }
}
