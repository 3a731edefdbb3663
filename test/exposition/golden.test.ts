// The whole output for every captured machine, as committed files: a reviewer sees each series that changes.
// `npx vitest run test/exposition --update` writes them anew.

import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CgroupLayout } from "../../exporter/cgroupfs/layout.ts";
import { defaultConfig } from "../../exporter/config/config.ts";
import { endOf, type Format } from "../../exporter/exposition/format.ts";
import { Renderer } from "../../exporter/exposition/render.ts";
import { TextBuffer } from "../../exporter/exposition/text-buffer.ts";
import { Failures } from "../../exporter/failures.ts";
import { createLogger } from "../../exporter/log.ts";
import { Cgroups } from "../../exporter/samplers/cgroups.ts";
import { ProcessReader } from "../../exporter/samplers/process-reader.ts";
import { Watcher } from "../../exporter/watch/watcher.ts";
import { FixtureFiles, fixturePath } from "../support/fixtures.ts";
import { checkMetrics, content, parseOpenMetrics } from "./promtool.ts";
import { asDeclared, seriesOf } from "./series.ts";

const machines = [
  "debian12-host-v1",
  "docker-cgroup-v1",
  "podman-v1",
  "cgroup-v2-nested",
  "cgroup-v2-after-worker-oom",
  "cgroup-v2-after-main-oom",
  "cgroup-v2-private-namespace",
  "cgroup-v2-nested-6-12",
] as const;

/** Through our own mount, and where there is one, through the host's. */
const views = machines.flatMap((machine) => [
  { name: machine, machine, cgroupfs: "/sys/fs/cgroup" },
  ...(fs.existsSync(fixturePath(machine, "host"))
    ? [{ name: `${machine}-host-mount`, machine, cgroupfs: "/host/sys/fs/cgroup" }]
    : []),
]);

test("every captured machine has its golden files, and there are no others", () => {
  const captured = fs.readdirSync(fixturePath()).filter((name) => fs.existsSync(fixturePath(name, "proc")));
  expect(captured.toSorted()).toEqual([...machines].toSorted());
  const files = [...views.map(({ name }) => `${name}.prom`), "cgroup-v2-nested.openmetrics"];
  expect(fs.readdirSync(golden(".")).toSorted()).toEqual(files.toSorted());
});

describe.each(views)("exposition of $name", ({ name, machine, cgroupfs }) => {
  test("is the golden one", async () => {
    await expect(await exposition("text", machine, cgroupfs)).toMatchFileSnapshot(golden(`${name}.prom`));
  });

  test("has every series in the catalogue, with its labels in their order", async () => {
    const found = seriesOf(await exposition("text", machine, cgroupfs));
    expect(found.length).toBeGreaterThan(20);
    expect(found).toEqual(found.map(asDeclared));
  });

  test("pleases promtool", async () => {
    expect(checkMetrics(await exposition("text", machine, cgroupfs))).toEqual(content);
  });
});

describe("the same in OpenMetrics", () => {
  const openMetrics = () => exposition("openmetrics", "cgroup-v2-nested", "/sys/fs/cgroup");

  test("is the golden one", async () => {
    await expect(await openMetrics()).toMatchFileSnapshot(golden("cgroup-v2-nested.openmetrics"));
  });

  test("has the same samples", async () => {
    const samples = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const classic = await exposition("text", "cgroup-v2-nested", "/sys/fs/cgroup");
    expect(samples(await openMetrics())).toEqual(samples(classic));
  });

  test("is read by Prometheus' own parser", async () => {
    expect(parseOpenMetrics(await openMetrics())).toEqual(content);
  });
});

const golden = (file: string) => path.join(import.meta.dirname, "../golden", file);

/** One full pass by a fixed clock. The exporter's own prom-client metrics differ on every run and are left out. */
async function exposition(format: Format, machine: string, cgroupfs: string): Promise<string> {
  const files = new FixtureFiles(machine, { cgroupfs });
  const failures = new Failures(createLogger("error", "logfmt"));
  const watcher = new Watcher({
    files,
    failures,
    reader: new ProcessReader(files, { maxKept: 100 }),
    config: defaultConfig,
    clock: { monotonic: () => 1000, unix: () => 1_795_214_500 },
    // the reader of the tree is the sidecar: its pid leads from the host's mount to its own cgroup
    cgroups: new Cgroups(files, failures, CgroupLayout.detect(files, sidecarPid[machine])),
  });
  await watcher.pass({ full: true });
  const buffer = new TextBuffer();
  await new Renderer(watcher).render(format, buffer);
  watcher.close();
  expect([...failures], "nothing that was captured is unreadable").toEqual([]);
  return buffer.written().toString("utf8") + endOf(format);
}

const sidecarPid: Record<string, number> = { "docker-cgroup-v1": 39, "cgroup-v2-private-namespace": 6 };
