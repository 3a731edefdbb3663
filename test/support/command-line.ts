// The command line, run in the test's own process: what was typed, what is printed, and the exit code. A program of its own takes
// half a second to start, which only those tests need that are about the start.

import { vi } from "vitest";
import { runCommandLine } from "../../exporter/cli/program.ts";

export interface Printed {
  code: number;
  stdout: string;
  stderr: string;
}

/** `process.exit` was called. */
class Exited extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Runs leakwatch with these words. Not for two at once: the standard streams are the process'. Throws what the program would die of. */
export async function leakwatch(...words: string[]): Promise<Printed> {
  const printed = { stdout: "", stderr: "" };
  const capture = (name: keyof typeof printed) =>
    vi.spyOn(process[name], "write").mockImplementation((text, ...rest: unknown[]) => {
      printed[name] += typeof text === "string" ? text : Buffer.from(text).toString();
      const done = rest.at(-1);
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    });
  const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Exited(Number(code ?? process.exitCode ?? 0));
  });
  const spies = [capture("stdout"), capture("stderr"), exit];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await runCommandLine(words);
    return { code: Number(process.exitCode ?? 0), ...printed };
  } catch (error) {
    if (!(error instanceof Exited)) throw error;
    return { code: error.code, ...printed };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
