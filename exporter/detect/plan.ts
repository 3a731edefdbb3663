// A run as a user asks for it, in the options of the command line or of the library.

import { shortRun } from "../../detection/short-run.ts";
import { byteSize, type Decoder, duration } from "../config/decode.ts";
import type { Load } from "./load.ts";
import type { DetectPlan } from "./observe.ts";
import { DetectError, type Target } from "./target.ts";

export interface DetectRequest {
  readonly target: Target;
  readonly for?: string | undefined;
  readonly load?: Load | undefined;
  readonly limit?: string | undefined;
  readonly collect: boolean;
}

/** `nameOf` an option as the user wrote it, for what is wrong with it. */
export function planOf(
  { target, load, collect, ...options }: DetectRequest,
  nameOf: (option: string) => string,
): DetectPlan {
  return {
    target,
    seconds: secondsOf(options.for, nameOf("for"), shortRun),
    load,
    limit: options.limit === undefined ? undefined : sizeOf(options.limit, nameOf("limit")),
    collect,
  };
}

/** Between `shortest` and `longest`; `seconds` where nothing is said. */
export function secondsOf(
  text: string | undefined,
  name: string,
  { seconds, shortest, longest }: { seconds: number; shortest: number; longest: number },
): number {
  if (text === undefined) return seconds;
  const given = decoded(duration, name, text);
  if (!(given >= shortest && given <= longest))
    throw new DetectError(`expected ${name} from ${shortest}s to ${longest / 3600}h, got ${text}`);
  return given;
}

/** `--limit 512` would be half a kilobyte. */
function sizeOf(text: string, name: string): number {
  if (/^[\d.]+$/.test(text))
    throw new DetectError(`${name}: expected a size with its unit such as 512MiB, got "${text}"`);
  return decoded(byteSize, name, text);
}

function decoded<T>(decoder: Decoder<T>, name: string, text: string): T {
  try {
    return decoder(text, []);
  } catch (error) {
    throw new DetectError(`${name}: ${(error as Error).message}`);
  }
}
