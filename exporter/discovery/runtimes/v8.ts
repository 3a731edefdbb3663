// The heap limit of V8, in Node.js and Deno. The number is that of the old space, where what stays alive is; V8 itself reports some MiB more
// (`heap_size_limit`), for the young generation. When it is reached V8 aborts: SIGABRT.
//   node --max-old-space-size=512 server.js       MiB
//   NODE_OPTIONS="--max-old-space-size-percentage=60"   of the memory that Node.js sees; beats a number in MiB
// https://nodejs.org/api/cli.html

import { GiB, MiB } from "../../../catalog/defaults.ts";
import { aborted, type HeapLimitSource, type HeapSetting, type HeapSize } from "./heap-limit.ts";
import { optionWords } from "./words.ts";

/** What sets the limit, in MiB and percent. */
export interface V8Options {
  readonly oldSpace?: number;
  readonly heap?: number;
  readonly percentage?: number;
}

/**
 * The same in Node.js 20 to 26: half of the memory from 512 MiB to 4 GiB, then 2 GiB, and 4 GiB from 16 GiB of memory on. Between 15 and 16 GiB
 * versions differ. Older ones do not see every limit of a container.
 */
const defaultSize: HeapSize = {
  steps: [
    { from: 0, bytes: 256 * MiB },
    { from: 512 * MiB, share: 0.5 },
    { from: 4 * GiB, bytes: 2 * GiB },
    { from: 15_000 * MiB },
    { from: 16 * GiB, bytes: 4 * GiB },
  ],
};
const defaultSince = 20;

/** Of options in the order in which they are given: the last of each kind counts. */
export function readV8Options(words: readonly string[]): V8Options {
  const options: { -readonly [Name in keyof V8Options]: V8Options[Name] } = {};
  for (const word of words) {
    const [, name, value] =
      /^--?max[-_](old[-_]space[-_]size(?:[-_]percentage)?|heap[-_]size)=([\d.]+)$/.exec(word) ?? [];
    if (name === undefined) continue;
    const kind = name.startsWith("heap") ? "heap" : name.endsWith("percentage") ? "percentage" : "oldSpace";
    options[kind] = Number(value);
  }
  return options;
}

export const readNodeOptions = (text: string): V8Options => readV8Options(optionWords(text, '"'));

/** Deno's arguments, or its variable DENO_V8_FLAGS: flags between commas. */
export function readDenoFlags(words: readonly string[]): V8Options {
  return readV8Options(words.flatMap((word) => word.replace(/^--v8-flags=/, "").split(",")));
}

/** `version` is the major version of Node.js; undefined where it is not known, or where something is not known that could set a limit. */
export function v8Setting(
  argv: V8Options,
  environment: V8Options,
  version: number | undefined,
): HeapSetting | undefined {
  const both = { ...environment, ...argv };
  const from = (kind: keyof V8Options): HeapLimitSource => (argv[kind] === undefined ? "environment" : "command_line");
  if (both.percentage) return setting({ share: both.percentage / 100 }, from("percentage"));
  if (both.oldSpace) return setting({ bytes: both.oldSpace * MiB }, from("oldSpace"));
  if (both.heap) return setting({ bytes: both.heap * MiB }, from("heap"));
  return version !== undefined && version >= defaultSince ? setting(defaultSize, "default") : undefined;
}

const setting = (size: HeapSize, source: HeapLimitSource): HeapSetting => ({
  runtime: "v8",
  source,
  kind: "hard",
  exitCodes: [aborted],
  size,
});

/** Major version of Node.js, where the path of its program says it, or an official image: /usr/local/bin/node beside NODE_VERSION. */
export function nodeVersion(exe: string | undefined, variable: string | undefined): number | undefined {
  const inPath = /\/(?:node-)?v?(\d+)\.\d+\.\d+[^/]*\/(?:.*\/)?bin\/node$/.exec(exe ?? "")?.[1];
  const ofImage = exe === "/usr/local/bin/node" ? /^v?(\d+)\.\d+\.\d+$/.exec(variable ?? "")?.[1] : undefined;
  const version = inPath ?? ofImage;
  return version === undefined ? undefined : Number(version);
}
