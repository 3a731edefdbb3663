// The exporter's own life: new configurations, the end, and how much memory it takes.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ExporterProcess, onlyTargets, stop, temporaryFolder } from "../support/exporter-process.ts";
import { fixture, fixturePath, KiB, MiB } from "../support/fixtures.ts";
import { newGroup, statusField, Target } from "../support/targets.ts";

describe("a new configuration", () => {
  const renamed = onlyTargets.replace(`"\${name}"`, `"renamed-\${name}"`);
  const broken = onlyTargets.replace("unmatched: ignore", "unmatched: forget");

  test.each([
    ["SIGHUP", async (exporter: ExporterProcess) => exporter.signal("SIGHUP")],
    ["POST /-/reload", async (exporter: ExporterProcess) => void (await reload(exporter))],
  ])("is read on %s", async (_, trigger) => {
    const group = newGroup("api");
    const target = await Target.start("hog.ts", [`--group=${group}`]);
    const exporter = await ExporterProcess.start({ args: ["--web.enable-lifecycle"] });
    expect((await exporter.untilWatched(target.pid))["group"]).toBe(group);
    fs.writeFileSync(exporter.configFile, renamed);
    await trigger(exporter);
    await exporter.until("the new name", (scrape) => scrape.labelsOf(target.pid)?.["group"] === `renamed-${group}`);
  });

  test("that is bad is refused on SIGHUP, and the old one stays", async () => {
    const group = newGroup("api");
    const target = await Target.start("hog.ts", [`--group=${group}`]);
    const exporter = await ExporterProcess.start();
    await exporter.untilWatched(target.pid);
    fs.writeFileSync(exporter.configFile, broken);
    exporter.signal("SIGHUP");
    const scrape = await exporter.until("the refusal", (found) => {
      return found.value("leakwatch_config_last_reload_successful") === 0 && found;
    });
    expect(scrape.labelsOf(target.pid)?.["group"]).toBe(group);
    expect(exporter.log()).toContain("expected watch or ignore");
  });

  test("is not read on POST /-/reload without the flag, but still on SIGHUP", async () => {
    const exporter = await ExporterProcess.start();
    fs.writeFileSync(exporter.configFile, broken);
    expect(await reload(exporter)).toEqual({ status: 403, body: "Lifecycle API is not enabled.\n" });
    expect((await exporter.scrape()).value("leakwatch_config_last_reload_successful")).toBe(1);
    exporter.signal("SIGHUP");
    await exporter.until("the refusal", (scrape) => scrape.value("leakwatch_config_last_reload_successful") === 0);
  });

  test("that is bad is answered with its place by POST /-/reload, and a good one after it is taken", async () => {
    const exporter = await ExporterProcess.start({ args: ["--web.enable-lifecycle"] });
    expect((await exporter.scrape()).value("leakwatch_config_last_reload_successful")).toBe(1);
    fs.writeFileSync(exporter.configFile, broken);
    const refused = await reload(exporter);
    expect(refused.status).toBe(500);
    // the first line of the text is empty
    expect(refused.body).toBe(
      `failed to reload config: ${exporter.configFile}:3: unmatched: expected watch or ignore, got "forget"\n`,
    );
    expect((await exporter.scrape()).value("leakwatch_config_last_reload_successful")).toBe(0);
    fs.writeFileSync(exporter.configFile, renamed);
    expect((await reload(exporter)).status).toBe(200);
    expect((await exporter.scrape()).value("leakwatch_config_last_reload_successful")).toBe(1);
  });
});

describe("SIGTERM", () => {
  test("lets a scrape finish that is under way, and takes no other", async () => {
    // a machine on which one file cannot be read before we say so
    const folder = temporaryFolder();
    fs.cpSync(fixturePath("debian12-host-v1", "proc"), folder, { recursive: true });
    const slowFile = path.join(folder, "7769/smaps_rollup");
    fs.rmSync(slowFile);
    execFileSync("mkfifo", [slowFile]);
    const starting = ExporterProcess.start({
      args: [`--path.procfs=${folder}`],
      config: `
sampling: { interval: 5m, max_age: 0s }
unmatched: ignore
groups: [{ name: api, match: { name: server.js } }]
smaps: { enabled: true, interval: 0s }`,
    });
    const contents = fixture("debian12-host-v1/proc/7769/smaps_rollup");
    (await openForReader(slowFile)).write(contents); // the first pass reads it too
    const exporter = await starting;

    const scrape = exporter.scrape();
    const file = await openForReader(slowFile);
    exporter.signal("SIGTERM");
    await vi.waitUntil(() => exporter.log().includes("msg=stopping"), { timeout: 30_000 });
    await expect(fetch(exporter.url)).rejects.toThrow();
    file.write(contents);
    expect((await scrape).value("leakwatch_process_proportional_memory_bytes")).toBe(50_854 * KiB);
    expect(await exporter.ended()).toBe(0);
  });

  test("ends it with status 0 while a client holds its connection open", async () => {
    const exporter = await ExporterProcess.start();
    await exporter.scrape(); // fetch keeps the connection for the next one
    exporter.signal("SIGTERM");
    expect(await exporter.ended()).toBe(0);
    expect(exporter.log()).not.toContain("level=error");
  });
});

describe("the exporter's memory", () => {
  test("does not grow with the number of scrapes", async () => {
    const group = newGroup("crowd");
    crowd(100, group);
    const exporter = await ExporterProcess.start();
    await exporter.until("all 100", (scrape) => scrape.value("leakwatch_group_processes", { group }) === 100);
    const scrapes = async (count: number) => {
      for (let i = 0; i < count; i++) await exporter.scrape();
      return statusField(exporter.pid, "RssAnon");
    };
    const warm = await scrapes(150);
    expect((await scrapes(300)) - warm).toBeLessThan(12 * MiB);
  });
});

/** Processes that wait for a line of input, until the test is over. */
function crowd(size: number, group: string): void {
  for (let i = 0; i < size; i++) {
    const child = spawn("sh", ["-c", "read line", "sh", `--group=${group}`], { stdio: ["pipe", "ignore", "ignore"] });
    onTestFinished(() => stop(child));
  }
}

/** The writing end of a named pipe, as soon as somebody has opened it for reading. */
async function openForReader(file: string): Promise<{ write(text: string): void }> {
  for (const deadline = Date.now() + 30_000; ; await wait(10)) {
    try {
      const fd = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      return {
        write(text) {
          fs.writeSync(fd, text);
          fs.closeSync(fd);
        },
      };
    } catch (error) {
      // ENXIO: nobody reads
      if ((error as NodeJS.ErrnoException).code !== "ENXIO" || Date.now() > deadline) throw error;
    }
  }
}

async function reload(exporter: ExporterProcess): Promise<{ status: number; body: string }> {
  const response = await fetch(`${exporter.url}/-/reload`, { method: "POST" });
  return { status: response.status, body: await response.text() };
}
