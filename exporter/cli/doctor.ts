// `leakwatch doctor`: what can be seen here, what cannot, and what to change.

import { Command } from "commander";
import { defaultListenAddress } from "../../catalog/defaults.ts";
import type { DoctorOptions } from "../doctor/run.ts";
import { parseListenAddress } from "../web/listen-address.ts";
import { withManual } from "./manual.ts";
import { onlyLinux } from "./only-linux.ts";
import { checked, mountPoint, telemetryPath, withPlainNames } from "./options.ts";

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("report what can be seen here, what cannot, and what to change")
    .option("--config.file <file>", "the configuration that the exporter uses here")
    .option(
      "--web.listen-address <host:port>",
      "where the exporter listens",
      checked(parseListenAddress),
      defaultListenAddress,
    )
    .option("--web.telemetry-path <path>", "path of its metrics", telemetryPath, "/metrics")
    .option("--path.procfs <folder>", "where procfs is mounted", mountPoint, "/proc")
    .option("--path.cgroupfs <folder>", "where the cgroup hierarchies are mounted", mountPoint, "/sys/fs/cgroup")
    .option("--prometheus-url <url>", "ask this Prometheus about us too; user and password may be in the URL")
    .option("--bearer-token-file <file>", "file with the token that it wants")
    .option("--grafana-url <url>", "ask this Grafana too; user and password may be in the URL")
    .option("--grafana-token-file <file>", "file with the token that it wants; or LEAKWATCH_GRAFANA_TOKEN")
    .option("--json", "findings as JSON, with an id for each check", false)
    .option("--verbose", "the names and numbers behind each sentence too", false)
    .option("--no-color", "no colours; NO_COLOR in the environment does the same")
    .allowExcessArguments(false);
  command.action(async (given: Record<string, unknown>) => {
    const options = withPlainNames<DoctorOptions>(given);
    const { doctor, DoctorMisuse } = await import("../doctor/run.ts");
    try {
      process.exitCode = await doctor(options);
    } catch (error) {
      if (!(error instanceof DoctorMisuse)) throw error;
      command.error(`error: ${error.message}`);
    }
  });
  return withManual(onlyLinux(command), {
    examples: [
      ["leakwatch doctor", "where the exporter runs"],
      ["leakwatch doctor --prometheus-url=http://prometheus:9090", "is it scraped, and are the rules loaded?"],
      ["leakwatch doctor --json", "for a program"],
    ],
    exitCodes: { 0: "everything looks good", 1: "works, with warnings", 2: "not working, or a wrong option" },
  });
}
