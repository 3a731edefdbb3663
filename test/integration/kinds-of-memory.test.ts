// What grows, and is a leak or none: memory that cannot be given back, of real processes and of a real container. (Swap has a kernel of its
// own: test/e2e/k8s-cgroup-v2.test.ts.) The judge's clock runs 60 times faster.

import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { Container } from "../support/container.ts";
import { ExporterProcess, logged, stop, temporaryFolder } from "../support/exporter-process.ts";
import type { Scrape } from "../support/scrape.ts";
import { newGroup } from "../support/targets.ts";

const script = fileURLToPath(new URL("./targets/kinds.py", import.meta.url));

/** A process that takes a mebibyte a second of this kind; returns its group. */
async function taking(kind: "shared" | "mapped" | "cached"): Promise<string> {
  const group = newGroup(kind);
  const file = path.join(temporaryFolder(), "file");
  const child = spawn("python3", [script, kind, file, `--group=${group}`], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => stop(child));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await logged(child, () => output, /(ready)/);
  return group;
}

const wordOf = (scrape: Scrape, group: string) =>
  scrape.all("leakwatch_process_verdict", { group })[0]?.labels["verdict"];

test("shared memory and files in tmpfs leak; mapped files and page cache do not", async () => {
  const exporter = await ExporterProcess.start({
    config: `
sampling: { interval: 500ms, max_age: 0s }
unmatched: ignore
groups:
  - { name: "\${name}", match: { cmdline: ".* --group=(?<name>\\\\S+)" }, memory_limit: 100MiB }
`,
    args: ["--demo.speed=60"],
  });
  const [shared, mapped, cached] = [await taking("shared"), await taking("mapped"), await taking("cached")];
  const inTmpfs = newGroup("tmpfs");
  const grow = `i=0; while [ $i -lt 100 ]; do head -c 1048576 /dev/zero >> /files/one; i=$((i + 1)); sleep 1; done`;
  new Container(["--memory=150m", "--tmpfs=/files"], ["sh", "-c", grow, "sh", `--group=${inTmpfs}`]);

  const harmless = new Set<string | undefined>();
  const outside = await exporter.until(
    "both leaks",
    (scrape) => {
      for (const group of [mapped, cached, inTmpfs]) harmless.add(wordOf(scrape, group));
      const cgroup = scrape.all("leakwatch_process_info", { group: inTmpfs })[0]?.labels["cgroup"];
      const severity = cgroup === undefined ? 0 : (scrape.value("leakwatch_cgroup_leak_severity", { cgroup }) ?? 0);
      const isLeaking = wordOf(scrape, shared) === "leaking" && severity > 0;
      return isLeaking && scrape.value("leakwatch_cgroup_memory_outside_processes_bytes", { cgroup: cgroup as string });
    },
    90,
  );
  expect(outside).toBeGreaterThan(15 * 1024 ** 2);
  // they were looked at all the time, and each was judged
  expect(harmless).toContain("stable");
  for (const word of ["leaking", "growing"]) expect(harmless).not.toContain(word);
});
