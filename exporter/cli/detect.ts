// `leakwatch detect`: does this process leak? For a developer who wants to know before the deploy.

import { Command } from "commander";
import { byteSize, type Decoder, duration } from "../config/decode.ts";
import type { DetectPlan } from "../detect/run.ts";
import { checked } from "./options.ts";
import { plainErrors } from "./plain-errors.ts";

interface DetectOptions {
  pid?: string;
  group?: string;
  for?: string;
  speed?: string;
  limit?: string;
  json: boolean;
}

const defaultRun = "10m";

export function detectCommand(): Command {
  const command = new Command("detect")
    .configureOutput(plainErrors)
    .description("watch one process, or run a command, and tell whether it leaks; put it under load meanwhile")
    .argument("[command...]", "a command to run and watch, after --")
    .option("--pid <pid>", "watch this process and its children", checked(pidOf))
    .option("--group <name>", "watch all processes of this name, as leakwatch names them: server.js, nginx")
    .option("--for <duration>", `how long to look; longer looks see slower leaks (default: ${defaultRun})`)
    .option("--speed <times>", "judge as if time ran so many times faster; by default as --for needs it")
    .option("--limit <size>", "the memory that it may use in production, such as 512MiB")
    .option("--json", "the result as JSON", false)
    .addHelpText("after", "\nExit code: 0 no leak found, 1 leak, 2 it cannot be told.");
  return command.action(async (words: string[], options: DetectOptions) => {
    const { DetectError, detect } = await import("../detect/run.ts");
    try {
      process.exitCode = await detect(await planOf(words, options));
    } catch (error) {
      if (!(error instanceof DetectError || error instanceof Misuse)) throw error;
      command.error(`error: ${error.message}`, { exitCode: 2 });
    }
  });
}

class Misuse extends Error {}

async function planOf(words: string[], { pid, group, json, ...options }: DetectOptions): Promise<DetectPlan> {
  const { runFor, longestRun, shortestRun, speedFor } = await import("../detect/windows.ts");
  const speed = options.speed === undefined ? undefined : Number(options.speed);
  if (speed !== undefined && !(speed >= 1)) throw new Misuse(`expected --speed of 1 or more, got "${options.speed}"`);
  const wanted = options.for ?? (speed === undefined ? defaultRun : undefined);
  const seconds = wanted === undefined ? runFor(speed ?? 1) : decoded(duration, "--for", wanted);
  if (!(seconds >= shortestRun && seconds <= longestRun))
    throw new Misuse(`expected --for from ${shortestRun}s to ${longestRun / 3600}h, got ${wanted ?? `${seconds}s`}`);
  const least = speedFor(seconds);
  if (speed !== undefined && wanted !== undefined && speed < least)
    throw new Misuse(`in ${wanted} the windows only fit with --speed of ${Math.ceil(least)} or more, got ${speed}`);
  return {
    target: targetOf(words, pid, group),
    seconds,
    speed: speed ?? least,
    limit: options.limit === undefined ? undefined : decoded(byteSize, "--limit", options.limit),
    json,
  };
}

function targetOf(words: string[], pid: string | undefined, group: string | undefined): DetectPlan["target"] {
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
