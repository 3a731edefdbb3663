// `leakwatch serve`: watch, and serve what is seen.

import { Command, InvalidArgumentError, Option } from "commander";
import { defaultListenAddress, web } from "../../catalog/defaults.ts";
import { compressed, detection } from "../../catalog/detection.ts";
import { ConfigError, loadConfig } from "../config/load.ts";
import { AnswerError } from "../discovery/containers/bounded-answer.ts";
import { endIfHeldUp } from "../exit.ts";
import { Exporter, ownMaxConnections } from "../exporter.ts";
import { createLogger, type LogFormat, type LogLevel, logLevels } from "../log.ts";
import { shownError } from "../terminal/shown-text.ts";
import { parseListenAddress, urlOf } from "../web/listen-address.ts";
import { listen } from "../web/server.ts";
import { WebConfigFile } from "../web/web-config.ts";
import { plainErrors } from "./plain-errors.ts";

interface ServeOptions {
  configFile?: string;
  webListenAddress: string;
  webTelemetryPath: string;
  webConfigFile?: string;
  webEnableLifecycle?: boolean;
  pathProcfs: string;
  pathCgroupfs: string;
  kubernetesPods?: boolean;
  dockerSocket?: string;
  demoSpeed?: string;
  logLevel: LogLevel;
  logFormat: LogFormat;
}

/** How long open requests may take when the exporter is told to stop, in milliseconds. */
const stopWithin = 5000;

export function serveCommand(): Command {
  return new Command("serve")
    .configureOutput(plainErrors)
    .description("watch processes and serve /metrics (what runs when no command is given)")
    .option("--config.file <file>", "YAML file that names groups and limits; without it every process is watched")
    .option(
      "--web.listen-address <host:port>",
      "where to listen; :9847 is every interface",
      checked(parseListenAddress),
      defaultListenAddress,
    )
    .option("--web.telemetry-path <path>", "path of the metrics", telemetryPath, "/metrics")
    .option("--web.config.file <file>", "TLS and basic authentication, in the format of Prometheus' exporters")
    .option("--web.enable-lifecycle", "allow POST /-/reload to reload the configuration")
    .option("--path.procfs <folder>", "where procfs is mounted", "/proc")
    .option("--path.cgroupfs <folder>", "where the cgroup hierarchies are mounted", "/sys/fs/cgroup")
    .option("--kubernetes.pods", "ask the Kubernetes API for the names of this node's containers (needs NODE_NAME)")
    .option(
      "--docker.socket <path>",
      "ask the container engine behind this unix socket for the names of its containers",
    )
    .option(
      "--demo.speed <times>",
      "judge as if time ran so many times faster; for demonstrations only",
      checked(speedOf),
    )
    .addOption(new Option("--log.level <level>", "least important lines to log").choices(logLevels).default("info"))
    .addOption(new Option("--log.format <format>", "how lines look").choices(["logfmt", "json"]).default("logfmt"))
    .allowExcessArguments(false)
    .action((options: Record<string, string>) => serve(withPlainNames(options)));
}

async function serve(options: ServeOptions): Promise<void> {
  const log = createLogger(options.logLevel, options.logFormat);
  try {
    const config = await loadConfig(options.configFile);
    const webConfig = await WebConfigFile.open(options.webConfigFile);
    const exporter = new Exporter({
      roots: { procfs: withoutTrailingSlash(options.pathProcfs), cgroupfs: withoutTrailingSlash(options.pathCgroupfs) },
      config,
      configFile: options.configFile,
      log,
      dockerSocket: options.dockerSocket,
      detection: compressed(detection, speedOf(options.demoSpeed ?? "1")),
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
      { maxConnections: Math.min(web.maxConnections, ownMaxConnections()) },
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

/** Loaded when needed: a sidecar has no use for it. */
async function podLister(): Promise<() => Promise<string>> {
  const { accessFromEnvironment, listPods } = await import("../discovery/containers/kubernetes-api.ts");
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

/** One plain sentence, no stack: the user is meant to read it. */
function refuse(message: string, exitCode: number): never {
  process.stderr.write(`leakwatch: ${shownError(message)}\n`);
  process.exit(exitCode);
}

/** Makes commander say what was wrong with a value; the text itself is kept. */
export function checked(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    try {
      parse(text);
      return text;
    } catch (error) {
      throw new InvalidArgumentError(`${(error as Error).message}.`);
    }
  };
}

function speedOf(text: string): number {
  const speed = Number(text);
  if (!(speed >= 1 && speed <= 1000)) throw new Error(`expected a number from 1 to 1000, got "${text}"`);
  return speed;
}

export function telemetryPath(text: string): string {
  if (!/^\/[\w./-]+$/.test(text)) throw new InvalidArgumentError(`expected a path such as /metrics, got "${text}".`);
  return text;
}

/** commander keeps the dots of `--web.listen-address`: `web.listenAddress` becomes webListenAddress. */
export function withPlainNames<Options>(options: Readonly<Record<string, unknown>>): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  ) as Options;
}

export const withoutTrailingSlash = (folder: string) => (folder.length > 1 ? folder.replace(/\/+$/, "") : folder);
