// `leakwatch backtest`: would these alerts have fired, when, and how often falsely?

import { Command, Option } from "commander";

export interface BacktestOptions {
  traces: string;
  json?: string;
  labels?: string;
  engine: "builtin" | "prometheus";
}

export function backtestCommand(): Command {
  return new Command("backtest")
    .description("run the shipped rules over recorded memory, and tell which alerts would have fired")
    .requiredOption("--traces <folder>", "folder of <id>.csv or <id>.csv.gz")
    .option("--labels <file>", "what is known about the traces; by default labels.json in the folder or beside it")
    .option("--json <file>", "write the result here; - for standard output")
    .addOption(new Option("--engine <engine>", "what evaluates the rules").choices(["builtin"]).default("builtin"))
    .allowExcessArguments(false)
    .action(async (options: BacktestOptions) => (await import("../backtest/run.ts")).backtest(options));
}
