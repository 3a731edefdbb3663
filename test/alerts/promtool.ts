// What Prometheus' own program says about rules.

import { execFile } from "node:child_process";

/** Everything that it printed, and whether it was content. */
export function promtool(...words: readonly string[]): Promise<{ ok: boolean; said: string }> {
  return new Promise((resolve, reject) => {
    execFile("promtool", words, { encoding: "utf8" }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number")
        reject(error); // not installed
      else resolve({ ok: error === null, said: stdout + stderr });
    });
  });
}
