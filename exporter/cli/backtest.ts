// `leakwatch backtest`: would these alerts have fired, when, and how often falsely?

import { Command, Option } from "commander";
import type { BacktestOptions } from "../backtest/options.ts";
import { plainErrors } from "./plain-errors.ts";

const fromTraces = ["labels", "engine"];
const fromServer = ["since", "match", "metric", "limitMetric", "startTimeMetric", "step", "bearerTokenFile"];

export function backtestCommand(): Command {
  const command = new Command("backtest")
    .configureOutput(plainErrors)
    .description("run the shipped rules over recorded memory, and tell which alerts would have fired")
    .option("--traces <folder>", "folder of <id>.csv or <id>.csv.gz: memory that was recorded in files")
    .option("--labels <file>", "what is known about the traces; by default labels.json in the folder or beside it")
    .addOption(
      new Option("--engine <engine>", "what evaluates the rules over traces; prometheus runs the programs of that name")
        .choices(["builtin", "prometheus"])
        .default("builtin"),
    )
    .option("--prometheus-url <url>", "your Prometheus: memory that it scraped; user and password may be in the URL")
    .option("--since <duration>", "how far back to look in it", "30d")
    .option("--match <selector>", 'only series that match, such as {namespace="shop"}')
    .option(
      "--metric <name>",
      "gauge of resident memory; by default leakwatch's own, or the container's or process's that is found",
    )
    .option("--limit-metric <name>", "gauge of the memory limit, or one limit for all such as 512MiB")
    .option("--start-time-metric <name>", "gauge of the Unix time at which the process started")
    .option("--step <duration>", "distance of the samples that are fetched", "60s")
    .option("--bearer-token-file <file>", "file with the token that the server wants")
    .option("--json <file>", "write the result here; - for standard output, and nothing else there")
    .allowExcessArguments(false);
  return command.action(async (options: BacktestOptions) => {
    const misuse = misuseOf(options, (name) => command.getOptionValueSource(name) === "cli");
    if (misuse !== undefined) command.error(`error: ${misuse}`);
    await (await import("../backtest/run.ts")).backtest(options);
  });
}

/** What does not go together. */
function misuseOf(options: BacktestOptions, isGiven: (name: string) => boolean): string | undefined {
  const { traces, prometheusUrl } = options;
  if (traces === undefined && prometheusUrl === undefined) return "expected --traces or --prometheus-url";
  if (traces !== undefined && prometheusUrl !== undefined) return "expected --traces or --prometheus-url, got both";
  const stray = (traces === undefined ? fromTraces : fromServer).find(isGiven);
  if (stray === undefined) return undefined;
  return `--${dashed(stray)} only goes with ${traces === undefined ? "--traces" : "--prometheus-url"}`;
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
