// The exporter as a whole, without its web server: passes, scrapes, configuration and what it says of itself.

import fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { MiB } from "../catalog/defaults.ts";
import { type Config, defaultConfig } from "../exporter/config/config.ts";
import { Exporter } from "../exporter/exporter.ts";
import type { Format } from "../exporter/exposition/format.ts";
import { KernelFiles } from "../exporter/kernel/files.ts";
import { createLogger } from "../exporter/log.ts";
import { parseOpenFilesLimit } from "../exporter/procfs/limits.ts";
import { version } from "../exporter/version.ts";
import { checkMetrics, content, parseOpenMetrics } from "./exposition/promtool.ts";
import { asDeclared, seriesOf } from "./exposition/series.ts";
import { bootTime, type FakeMachine, fakeMachine } from "./support/machine.ts";

function exporterOf(
  machine: FakeMachine,
  options: { config?: Partial<Config>; configFile?: string; speed?: number } = {},
) {
  const logged: string[] = [];
  const { config, ...rest } = options;
  const exporter = new Exporter({
    roots: { root: machine.root, procfs: "/proc", cgroupfs: "/sys/fs/cgroup" },
    config: { ...defaultConfig, ...config },
    log: createLogger("info", "logfmt", (line) => logged.push(line)),
    clock: machine.clock,
    ...rest,
  });
  onTestFinished(() => exporter.stop());
  const scrape = async (format: Format = "text") => (await exporter.scrape(format)).buffer.written().toString();
  return { exporter, logged, scrape };
}

