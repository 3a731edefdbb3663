// What Prometheus' own program says about an exposition.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

interface Verdict {
  status: number | null;
  said: string;
}

export const content: Verdict = { status: 0, said: "" };

/** Syntax and naming rules of the classic text format. */
export function checkMetrics(text: string): Verdict {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

/** Reads OpenMetrics. promtool does so only to make blocks of it, and for that every sample needs a time. */
export function parseOpenMetrics(text: string): Verdict {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-openmetrics-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, "input"), text.replaceAll(/^([^#\n].*)$/gm, "$1 1795213753"));
  const command = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", "input", "blocks"];
  const { status, stdout, stderr } = spawnSync("promtool", command, { cwd: folder, encoding: "utf8" });
  return { status, said: stdout + stderr };
}
