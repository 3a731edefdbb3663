// `leakwatch serve`: watch, and serve what is seen.

import { Command, InvalidArgumentError, Option } from "commander";
import { defaultListenAddress } from "../../catalog/defaults.ts";
import { logLevels } from "../log.ts";
import type { ServeOptions } from "../serve.ts";
import { parseListenAddress } from "../web/listen-address.ts";
import { withManual } from "./manual.ts";
import { onlyLinux } from "./only-linux.ts";
import { checked, mountPoint, telemetryPath, withPlainNames } from "./options.ts";

export function serveCommand(): Command {
  const command = new Command("serve")
    .description("watch processes and serve /metrics (what runs when no command is given)")
    .option(
      "--storage.path <folder>",
      "keep what is known over restarts of the exporter in this folder; empty: in memory only",
      "",
    )
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
    .option("--path.procfs <folder>", "where procfs is mounted", mountPoint, "/proc")
    .option("--path.cgroupfs <folder>", "where the cgroup hierarchies are mounted", mountPoint, "/sys/fs/cgroup")
    .option("--kubernetes.pods", "ask the Kubernetes API for the names of this node's containers (needs NODE_NAME)")
    .option(
      "--docker.socket <path>",
      "ask the container engine behind this unix socket for the names of its containers",
    )
    .option("--demo.speed <times>", "judge as if time ran so many times faster; for demonstrations only", speedOf)
    .addOption(new Option("--log.level <level>", "least important lines to log").choices(logLevels).default("info"))
    .addOption(new Option("--log.format <format>", "how lines look").choices(["logfmt", "json"]).default("logfmt"))
    .allowExcessArguments(false)
    .action(async (options: Record<string, unknown>) => {
      await (await import("../serve.ts")).serve(withPlainNames<ServeOptions>(options));
    });
  return withManual(onlyLinux(command), {
    examples: [
      ["leakwatch", `watch every process of this machine: http://${defaultListenAddress}`],
      ["leakwatch serve --web.listen-address=:9847", "let a Prometheus on another machine scrape it"],
      [
        "leakwatch serve --config.file=leakwatch.yml --storage.path=/var/lib/leakwatch",
        "with names and limits of yours, and a history that survives restarts",
      ],
    ],
    exitCodes: {
      0: "stopped by SIGTERM or SIGINT",
      1: "the port is in use, or /proc cannot be read",
      2: "a wrong option or configuration",
    },
  });
}

function speedOf(text: string): number {
  const speed = Number(text);
  if (!(speed >= 1 && speed <= 1000))
    throw new InvalidArgumentError(`expected a number from 1 to 1000, got "${text}".`);
  return speed;
}
