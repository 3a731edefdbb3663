// An exporter that is killed again and again, without a chance to write anything down, beside real processes that leak and that do not.
// The judge's clock runs 60 times faster (--demo.speed), so that minutes of evidence take seconds, and the state is written every two
// seconds instead of every two minutes. On that clock the second that a start takes is a minute in which nobody watches, more on a busy
// machine: so a claim is kept for the day that the configuration allows, or gaps would end it that nobody has in real time. This shows
// what a kill at any moment does to what is written, restored and counted; how well the judge tells leaks over real hours is not its
// subject.

import fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { ExporterProcess, temporaryFolder } from "../support/exporter-process.ts";
import { randomNumbers } from "../support/memory-curves.ts";
import type { Scrape } from "../support/scrape.ts";
import { newGroup, Target } from "../support/targets.ts";

const speed = 60;
const kills = 50;

test(`killed ${kills} times, an exporter loses no leak, finds none that is none, and makes nothing up`, async () => {
  const [leak, flat, warm] = [newGroup("leak"), newGroup("flat"), newGroup("warm")];
  // as a limit stands in the configuration, nothing ends a process that exceeds it
  const config = `
sampling: { interval: 500ms, max_age: 0s }
unmatched: ignore
detection: { keep: 1d }
groups:
  - { name: "${leak}", match: { cmdline: ".* --group=${leak}" }, memory_limit: 100MiB }
  - { name: "\${name}", match: { cmdline: ".* --group=(?<name>(flat|warm)-\\\\S+)" }, memory_limit: 1GiB }
`;
  const leaking = await Target.start("hog.ts", ["--grow=0.1", `--group=${leak}`]); // 1 MiB a second
  await Target.start("hog.ts", ["--hold=64", `--group=${flat}`]);
  await Target.start("hog.ts", ["--grow=0.3", "--most=40", `--group=${warm}`]);
  const folder = temporaryFolder();
  const start = () => ExporterProcess.start({ config, args: [`--demo.speed=${speed}`, `--storage.path=${folder}`] });

  let exporter = await start();
  await exporter.until("a critical leak", (scrape) => severityOf(scrape, leak) === 4, 100);
  const savedAt = (scrape: Scrape) => scrape.value("leakwatch_state_last_save_timestamp_seconds") ?? 0;
  const calledAt = Date.now() / 1000;
  await exporter.until("it is written down", (scrape) => savedAt(scrape) > calledAt);

  const random = randomNumbers(14);
  const found: { readonly kill: number; readonly severity: number | undefined }[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    // before, while and after it is written: a write comes two seconds after the start
    await wait(2600 * random());
    exporter.signal("SIGKILL");
    expect(await exporter.ended()).toBe("SIGKILL");
    exporter = await start();
    expect(exporter.log()).not.toMatch(/set aside|cannot be/);
    const scrape = await exporter.scrape();
    found.push({ kill, severity: severityOf(scrape, leak) });
    for (const healthy of [flat, warm]) expect(severityOf(scrape, healthy), `${healthy} after kill ${kill}`).toBe(0);
  }

  expect(found.filter(({ severity }) => severity !== 4)).toEqual([]);
  const scrape = await exporter.scrape();
  expect(scrape.labelsOf(leaking.pid)).toMatchObject({ group: leak, slot: "0" });
  for (const group of [leak, flat, warm]) {
    expect(scrape.value("leakwatch_group_processes", { group })).toBe(1);
    for (const counter of ["lives_ended", "lives_ended_growing", "oom_kills"])
      expect(scrape.value(`leakwatch_group_${counter}_total`, { group }), `${counter} of ${group}`).toBe(0);
    for (const reason of ["oom", "suspected_oom", "scheduled", "exit", "unknown"])
      expect(scrape.value("leakwatch_group_restarts_total", { group, reason }), `${reason} of ${group}`).toBe(0);
  }
  // a kill while it writes leaves at most one draft
  expect(["leakwatch.state.gz", "leakwatch.state.gz.tmp"]).toEqual(expect.arrayContaining(fs.readdirSync(folder)));
}, 600_000);

const severityOf = (scrape: Scrape, group: string) => scrape.value("leakwatch_group_leak_severity", { group });
