// What the facts of the setup mean.

import { counted } from "../text/words.ts";
import { type Check, failure, ok, type Section, unknown, warning } from "./finding.ts";
import type { SetupFacts } from "./setup.ts";

const configuration: Check<SetupFacts> = {
  id: "config.file",
  question: "Is the configuration file valid?",
  answer({ configFile, configError, config }) {
    if (configError !== undefined) {
      return failure(
        `The configuration is refused: ${configError}.`,
        "Mend that line; docs/configuration.md has every key. The rest of this report is about the default configuration.",
      );
    }
    if (configFile === undefined)
      return ok("There is no configuration file: every process is watched under its own name.");
    return ok(
      `${configFile} is valid: ${counted(config.groups.length, "rule")} in groups, ${config.ignore.length} in ignore, unmatched processes ${config.unmatched === "watch" ? "are watched" : "are ignored"}.`,
    );
  },
};

const listening: Check<SetupFacts> = {
  id: "exporter.port",
  question: "Is the port free, or does an exporter serve on it already?",
  answer({ address, port }) {
    switch (port.is) {
      case "free":
        return ok(`${address} is free: no exporter serves there, and one can be started.`);
      case "leakwatch":
        return port.notReady === undefined
          ? ok(`leakwatch ${port.version} serves on ${address} and is ready.`)
          : warning(
              `leakwatch ${port.version} serves on ${address} but is not ready: ${port.notReady}.`,
              "Look at its log.",
            );
      case "locked":
        return unknown(
          `${address} is in use and wants a password (${port.status}): it is not known whether that is leakwatch.`,
          "That is as it should be when leakwatch runs there with --web.config.file.",
        );
      case "taken":
        return failure(
          `${address} is in use by ${port.by}.`,
          "Stop it, or choose another port with --web.listen-address.",
        );
      case "impossible":
        return failure(
          `leakwatch cannot listen on ${address}: ${port.reason}.`,
          "Choose another address with --web.listen-address.",
        );
    }
  },
};

export const configurationSections: readonly Section<SetupFacts>[] = [
  { title: "Configuration", checks: [configuration] },
];

export const exporterSections: readonly Section<SetupFacts>[] = [{ title: "Exporter", checks: [listening] }];
