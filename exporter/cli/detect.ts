// `leakwatch detect`: does this process leak? For a developer who wants to know before the deploy, and for a pipeline.

import { Command } from "commander";
import { shortRun } from "../../detection/short-run.ts";
import { byteSize, type Decoder, duration } from "../config/decode.ts";
import { exitCodes, wordText } from "../detect/exit-code.ts";
import type { DetectPlan } from "../detect/observe.ts";
import type { Target } from "../detect/target.ts";
import { checked } from "./options.ts";
import { plainErrors } from "./plain-errors.ts";

interface DetectOptions {
  pid?: string;
  group?: string;
  for?: string;
  load?: string;
  limit?: string;
  collect: boolean;
  json: boolean;
  junit?: string;
}

export function detectCommand(): Command {
  const command = new Command("detect")
    .configureOutput(plainErrors)
    .description("watch one process, or run a command, and report whether it leaks; put it under load meanwhile")
    .argument("[command...]", "a command to run and watch, after --")
    .option("--pid <pid>", "watch this process and its children", checked(pidOf))
    .option("--group <name>", "watch all processes of this name, as leakwatch names them: server.js, nginx")
    .option(
      "--for <duration>",
      `how long to observe, and as long again where the result is weak (default: ${shortRun.seconds / 60}m)`,
    )
    .option("--load <command>", "run this command as load, wait, and run it again; only a leak grows with each load")
    .option("--limit <size>", "the memory that it may use in production, with its unit: 512MiB")
    .option(
      "--no-collect",
      "do not ask Node.js and Java to collect garbage and report what is in use: no pauses, weaker results",
    )
    .option("--json", "the result as JSON", false)
    .option("--junit <file>", "write the result as JUnit XML too")
    .addHelpText("after", `\nExit code: ${codes()}, 1 failure, 2 wrong option or no such process.`);
  return command.action(async (words: string[], options: DetectOptions) => {
    const [{ detect }, { DetectError }] = await Promise.all([
      import("../detect/run.ts"),
      import("../detect/target.ts"),
    ]);
    try {
      process.exitCode = await detect(planOf(words, options), { json: options.json, junit: options.junit });
    } catch (error) {
      if (!(error instanceof DetectError || error instanceof Misuse)) throw error;
      command.error(`error: ${error.message}`, { exitCode: 2 });
    }
  });
}

const codes = () =>
  Object.entries(exitCodes)
    .map(([word, code]) => `${code} ${wordText(word as keyof typeof exitCodes)}`)
    .join(", ");

class Misuse extends Error {}

function planOf(words: string[], { pid, group, load, limit, collect, ...options }: DetectOptions): DetectPlan {
  const { shortest, longest } = shortRun;
  const target = targetOf(words, pid, group);
  const seconds = options.for === undefined ? shortRun.seconds : decoded(duration, "--for", options.for);
  if (!(seconds >= shortest && seconds <= longest))
    throw new Misuse(`expected --for from ${shortest}s to ${longest / 3600}h, got ${options.for}`);
  return {
    target,
    seconds,
    load,
    limit: limit === undefined ? undefined : sizeOf(limit),
    collect,
  };
}

/** `--limit 512` would be half a kilobyte. */
function sizeOf(text: string): number {
  if (/^[\d.]+$/.test(text)) throw new Misuse(`--limit: expected a size with its unit such as 512MiB, got "${text}"`);
  return decoded(byteSize, "--limit", text);
}

function targetOf(words: string[], pid: string | undefined, group: string | undefined): Target {
  const [program, ...args] = words;
  const given = [pid, group, program].filter((one) => one !== undefined).length;
  if (given !== 1) throw new Misuse("expected one of --pid, --group and a command after --");
  if (pid !== undefined) return { pid: pidOf(pid) };
  return group === undefined ? { command: [program as string, ...args] } : { group };
}

function pidOf(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`expected the id of a process, got "${text}"`);
  return Number(text);
}

function decoded<T>(decoder: Decoder<T>, flag: string, text: string): T {
  try {
    return decoder(text, []);
  } catch (error) {
    throw new Misuse(`${flag}: ${(error as Error).message}`);
  }
}
