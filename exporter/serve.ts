// What `leakwatch serve` does: watches, and serves what is seen, until it is told to stop.

import fs from "node:fs";
import path from "node:path";
import { web } from "../catalog/defaults.ts";
import { ConfigError, loadConfig } from "./config/load.ts";
import { maxConnections } from "./descriptors.ts";
import { AnswerError } from "./discovery/containers/bounded-answer.ts";
import { endIfHeldUp } from "./exit.ts";
import { Exporter } from "./exporter.ts";
import { createLogger, type LogFormat, type Logger, type LogLevel } from "./log.ts";
import { Storage } from "./storage/storage.ts";
import { printError } from "./terminal/shown-text.ts";
import { parseListenAddress, urlOf } from "./web/listen-address.ts";
import { listen } from "./web/server.ts";
import { WebConfigFile } from "./web/web-config.ts";

export interface ServeOptions {
  configFile?: string;
  webListenAddress: string;
  webTelemetryPath: string;
  webConfigFile?: string;
  webEnableLifecycle?: boolean;
  pathProcfs: string;
  pathCgroupfs: string;
  kubernetesPods?: boolean;
  dockerSocket?: string;
  /** Folder for what is kept over restarts; empty for none. */
  storagePath?: string;
  /** How many times faster than life the judge's clock runs. */
  demoSpeed?: number;
  logLevel: LogLevel;
  logFormat: LogFormat;
}

/** How long open requests may take when the exporter is told to stop, in milliseconds. */
const stopWithin = 5000;

/** Resolves when it listens. What keeps it from that ends the program with a plain message. */
export async function serve(options: ServeOptions): Promise<void> {
  const log = createLogger(options.logLevel, options.logFormat);
  try {
    const config = await loadConfig(options.configFile);
    const webConfig = await WebConfigFile.open(options.webConfigFile);
    const exporter = new Exporter({
      roots: { procfs: options.pathProcfs, cgroupfs: options.pathCgroupfs },
      config,
      configFile: options.configFile,
      log,
      dockerSocket: options.dockerSocket,
      speed: options.demoSpeed ?? 1,
      storage: await openStorage(options, log),
      listPods: options.kubernetesPods ? await podLister() : undefined,
    });
    const address = parseListenAddress(options.webListenAddress);
    const { server, port } = await listen(
      {
        exporter,
        webConfig,
        telemetryPath: options.webTelemetryPath,
        enableLifecycle: options.webEnableLifecycle ?? false,
        log,
      },
      address,
      { maxConnections: Math.min(web.maxConnections, maxConnections()) },
    ).catch((error) => {
      throw new CannotListen(options.webListenAddress, error);
    });
    process.on("SIGHUP", () => void exporter.reloadConfig());
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, async () => {
        log.info("stopping", { signal });
        server.close();
        // again and again: a client keeps its connection alive when the answer that it waits for now is complete
        setInterval(() => server.closeIdleConnections(), 100).unref();
        setTimeout(() => server.closeAllConnections(), stopWithin).unref();
        await exporter.stop();
        endIfHeldUp();
      });
    }
    await exporter.start();
    log.info("listening", { url: urlOf({ ...address, port }, webConfig.current.tls === undefined ? "http" : "https") });
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error.message, 2);
    if (error instanceof CannotListen) return refuse(error.message, 1);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EACCES") return refuse(`cannot read ${options.pathProcfs}: ${message}`, 1);
    throw error;
  }
}

/** What an earlier exporter left in the folder, where it is of this boot of this machine. */
async function openStorage({ storagePath = "", pathProcfs }: ServeOptions, log: Logger) {
  if (storagePath === "") return undefined;
  const storage = new Storage(storagePath, log);
  const boot = readBootId(pathProcfs);
  return { storage, remembered: await storage.load(boot), boot };
}

/** https://docs.kernel.org/admin-guide/sysctl/kernel.html#random */
function readBootId(procfs: string): string {
  try {
    return fs.readFileSync(path.join(procfs, "sys/kernel/random/boot_id"), "utf8").trim();
  } catch {
    return ""; // never that of a file
  }
}

/** Loaded when needed: a sidecar has no use for it. */
async function podLister(): Promise<() => Promise<string>> {
  const { accessFromEnvironment, listPods } = await import("./discovery/containers/kubernetes-api.ts");
  try {
    const access = accessFromEnvironment(process.env);
    return () => listPods(access);
  } catch (error) {
    if (error instanceof AnswerError) return refuse(`--kubernetes.pods: ${error.message}`, 2);
    throw error;
  }
}

class CannotListen extends Error {
  constructor(address: string, cause: NodeJS.ErrnoException) {
    const reasons: Record<string, string> = {
      EADDRINUSE: "the port is in use. Choose another with --web.listen-address",
      EACCES: "ports below 1024 need root. Choose another with --web.listen-address",
      EADDRNOTAVAIL: "this machine has no such address",
      ENOTFOUND: "the host name is not known",
    };
    super(`cannot listen on ${address}: ${reasons[cause.code ?? ""] ?? cause.message}`, { cause });
  }
}

function refuse(message: string, exitCode: number): never {
  printError(message);
  process.exit(exitCode);
}
