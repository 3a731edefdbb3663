// How leakwatch is set up here: its configuration file, and the port on which it serves.

import http from "node:http";
import https from "node:https";
import net from "node:net";
import { KiB, MiB } from "../../catalog/defaults.ts";
import { selfMetrics } from "../../catalog/metrics.ts";
import { type Config, defaultConfig } from "../config/config.ts";
import { ConfigError, loadConfig } from "../config/load.ts";
import { foreignText } from "../terminal/shown-text.ts";
import { parseListenAddress, urlOf } from "../web/listen-address.ts";

export interface SetupFacts {
  readonly configFile: string | undefined;
  /** Why it is refused. */
  readonly configError: string | undefined;
  /** The configuration that holds; the default one where it is refused. */
  readonly config: Config;
  readonly address: string;
  readonly port: PortFacts;
}

export type PortFacts =
  | { readonly is: "free" }
  | { readonly is: "leakwatch"; readonly version: string; readonly notReady: string | undefined }
  | { readonly is: "taken"; readonly by: string }
  | { readonly is: "locked"; readonly status: number }
  | { readonly is: "impossible"; readonly reason: string };

/** How long an answer on our own port may take, in milliseconds. */
const patience = 5000;

/** How much of it is read, in bytes. */
const mostRead = { metrics: 64 * MiB, ready: 4 * KiB } as const;

export async function observeSetup(options: {
  configFile: string | undefined;
  address: string;
  telemetryPath: string;
}): Promise<SetupFacts> {
  const { configFile, address, telemetryPath } = options;
  const port = await observePort(address, telemetryPath);
  try {
    return { configFile, configError: undefined, config: await loadConfig(configFile), address, port };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { configFile, configError: error.message, config: defaultConfig, address, port };
  }
}

async function observePort(address: string, telemetryPath: string): Promise<PortFacts> {
  const { host, port } = parseListenAddress(address);
  const error = await tryToListen(host, port);
  if (error === undefined) return { is: "free" };
  if (error.code === "EACCES") return { is: "impossible", reason: "ports below 1024 need root" };
  if (error.code !== "EADDRINUSE") return { is: "impossible", reason: error.message };
  let failed = "";
  for (const scheme of ["http", "https"] as const) {
    try {
      return await askServer(urlOf({ host, port }, scheme), telemetryPath);
    } catch (thrown) {
      failed ||= foreignText((thrown as Error).message);
    }
  }
  return { is: "taken", by: `a program that speaks neither HTTP nor HTTPS (${failed})` };
}

async function askServer(url: string, telemetryPath: string): Promise<PortFacts> {
  const metrics = await get(`${url}${telemetryPath}`, mostRead.metrics);
  if (metrics.status === 401 || metrics.status === 403) return { is: "locked", status: metrics.status };
  const labels = new RegExp(`^${selfMetrics.buildInfo.name}\\{(.*)\\} 1$`, "m").exec(metrics.text)?.[1];
  if (labels === undefined) {
    return { is: "taken", by: `a server that answers ${metrics.status}, without leakwatch's series` };
  }
  const ready = await get(`${url}/-/ready`, mostRead.ready);
  return {
    is: "leakwatch",
    version: foreignText(/(?:^|,)version="([^"]*)"/.exec(labels)?.[1]) || "unknown",
    notReady: ready.status === 200 ? undefined : foreignText(ready.text.trim()),
  };
}

function tryToListen(host: string | undefined, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** What an answer begins with. Not fetch: that refuses some ports, and every certificate that was not bought. */
function get(url: string, mostBytes: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const client = url.startsWith("https:") ? https : http;
    const options = { agent: false, rejectUnauthorized: false } as const; // nothing secret is sent
    const request = client.get(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size < mostBytes) return;
        end();
        request.destroy();
      });
      response.on("error", reject).on("end", end);
    });
    const tooLate = setTimeout(() => request.destroy(new Error("no complete answer in 5 s")), patience);
    request.on("error", reject).on("close", () => clearTimeout(tooLate));
  });
}
