// The heap limit that a runtime was given on its command line, and how it ends when that is reached:
//   node --max-old-space-size=512 server.js      MiB; V8 aborts: SIGABRT, or exit code 134 where a shell says it
//   java -Xmx512m -XX:+ExitOnOutOfMemoryError    exit code 3; with CrashOnOutOfMemoryError it aborts
// https://nodejs.org/api/cli.html, https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html

import { GiB, KiB, MiB } from "../../catalog/defaults.ts";

export interface HeapLimit {
  /** In bytes. */
  readonly bytes: number;
  /** Codes with which it exits when it cannot allocate; an abort counts in any case. */
  readonly exitCodes: readonly number[];
}

const units: Record<string, number> = { "": 1, k: KiB, m: MiB, g: GiB, t: 1024 * GiB };

/** An abort, as a shell and container engines say it: 128 and the number of SIGABRT. */
const aborted = 134;

/** Undefined where the arguments set none. The last of several counts. */
export function heapLimitOf(argv: readonly string[]): HeapLimit | undefined {
  const exitCodes = argv.includes("-XX:+ExitOnOutOfMemoryError") ? [3, aborted] : [aborted];
  for (const argument of argv.toReversed()) {
    const v8 = /^--max[-_](?:old[-_]space|heap)[-_]size=(\d+)$/.exec(argument);
    if (v8 !== null) return { bytes: Number(v8[1]) * MiB, exitCodes: [aborted] };
    const java = /^(?:-Xmx|-XX:MaxHeapSize=)(\d+)([kmgt]?)$/i.exec(argument);
    if (java !== null) return { bytes: Number(java[1]) * (units[(java[2] ?? "").toLowerCase()] as number), exitCodes };
  }
  return undefined;
}
