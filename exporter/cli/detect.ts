// `leakwatch detect`: does this process leak? For a developer who wants to know before the deploy, and for a pipeline.

import { Command } from "commander";
import { shortRun } from "../../detection/short-run.ts";
import type { Word } from "../detect/answer.ts";
import { exitCodes, wordText } from "../detect/exit-code.ts";
import type { Target } from "../detect/target.ts";
import { withManual } from "./manual.ts";
import { onlyLinux } from "./only-linux.ts";
import { checked } from "./options.ts";

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
    .option("--junit <file>", "write the result as JUnit XML too");
  command.action(async (words: string[], { pid, group, json, junit, ...options }: DetectOptions) => {
    const target = targetOf(words, pid, group);
    if (target === undefined) return command.error("error: expected one of --pid, --group and a command after --");
    const [{ detect }, { planOf }, { DetectError }] = await Promise.all([
      import("../detect/run.ts"),
      import("../detect/plan.ts"),
      import("../detect/target.ts"),
    ]);
    try {
      process.exitCode = await detect(
        planOf({ ...options, target }, (option) => `--${option}`),
        { json, junit },
      );
    } catch (error) {
      if (!(error instanceof DetectError)) throw error;
      command.error(`error: ${error.message}`);
    }
  });
  return withManual(onlyLinux(command), {
    examples: [
      ["leakwatch detect -- node server.js", "run a command, and put it under load meanwhile"],
      ['leakwatch detect --load "npx autocannon -d 60 localhost:3000" -- node server.js', "the same with the load"],
      ["leakwatch detect --pid 4242 --for 10m", "a process that runs already, for longer"],
      [
        "leakwatch detect --limit 512MiB --junit leaks.xml -- node server.js",
        "in a pipeline: a limit to judge by, and a report for it",
      ],
    ],
    exitCodes: {
      ...Object.fromEntries(Object.entries(exitCodes).map(([word, code]) => [code, wordText(word as Word)])),
      1: "failure of leakwatch itself",
      2: "a wrong option, or no such process",
    },
  });
}

/** Undefined where it is none, or more than one. */
function targetOf(words: string[], pid: string | undefined, group: string | undefined): Target | undefined {
  const [program, ...args] = words;
  if ([pid, group, program].filter((given) => given !== undefined).length !== 1) return undefined;
  if (pid !== undefined) return { pid: pidOf(pid) };
  return group === undefined ? { command: [program as string, ...args] } : { group };
}

function pidOf(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`expected the id of a process, got "${text}"`);
  return Number(text);
}
