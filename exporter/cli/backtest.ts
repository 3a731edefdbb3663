// `leakwatch backtest`: would these alerts have fired, when, and how often falsely?

import { Command } from "commander";
import type { BacktestOptions } from "../backtest/options.ts";
import { withManual } from "./manual.ts";

const fromTraces = ["labels"];
const fromServer = [
  "since",
  "match",
  "metric",
  "limitMetric",
  "startTimeMetric",
  "replicaLabel",
  "step",
  "bearerTokenFile",
];

const columns = {
  title: "Columns of a trace, in any order, a row per sample; others are ignored",
  items: [
    ["t_seconds", "time, rising from row to row"],
    ["rss_bytes", "resident memory; empty or NaN for a missing sample"],
    ["anon_bytes", "optional, judged instead: memory that cannot be given back"],
    ["limit_bytes", "optional: memory limit; empty or 0 for none"],
    ["start_time_seconds", "optional: start of the process on the same clock"],
    ["heap_limit_bytes", "optional: limit that the runtime sets itself, such as -Xmx"],
  ],
  closing: "A service of several processes is <id>.w0.csv, <id>.w1.csv, ...",
} as const;

export function backtestCommand(): Command {
  const command = new Command("backtest")
    .description("judge recorded memory, and report which alerts would have fired")
    .option("--traces <folder>", "folder of <id>.csv or <id>.csv.gz: memory that was recorded in files; columns below")
    .option("--labels <file>", "what is known about the traces (default: labels.json in the folder or beside it)")
    .option("--prometheus-url <url>", "your Prometheus: memory that it scraped; user and password may be in the URL")
    .option("--since <duration>", "how far back to look in it", "30d")
    .option("--match <selector>", 'only series that match, such as {namespace="shop"}')
    .option("--metric <name>", "gauge of memory (default: leakwatch's own, or that of containers or processes)")
    .option("--limit-metric <name>", "metric that holds the memory limit, or a fixed limit such as 512MiB")
    .option("--start-time-metric <name>", "metric that holds the Unix time at which the process started")
    .option(
      "--replica-label <name>",
      "label by which only copies of a series differ, as of two Prometheus; may be repeated",
      (name: string, before: string[] | undefined) => [...(before ?? []), name],
    )
    .option("--step <duration>", "resolution of the samples to fetch", "60s")
    .option("--bearer-token-file <file>", "file with the token that the server wants")
    .option("--json <file>", "write the result here; - for standard output, and nothing else there")
    .allowExcessArguments(false);
  command.action(async (options: BacktestOptions) => {
    const misuse = misuseOf(options, (name) => command.getOptionValueSource(name) === "cli");
    if (misuse !== undefined) command.error(`error: ${misuse}`);
    await (await import("../backtest/run.ts")).backtest(options);
  });
  return withManual(command, {
    examples: [
      ["leakwatch backtest --prometheus-url=http://prometheus:9090", "the last 30 days of your Prometheus"],
      [
        "leakwatch backtest --prometheus-url=http://prometheus:9090 --since=7d --match='{namespace=\"shop\"}'",
        "a week of one namespace",
      ],
      ["leakwatch backtest --traces traces/ --json result.json", "recorded files, with the result for a program"],
    ],
    exitCodes: {
      0: "done, whatever was found",
      1: "the server failed, or has nothing to judge",
      2: "a wrong option, or a file that cannot be read or written",
    },
    more: columns,
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
