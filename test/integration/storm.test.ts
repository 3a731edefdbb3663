// Two thousand processes a second that end at once, and cgroups that come and go within a pass, beside a service that is restarted.

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { ExporterProcess, logged, stop } from "../support/exporter-process.ts";
import type { Labels } from "../support/scrape.ts";
import { newGroup, Target } from "../support/targets.ts";

const script = fileURLToPath(new URL("./targets/storm.py", import.meta.url));
const cgroups = fs.existsSync("/sys/fs/cgroup/memory") ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";

/** As installed, and one rule for the service beside the storm. */
const config = (group: string) => `
sampling: { interval: 500ms, max_age: 0s }
groups:
  - name: ${group}
    match: { cmdline: ".* --group=${group}( .*)?" }
`;

test("2,000 short-lived processes a second for 30 s: no restart but that of the service, no group but their own", async () => {
  const group = newGroup("calm");
  const folder = path.join(cgroups, newGroup("storm"));
  fs.mkdirSync(folder);
  onTestFinished(async () => {
    await expect.poll(() => removed(folder), { timeout: 30_000 }).toBe(true);
  });
  const exporter = await ExporterProcess.start({ config: config(group) });
  const service = await Target.start("hog.ts", [`--group=${group}`]);
  await exporter.untilWatched(service.pid);

  const storm = spawn("python3", [script, "30", "2000", folder], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => stop(storm));
  let output = "";
  storm.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await logged(storm, () => output, /(ready)/);
  await exporter.until(
    "the storm",
    (found) => (found.sum("leakwatch_group_processes", { group: "storm.py" }) ?? 0) > 0,
  );
  await service.end();
  const next = await Target.start("hog.ts", [`--group=${group}`]);
  await exporter.untilWatched(next.pid);
  const started = Number(await logged(storm, () => output, /started (\d+)/, 90));
  expect(started).toBeGreaterThan(10_000); // as many as a busy machine gets started

  const scrape = await exporter.until("an end of it", (found) => {
    return found.value("leakwatch_group_processes", { group: "storm.py" }) === 1 && found;
  });
  // whatever else runs on this machine may be restarted too
  const isOurs = ({ labels }: { labels: Labels }) => /^calm|storm|sleep/.test(labels["group"] ?? "");
  const restarts = scrape.all("leakwatch_group_restarts_total", {}).filter((one) => isOurs(one) && one.value > 0);
  expect(restarts.map(({ labels, value }) => [labels["group"], labels["reason"], value])).toEqual([[group, "exit", 1]]);
  const groups = scrape.all("leakwatch_group_processes", {}).filter(isOurs);
  expect([group, "sleep", "storm.py"]).toEqual(expect.arrayContaining(groups.map(({ labels }) => labels["group"])));
  expect(scrape.value("leakwatch_kept_descriptors", {})).toBeLessThan(2000);
  expect(exporter.log()).not.toMatch(/level=error/);
});

function removed(folder: string): boolean {
  if (!fs.existsSync(folder)) return true;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removed(path.join(folder, entry.name));
  }
  try {
    fs.rmdirSync(folder);
    return true;
  } catch {
    return false; // its processes are ending
  }
}
