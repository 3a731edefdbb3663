// Which runtime a process has, and the heap limit that this one was given.

import path from "node:path";
import { whatRuns } from "./interpreters.ts";
import { dotnetSetting } from "./runtimes/dotnet.ts";
import type { RuntimeEnvironment } from "./runtimes/environment.ts";
import { goSetting } from "./runtimes/go.ts";
import type { HeapSetting } from "./runtimes/heap-limit.ts";
import { jvmSetting, readJvmOptions } from "./runtimes/jvm.ts";
import { nodeVersion, readDenoFlags, readV8Options, v8Setting } from "./runtimes/v8.ts";

/** What is known of a process beside its arguments. */
export interface RuntimeFacts {
  /** Path of the program; undefined where the link may not be read. */
  readonly exe: string | undefined;
  /** Undefined where it may not be read, or was not yet. */
  readonly environment: RuntimeEnvironment | undefined;
  /** What its program or its threads show of its runtime, where its name does not. */
  readonly shown?: "go" | "dotnet" | undefined;
}

/** Undefined where no limit is known. `argv` as the process has it, the program first. */
export function heapSettingOf(
  argv: readonly string[],
  { exe, environment, shown }: RuntimeFacts,
): HeapSetting | undefined {
  const program = path.basename(exe ?? argv[0] ?? "").replace(/ \(deleted\)$/, "");
  const options = () => optionsOf(argv, program);
  if (/^(node|nodejs|iojs)$/.test(program)) {
    const version = environment && nodeVersion(exe, environment.nodeVersion);
    return v8Setting(readV8Options(options()), environment?.node ?? {}, version);
  }
  if (program === "deno") return v8Setting(readDenoFlags(options()), environment?.deno ?? {}, undefined);
  if (program === "java") {
    // the JVM of Eclipse and IBM has defaults of its own
    const other = /openj9|semeru/i.test(exe ?? "") ? ["-Xquickstart"] : [];
    return jvmSetting(readJvmOptions([...other, ...options()]), environment?.jvm);
  }
  if (environment === undefined) return undefined;
  if (program === "dotnet" || shown === "dotnet") return dotnetSetting(environment.dotnet);
  if (shown === "go" && environment.go !== undefined) return goSetting(environment.go);
  return undefined;
}

/** Those for the runtime, which come before what it runs; those behind are for the program. */
function optionsOf(argv: readonly string[], program: string): readonly string[] {
  const run = whatRuns(argv, program, program);
  return run === undefined ? argv.slice(1) : argv.slice(1, argv.length - run.rest.length - 1);
}
