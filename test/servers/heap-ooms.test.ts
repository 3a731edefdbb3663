// A service whose heap ends it again and again: V8 gives up at its own limit, far below the container's, and the kernel counts nothing.

import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { ExporterProcess, onlyTargets, stop } from "../support/exporter-process.ts";
import { newGroup } from "../support/targets.ts";

test("heap OOMs in a row are a masked leak at the second", async () => {
  const exporter = await ExporterProcess.start({ config: onlyTargets });
  const group = newGroup("heap");
  const fill = "const all=[]; setInterval(() => { for (let i=0; i<8; i++) all.push(new Array(2000).fill(i)); }, 25)";
  // twelve of them, as a supervisor starts them
  const again = `for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "$@"; sleep 0.2; done`;
  const node = [process.execPath, "--max-old-space-size=32", "-e", fill, "--", `--group=${group}`];
  const supervisor = spawn("sh", ["-c", again, "sh", ...node], { stdio: "ignore", detached: true });
  onTestFinished(async () => {
    if (supervisor.exitCode === null) process.kill(-(supervisor.pid as number), "SIGKILL");
    await stop(supervisor);
  });
  const ended = await exporter.until(
    "a masked leak",
    (scrape) => {
      const isMasked = scrape.all("leakwatch_group_verdict", { group })[0]?.labels["verdict"] === "masked_leak";
      return isMasked && scrape.value("leakwatch_group_lives_ended_total", { group });
    },
    120,
  );
  expect(ended).toBe(2);
  const scrape = await exporter.scrape();
  expect(scrape.value("leakwatch_group_leak_severity", { group })).toBeGreaterThanOrEqual(3);
  expect(scrape.all("leakwatch_group_last_end_info", { group })[0]?.labels["evidence"]).toBe("heap_limit");
});
