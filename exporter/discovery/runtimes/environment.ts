// /proc/<pid>/environ: the environment with which a program was started, `NAME=value` each ended by a NUL byte. It can hold secrets, so what
// limits the heap is taken from it as numbers, and nothing else is kept.
// https://man7.org/linux/man-pages/man5/proc_pid_environ.5.html

import { type DotnetEnvironment, readDotnetVariables } from "./dotnet.ts";
import { readGoMemLimit } from "./go.ts";
import { type JvmEnvironment, readJavaVariable } from "./jvm.ts";
import { readDenoFlags, readNodeOptions, type V8Options } from "./v8.ts";

/** What the runtimes would take from it, each of its own. */
export interface RuntimeEnvironment {
  readonly node: V8Options;
  /** NODE_VERSION of an official image, such as `24.1.0`; undefined where it is no version. */
  readonly nodeVersion: string | undefined;
  readonly deno: V8Options;
  readonly jvm: JvmEnvironment;
  /** GOMEMLIMIT in bytes. */
  readonly go: number | undefined;
  readonly dotnet: DotnetEnvironment;
}

/** Of the text of the file, or of as much of it as was read. Most environments set no limit, and share one value. */
export function readEnvironment(text: string): RuntimeEnvironment {
  const variables = relevantVariables(text);
  return variables.size === 0 ? nothingSet : limitsIn(variables);
}

function relevantVariables(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const [, name, value] of text.matchAll(relevant)) {
    // of a name that is there twice, getenv finds the first
    if (name !== undefined && value !== undefined && !variables.has(name)) variables.set(name, value);
  }
  return variables;
}

function limitsIn(variables: ReadonlyMap<string, string>): RuntimeEnvironment {
  const variable = (name: string) => variables.get(name);
  const java = (name: string) => readJavaVariable(variable(name) ?? "");
  return {
    node: readNodeOptions(variable("NODE_OPTIONS") ?? ""),
    nodeVersion: /^v?\d{1,3}\.\d{1,3}\.\d{1,3}$/.exec(variable("NODE_VERSION") ?? "")?.[0],
    deno: readDenoFlags([variable("DENO_V8_FLAGS") ?? ""]),
    jvm: { tool: java("JAVA_TOOL_OPTIONS"), launcher: java("JDK_JAVA_OPTIONS"), last: java("_JAVA_OPTIONS") },
    go: readGoMemLimit(variable("GOMEMLIMIT") ?? ""),
    dotnet: readDotnetVariables(variable),
  };
}

const relevant =
  /(?<=^|\0)(NODE_OPTIONS|NODE_VERSION|DENO_V8_FLAGS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|GOMEMLIMIT|DOTNET_RUNNING_IN_CONTAINER|(?:DOTNET|COMPlus)_GCHeapHardLimit\w*)=([^\0]*)/g;

const nothingSet = limitsIn(new Map());