/** Value of a series without labels, or with exactly these. */
function numberOf(text: string, series: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe("scrapes", () => {
  test("at the same time share one pass and one text", async () => {
    const machine = fakeMachine();
    machine.start();
    const { exporter } = exporterOf(machine);
    const expositions = await Promise.all([1, 2, 3, 4, 5].map(() => exporter.scrape("text")));
    expect(new Set(expositions).size).toBe(1);
    expect(exporter.watcher.passes).toBe(1);
  });

  test("in both formats share one pass", async () => {
    const machine = fakeMachine();
    const { exporter } = exporterOf(machine);
    await Promise.all([exporter.scrape("text"), exporter.scrape("openmetrics")]);
    expect(exporter.watcher.passes).toBe(1);
  });

  test("take a new pass when the last one is a second old, and not before", async () => {
    const machine = fakeMachine();
    const { exporter, scrape } = exporterOf(machine);
    const pid = machine.start({ resident: 10 * MiB });
    const resident = async () =>
      numberOf(await scrape(), 'leakwatch_process_resident_memory_bytes{group="api",slot="0"}');
    expect(await resident()).toBe(10 * MiB);
    machine.change(pid, { resident: 20 * MiB });
    machine.clock.advance(0.9);
    expect(await resident()).toBe(10 * MiB);
    machine.clock.advance(0.1);
    expect(await resident()).toBe(20 * MiB);
    expect(exporter.watcher.passes).toBe(2);
  });

  test("of the demo's fast clock take one sooner, also after a reload", async () => {
    const machine = fakeMachine();
    const { exporter, scrape } = exporterOf(machine, { speed: 60 });
    await scrape();
    expect(exporter.config.sampleInterval).toBe(1); // a minute of the demo
    await exporter.reloadConfig();
    expect(exporter.config.sampleInterval).toBe(1);
    machine.clock.advance(0.6);
    await scrape();
    expect(exporter.watcher.passes).toBe(2);
  });

  test("leave a text alone that is still being sent", async () => {
    const machine = fakeMachine();
    const { exporter, scrape } = exporterOf(machine);
    const pid = machine.start({ argv: ["/usr/bin/first"] });
    const held = await exporter.scrape("text");
    const body = held.hold();
    machine.stop(pid);
    machine.start({ argv: ["/usr/bin/later"] });
    for (let i = 0; i < 3; i++) {
      machine.clock.advance(5);
      expect(await scrape()).toContain('leakwatch_process_threads{group="later",slot="0"} 1\n');
    }
    expect(body.toString()).toContain('leakwatch_process_threads{group="first",slot="0"} 1\n');
    expect(body.toString()).not.toContain("later");
    held.release();
  });

  test("fail when processes cannot be listed, and work again when they can", async () => {
    const machine = fakeMachine();
    const { exporter, scrape } = exporterOf(machine);
    fs.renameSync(machine.path("proc"), machine.path("gone"));
    await expect(exporter.scrape("text")).rejects.toThrow("ENOENT");
    fs.renameSync(machine.path("gone"), machine.path("proc"));
    await expect(exporter.scrape("text")).rejects.toThrow("ENOENT"); // at once: no further try
    machine.clock.advance(1);
    expect(await scrape()).toContain("leakwatch_node_memory_bytes ");
  });
});

describe("what the exporter says of itself", () => {
  test("is in the catalogue, with its labels", async () => {
    const machine = fakeMachine();
    machine.start();
    const { scrape } = exporterOf(machine, { config: { smaps: { ...defaultConfig.smaps, enabled: true } } });
    const own = seriesOf(await scrape()).filter(({ metric }) => metric.startsWith("leakwatch_"));
    expect(own).toEqual(own.map(asDeclared));
    expect(new Set(own.map(({ metric }) => metric))).toContain("leakwatch_smaps_skipped_processes");
  });

  test("is read by Prometheus in both formats, and its names follow the rules", async () => {
    const machine = fakeMachine();
    machine.start();
    const { scrape } = exporterOf(machine);
    // of prom-client's default metrics promtool dislikes some names, which are Node.js' convention
    const complaints = checkMetrics(await scrape()).said.split("\n");
    expect(complaints.filter((line) => !line.startsWith("nodejs_"))).toEqual([""]);
    expect(parseOpenMetrics(await scrape("openmetrics"))).toEqual(content);
  });

  test("is true", async () => {
    const machine = fakeMachine();
    const { exporter, scrape } = exporterOf(machine);
    machine.start();
    machine.start({ argv: ["/usr/bin/jobs"] });
    await scrape();
    machine.clock.advance(5);
    const text = await scrape();
    const { soft } = parseOpenFilesLimit(fs.readFileSync("/proc/self/limits", "utf8"));
    expect(numberOf(text, "leakwatch_samples_total")).toBe(2);
    expect(numberOf(text, "leakwatch_watched_processes")).toBe(2);
    expect(numberOf(text, "leakwatch_kept_descriptors")).toBe(2);
    expect(numberOf(text, "leakwatch_kept_descriptors_max")).toBe(Math.floor((soft ?? Number.NaN) * 0.8));
    expect(numberOf(text, "leakwatch_last_sample_timestamp_seconds")).toBe(bootTime + 1005);
    expect(numberOf(text, "leakwatch_config_last_reload_successful")).toBe(1);
    expect(numberOf(text, "leakwatch_config_last_reload_success_timestamp_seconds")).toBe(bootTime + 1000);
    expect(numberOf(text, "leakwatch_sample_duration_seconds_total")).toBe(exporter.watcher.passSeconds);
    expect(text).toContain(`leakwatch_build_info{version="${version}",`);
  });

  test("has no value where there is nothing to say", async () => {
    const machine = fakeMachine();
    const { scrape } = exporterOf(machine);
    const text = await scrape();
    expect(text).not.toMatch(/^leakwatch_smaps_skipped_processes/m);
    expect(text).not.toMatch(/^leakwatch_unreadable_processes/m);
    expect(text).not.toMatch(/^leakwatch_read_errors_total/m);
  });

  test("names what cannot be read", async () => {
    const machine = fakeMachine();
    machine.start();
    const { exporter, scrape } = exporterOf(machine);
    fs.rmSync(machine.path("proc/meminfo"));
    machine.write("proc/100/limits", "not a table\n");
    const text = await scrape();
    expect(numberOf(text, 'leakwatch_unreadable_processes{file="limits",reason="format"}')).toBe(1);
    expect(numberOf(text, 'leakwatch_read_errors_total{file="limits",reason="format"}')).toBe(1);
    expect(numberOf(text, 'leakwatch_read_errors_total{file="meminfo",reason="absent"}')).toBeGreaterThan(0);
    expect(exporter.unreadableNow()).toEqual([[{ file: "limits", reason: "format" }, 1]]);
  });
});

describe("readiness", () => {
  test("begins with the first pass, and ends when three passes are missing", async () => {
    const machine = fakeMachine();
    const { exporter } = exporterOf(machine);
    expect(exporter.notReady()).toContain("first pass");
    await exporter.start();
    expect(exporter.notReady()).toBeUndefined();
    machine.clock.advance(15);
    expect(exporter.notReady()).toBeUndefined();
    machine.clock.advance(1);
    expect(exporter.notReady()).toBe("the last pass over the processes was 16 s ago; one is due every 5 s");
    await exporter.refresh();
    expect(exporter.notReady()).toBeUndefined();
  });
});

describe("the background", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("takes a pass at every interval, none that a scrape has just taken, and none after the stop", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = fakeMachine();
    machine.start();
    const { exporter } = exporterOf(machine);
    const letPass = async (seconds: number) => {
      machine.clock.advance(seconds);
      await vi.advanceTimersByTimeAsync(seconds * 1000);
      await exporter.reloadConfig(); // comes after a pass that has begun
      await nextTurn();
      return exporter.watcher.passes;
    };
    await exporter.start();
    expect(exporter.watcher.passes).toBe(1);
    expect(await letPass(4)).toBe(1);
    expect(await letPass(1)).toBe(2);
    expect(await letPass(5)).toBe(3);
    await letPass(4);
    await exporter.scrape("text");
    expect(exporter.watcher.passes).toBe(4);
    expect(await letPass(1)).toBe(4); // due, but the scrape's is only a second old
    expect(await letPass(4)).toBe(5);

    await exporter.stop();
    expect(exporter.watcher.reader.kept).toBe(0);
    expect(await letPass(60)).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("ends also when it is stopped in the middle of a pass", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = fakeMachine();
    machine.start();
    const { exporter } = exporterOf(machine);
    await exporter.start();
    machine.clock.advance(5);
    vi.advanceTimersByTime(5000); // the pass has begun
    await exporter.stop();
    await nextTurn();
    expect(exporter.watcher.passes).toBe(2);
    expect(exporter.watcher.reader.kept).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("after a pass that failed waits a whole interval, and says it once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = fakeMachine();
    const { exporter, logged } = exporterOf(machine);
    await exporter.start();
    const pids = vi.spyOn(KernelFiles.prototype, "pids");
    fs.renameSync(machine.path("proc"), machine.path("gone"));
    for (let second = 0; second < 60; second++) {
      machine.clock.advance(1);
      await vi.advanceTimersByTimeAsync(1000);
      await exporter.refresh().catch(() => undefined); // waits for a pass that is under way
    }
    expect(logged.filter((line) => line.includes("pass failed"))).toHaveLength(1);
    expect(pids.mock.calls.length).toBeLessThanOrEqual(61); // one for each refresh, and none beside them
    fs.renameSync(machine.path("gone"), machine.path("proc"));
    machine.clock.advance(5);
    await exporter.refresh();
    expect(logged.at(-1)).toContain("passes succeed again");
    pids.mockRestore();
  });

  test("goes on after a pass that failed, and says so", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = fakeMachine();
    const { exporter, logged } = exporterOf(machine);
    await exporter.start();
    fs.renameSync(machine.path("proc"), machine.path("gone"));
    machine.clock.advance(5);
    await vi.advanceTimersByTimeAsync(5000);
    await expect(exporter.refresh()).rejects.toThrow("ENOENT");
    await nextTurn();
    expect(logged.filter((line) => line.includes('msg="pass failed'))).toHaveLength(1);
    fs.renameSync(machine.path("gone"), machine.path("proc"));
    machine.clock.advance(5);
    await vi.advanceTimersByTimeAsync(5000);
    await exporter.refresh();
    expect(exporter.watcher.passes).toBeGreaterThan(1);
  });
});

