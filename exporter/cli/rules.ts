// `leakwatch rules`: the recording and alert rules, with the user's thresholds, labels and links.

import { Command, InvalidArgumentError, Option } from "commander";
import { slotLabels } from "../../catalog/labels.ts";
import type { RulesOptions } from "../rules/print.ts";
import { withoutSecretWords } from "../text/secrets.ts";
import { visible } from "../text/visible.ts";
import { withManual } from "./manual.ts";

/** The rules join alerts and series on these, or the shipped Alertmanager configuration goes by them. */
const ownLabels = [...["alertname", "severity", "class"], ...slotLabels];

const ofObject = ["name", "namespace", "metadataLabel"];

export function rulesCommand(): Command {
  const command = new Command("rules")
    .description("print the recording and alert rules, with your thresholds, labels and links")
    .addOption(
      new Option("--format <format>", "a rule file for Prometheus, or an object for its operator")
        .choices(["prometheus", "prometheusrule"])
        .default("prometheus"),
    )
    .option("--thresholds <file>", "YAML file with thresholds of yours; see docs/rules.md")
    .addOption(pairs("--label <key=value>", "give every alert this label; may be repeated", alertLabel))
    .option("--runbook-url <url>", "where your copy of the runbooks is")
    .option("--grafana-url <url>", "where your Grafana is")
    .option("--name <name>", "name of the PrometheusRule", objectName, "leakwatch")
    .option("--namespace <name>", "its namespace", objectName)
    .addOption(pairs("--metadata-label <key=value>", "a label of the object itself; may be repeated", metadataLabel))
    .option("--output <file>", "write the rules there")
    .option("--check", "write nothing, and fail when the file of --output is not current", false)
    .allowExcessArguments(false);
  command.action(async (options: RulesOptions) => {
    const stray = ofObject.find((name) => command.getOptionValueSource(name) === "cli");
    if (options.format === "prometheus" && stray !== undefined) {
      command.error(
        `error: --${stray === "metadataLabel" ? "metadata-label" : stray} only goes with --format=prometheusrule`,
      );
    }
    if (options.check && options.output === undefined) command.error("error: --check needs --output");
    // not by commander, which would show what it refuses
    for (const [option, url] of [
      ["--runbook-url", options.runbookUrl],
      ["--grafana-url", options.grafanaUrl],
    ] as const) {
      const misuse = url === undefined ? undefined : misuseOfUrl(url);
      if (misuse !== undefined) command.error(`error: ${option}: ${misuse}`);
    }
    await (await import("../rules/print.ts")).printRules(options);
  });
  return withManual(command, {
    examples: [
      ["leakwatch rules > leakwatch.rules.yml", "for rule_files of Prometheus"],
      [
        "leakwatch rules --label team=payments --grafana-url https://grafana.example.org",
        "with a label and links of yours",
      ],
      [
        "leakwatch rules --format=prometheusrule --namespace monitoring | kubectl apply -f -",
        "for the Prometheus operator",
      ],
    ],
    exitCodes: {
      0: "printed, written, or current (--check)",
      1: "the file is not current (--check)",
      2: "a wrong option, or a file that cannot be read or written",
    },
  });
}

type Pair = readonly [key: string, value: string];

/** An option that adds a pair to those before it; the same key twice is a mistake. */
function pairs(flags: string, description: string, parse: (text: string) => Pair): Option {
  const add = (text: string, before: Record<string, string>): Record<string, string> => {
    const [key, value] = parse(text);
    if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`${key} is given twice.`);
    return { ...before, [key]: value };
  };
  return new Option(flags, description).argParser(add).default({}, "none");
}

/** https://prometheus.io/docs/concepts/data_model/ */
function alertLabel(text: string): Pair {
  const [key, value] = pair(text);
  if (!/^[a-zA-Z_]\w*$/.test(key) || key.startsWith("__")) {
    throw new InvalidArgumentError(`Expected the name of a label such as team, got "${key}".`);
  }
  if (ownLabels.includes(key)) throw new InvalidArgumentError(`The rules use the label ${key} themselves.`);
  if (visible(value) !== value) throw new InvalidArgumentError("Expected a value without control characters.");
  return [key, value];
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
function metadataLabel(text: string): Pair {
  const [key, value] = pair(text);
  const name = /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
  const [last, prefix, ...more] = key.split("/").reverse();
  const isKey = name.test(last ?? "") && (prefix === undefined || isDnsName(prefix)) && more.length === 0;
  if (!isKey) throw new InvalidArgumentError(`Expected the key of a label such as release, got "${key}".`);
  if (!name.test(value))
    throw new InvalidArgumentError(`Kubernetes does not allow "${value}" as the value of a label.`);
  return [key, value];
}

function pair(text: string): Pair {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Expected key=value.");
  return [text.slice(0, at), text.slice(at + 1)];
}

function objectName(text: string): string {
  if (!isDnsName(text)) throw new InvalidArgumentError("Expected lower-case letters, digits, - and . only.");
  return text;
}

const isDnsName = (text: string) =>
  text.length <= 253 && text.split(".").every((part) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(part));

/** Links in alerts begin with it. */
function misuseOfUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || visible(text) !== text)
    return "Expected a URL such as https://grafana.example.org.";
  // the last of these finds tokens among the parameters
  if (url.username !== "" || url.password !== "" || withoutSecretWords(text) !== text)
    return "Expected a URL without password or token: every alert shows it.";
  return undefined;
}