describe("a new configuration", () => {
  const withFile = (machine: FakeMachine, text: string) => {
    machine.write("leakwatch.yml", text);
    return exporterOf(machine, { configFile: machine.path("leakwatch.yml") });
  };

  test("is used from the next pass on", async () => {
    const machine = fakeMachine();
    machine.start();
    const { exporter, scrape } = withFile(machine, "groups: [{ name: shop, match: { name: api } }]\n");
    expect(await scrape()).toContain('{group="api",slot="0"}');
    machine.clock.advance(60);
    expect(await exporter.reloadConfig()).toBeUndefined();
    const text = await scrape();
    expect(text).toContain('{group="shop",slot="0"}');
    expect(numberOf(text, "leakwatch_config_last_reload_successful")).toBe(1);
    expect(numberOf(text, "leakwatch_config_last_reload_success_timestamp_seconds")).toBe(bootTime + 1060);
  });

  test("that is wrong is refused: the old one stays, and a metric and the log say so", async () => {
    const machine = fakeMachine();
    machine.start();
    const { exporter, logged, scrape } = withFile(machine, "groups:\n  - name: shop\n    match: { names: api }\n");
    machine.clock.advance(60);
    const refused = await exporter.reloadConfig();
    expect(refused).toContain("leakwatch.yml:3: groups[0].match.names: expected one of name, exe,");
    expect(exporter.reload.error).toBe(refused);
    expect(exporter.config).toEqual(defaultConfig);
    expect(logged.at(-1)).toContain("configuration rejected, keeping the previous one");
    const text = await scrape();
    expect(text).toContain('{group="api",slot="0"}');
    expect(numberOf(text, "leakwatch_config_last_reload_successful")).toBe(0);
    expect(numberOf(text, "leakwatch_config_last_reload_success_timestamp_seconds")).toBe(bootTime + 1000);

    machine.write("leakwatch.yml", "unmatched: ignore\n");
    await exporter.reloadConfig();
    machine.clock.advance(60);
    const after = await scrape();
    expect(exporter.reload.error).toBeUndefined();
    expect(numberOf(after, "leakwatch_config_last_reload_successful")).toBe(1);
    expect(after).not.toContain('group="api"');
  });

  test("can switch PSS and USS on", async () => {
    const machine = fakeMachine();
    machine.start({ smaps: { pss: 7 * MiB, uss: 5 * MiB } });
    const { exporter, scrape } = withFile(machine, "smaps: { enabled: true }\n");
    expect(await scrape()).not.toContain("proportional");
    await exporter.reloadConfig();
    machine.clock.advance(5);
    expect(numberOf(await scrape(), 'leakwatch_process_proportional_memory_bytes{group="api",slot="0"}')).toBe(7 * MiB);
  });
});
