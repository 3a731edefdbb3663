// Real processes on this machine: what the exporter serves is what their files in /proc say.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { ExporterProcess, onlyTargets, temporaryFolder } from "../support/exporter-process.ts";
import type { Scrape } from "../support/scrape.ts";
import { listFds, newGroup, procFile, startTime, statusField, Target } from "../support/targets.ts";

describe("a process that allocates", () => {
  test("has exactly the values of its files in /proc while it stands still", async () => {
    const target = await Target.start("hog.ts", ["--hold=100", "--threads=3", "--fds=20"]);
    await target.freeze();
    // as installed, without any rule
    const exporter = await ExporterProcess.start({ config: "sampling: { max_age: 0s }" });
    const { pid } = target;
    expect(await exporter.untilWatched(pid)).toMatchObject({ group: "hog.ts", exe: process.execPath });

    const scrape = await exporter.scrape();
    expect(scrape.valueOf(pid, "resident_memory_bytes")).toBe(statusField(pid, "VmRSS"));
    expect(scrape.valueOf(pid, "anonymous_memory_bytes")).toBe(statusField(pid, "RssAnon"));
    expect(scrape.valueOf(pid, "file_memory_bytes")).toBe(statusField(pid, "RssFile"));
    expect(scrape.valueOf(pid, "shared_memory_bytes")).toBe(statusField(pid, "RssShmem"));
    expect(scrape.valueOf(pid, "swap_bytes")).toBe(statusField(pid, "VmSwap"));
    expect(scrape.valueOf(pid, "peak_resident_memory_bytes")).toBe(statusField(pid, "VmHWM"));
    expect(scrape.valueOf(pid, "virtual_memory_bytes")).toBe(statusField(pid, "VmSize"));
    expect(scrape.valueOf(pid, "threads")).toBe(statusField(pid, "Threads"));
    expect(scrape.valueOf(pid, "open_fds")).toBe(listFds(pid));
    expect(scrape.valueOf(pid, "max_fds")).toBe(Number(/^Max open files +(\d+)/m.exec(procFile(pid, "limits"))?.[1]));
    expect(scrape.valueOf(pid, "max_threads")).toBeGreaterThanOrEqual(statusField(pid, "Threads"));
    expect(scrape.valueOf(pid, "max_threads")).toBeLessThanOrEqual(
      Number(fs.readFileSync("/proc/sys/kernel/threads-max", "utf8")),
    );
    expect(scrape.valueOf(pid, "start_time_seconds")).toBe(startTime(pid));
    // and those values are what the program did
    expect(statusField(pid, "RssAnon")).toBeGreaterThan(100 * MiB);
    expect(listFds(pid)).toBeGreaterThan(20);
  });

  test("started when its user started it", async () => {
    const before = Date.now() / 1000;
    const target = await Target.start("hog.ts");
    const after = Date.now() / 1000;
    const exporter = await ExporterProcess.start({ config: "sampling: { max_age: 0s }" });
    await exporter.untilWatched(target.pid);
    const start = (await exporter.scrape()).valueOf(target.pid, "start_time_seconds");
    // the kernel gives the time of its boot in whole seconds
    expect(start).toBeGreaterThan(before - 2);
    expect(start).toBeLessThan(after + 2);
  });

  test("is seen to grow, and its peak stays", async () => {
    const target = await Target.start("hog.ts", ["--grow=8"]);
    const exporter = await ExporterProcess.start({ config: "sampling: { max_age: 0s }" });
    await exporter.untilWatched(target.pid);
    const before = (await exporter.scrape()).valueOf(target.pid, "anonymous_memory_bytes") ?? Number.NaN;
    await exporter.until("another 64 MiB", (scrape) => {
      const now = scrape.valueOf(target.pid, "anonymous_memory_bytes");
      return now !== undefined && now >= before + 64 * MiB;
    });
    await target.freeze();
    const scrape = await exporter.scrape();
    const resident = scrape.valueOf(target.pid, "resident_memory_bytes") as number;
    expect(scrape.valueOf(target.pid, "peak_resident_memory_bytes")).toBeGreaterThanOrEqual(resident);
  });

  test("has PSS and USS when they are asked for", async () => {
    const target = await Target.start("hog.ts", ["--hold=50"]);
    await target.freeze();
    const exporter = await ExporterProcess.start({
      config: "sampling: { max_age: 0s }\nsmaps: { enabled: true, interval: 1s, budget: 60s }",
    });
    const pss = await exporter.until("PSS", (scrape) => scrape.valueOf(target.pid, "proportional_memory_bytes"));
    const uss = (await exporter.scrape()).valueOf(target.pid, "unique_memory_bytes");
    expect(uss).toBeGreaterThan(50 * MiB);
    expect(uss).toBeLessThanOrEqual(pss);
    expect(pss).toBeLessThanOrEqual(statusField(target.pid, "VmRSS"));
  });
});

describe("a server with workers", () => {
  test("fills the slots by age, and a replacement takes the slot of the worker that was killed", async () => {
    const group = newGroup("web");
    const exporter = await ExporterProcess.start();
    const server = await Target.start("cluster.ts", ["--workers=3", `--group=${group}`]);
    const before = await exporter.until("a primary and three workers", (scrape) => {
      const found = pidsBySlot(scrape.all("leakwatch_process_info", { group }));
      return Object.keys(found).length === 4 && found;
    });
    expect(before["0"]).toBe(server.pid); // the primary is the oldest

    process.kill(before["2"] as number, "SIGKILL");
    const after = await exporter.until("a new worker in slot 2", (scrape) => {
      const found = pidsBySlot(scrape.all("leakwatch_process_info", { group }));
      return found["2"] !== undefined && found["2"] !== before["2"] && found;
    });
    expect({ ...after, 2: undefined }).toEqual({ ...before, 2: undefined });

    const scrape = await exporter.until("the worker's exit, which its primary has outlived", (found) => {
      return found.value("leakwatch_group_worker_exits_total", { group, reason: "recycled" }) === 1 && found;
    });
    expect(restartsByReason(scrape, group)).toEqual({});
    expect(scrape.value("leakwatch_group_lives_ended_total", { group })).toBe(1);
    expect(scrape.value("leakwatch_group_processes", { group })).toBe(4);
    expect(scrape.value("leakwatch_group_last_restart_timestamp_seconds", { group })).toBeUndefined();
  });

  test("is restarted once when it ends with all its workers and is started again", async () => {
    const group = newGroup("web");
    const exporter = await ExporterProcess.start();
    const run = () => Target.start("cluster.ts", ["--workers=3", `--group=${group}`]);
    const untilPrimaryIs = (pid: number) =>
      exporter.until(`primary ${pid} and three workers`, (scrape) => {
        const found = pidsBySlot(scrape.all("leakwatch_process_info", { group }));
        return Object.keys(found).length === 4 && found["0"] === pid && scrape;
      });
    const server = await run();
    await untilPrimaryIs(server.pid);
    await server.end();
    const scrape = await untilPrimaryIs((await run()).pid);
    expect(restartsByReason(scrape, group)).toEqual({ exit: 1 });
    const { value: started } = scrape.all("leakwatch_process_start_time_seconds", { group, slot: "0" })[0] ?? {};
    expect(scrape.value("leakwatch_group_last_restart_timestamp_seconds", { group })).toBe(started);
  });

  test("keeps its slots when the exporter is restarted, which counts as nobody's restart", async () => {
    const group = newGroup("web");
    await Target.start("cluster.ts", ["--workers=3", `--group=${group}`]);
    const seen = async () => {
      const exporter = await ExporterProcess.start();
      const found = await exporter.until("four processes", (scrape) => {
        const samples = scrape.all("leakwatch_process_info", { group });
        return samples.length === 4 && pidsBySlot(samples);
      });
      const ended = (await exporter.scrape()).value("leakwatch_group_lives_ended_total", { group });
      exporter.signal("SIGTERM");
      expect(await exporter.ended()).toBe(0);
      return { found, ended };
    };
    const first = await seen();
    expect(first.ended).toBe(0);
    expect(await seen()).toEqual(first);
  });
});

describe("lives that nobody scrapes", () => {
  test("are counted when they last longer than a sampling interval", async () => {
    const group = newGroup("job");
    const exporter = await ExporterProcess.start();
    for (let life = 0; life < 4; life++) {
      const target = await Target.start("hog.ts", [`--group=${group}`]);
      await wait(2000); // four intervals
      await target.end();
    }
    const scrape = await exporter.until("four ends", (found) => {
      return (found.value("leakwatch_group_lives_ended_total", { group }) ?? 0) >= 4 && found;
    });
    expect(scrape.value("leakwatch_group_lives_ended_total", { group })).toBe(4);
    expect(restartsByReason(scrape, group)).toEqual({ exit: 3 });
    expect(scrape.value("leakwatch_group_processes", { group })).toBe(0);
    expect(scrape.all("leakwatch_process_resident_memory_bytes", { group })).toEqual([]);
    expect(scrape.value("leakwatch_kept_descriptors")).toBe(0);
  });
});

describe("a service that ends 300 ms after each start, as a supervisor starts it again", () => {
  test("is restarted at most once in each pass, and in most of them", async () => {
    const group = newGroup("crashing");
    const folder = temporaryFolder();
    const [starts, wanted, service] = ["starts", "wanted", "service.sh"].map((name) => path.join(folder, name));
    fs.writeFileSync(service as string, `echo >> ${starts}\nsleep 0.3\nexit 1\n`);
    fs.writeFileSync(wanted as string, "");
    // scrapes take no pass of their own here, or lives would be longer than the time between two
    const exporter = await ExporterProcess.start({ config: onlyTargets.replace("max_age: 0s", "max_age: 1m") });
    const loop = `while [ -e ${wanted} ]; do sh ${service} --group=${group}; sleep 0.1; done`;
    const supervisor = spawn("sh", ["-c", loop], { stdio: "ignore" });
    onTestFinished(async () => {
      const ended = once(supervisor, "exit");
      fs.rmSync(wanted as string);
      await ended;
    });
    const restartsOf = (scrape: Scrape) => restartsByReason(scrape, group)["exit"] ?? 0;
    const passesOf = (scrape: Scrape) => scrape.value("leakwatch_samples_total") as number;
    const first = await exporter.until("a restart", (scrape) => restartsOf(scrape) > 0 && scrape);
    const last = await exporter.until(
      "twenty passes more",
      (scrape) => passesOf(scrape) >= passesOf(first) + 20 && scrape,
    );
    const [restarts, passes] = [restartsOf(last) - restartsOf(first), passesOf(last) - passesOf(first)];
    expect(restarts).toBeGreaterThan(passes / 4);
    expect(restarts).toBeLessThanOrEqual(passes);
    const started = fs.statSync(starts as string).size; // a byte for each
    expect(restartsOf(last)).toBeLessThan(started);
    expect(restartsByReason(last, group)).toEqual({ exit: restartsOf(last) });
  });
});

function pidsBySlot(samples: readonly { labels: Readonly<Record<string, string>> }[]): Record<string, number> {
  return Object.fromEntries(samples.map(({ labels }) => [labels["slot"] ?? "", Number(labels["pid"])]));
}

/** Without the reasons that never occurred. */
function restartsByReason(scrape: Scrape, group: string): Record<string, number> {
  const counted = scrape.all("leakwatch_group_restarts_total", { group }).filter(({ value }) => value > 0);
  return Object.fromEntries(counted.map(({ labels, value }) => [labels["reason"] ?? "", value]));
}

describe("a process that a clock restarts", () => {
  test("is scheduled once the beat is known, and no crash", async () => {
    const group = newGroup("nightly");
    // shipped, a beat is of a minute or more; the same at a fifth of it
    const exporter = await ExporterProcess.start({ args: ["--demo.speed=5"] });
    const beat = 13_000;
    const first = Date.now();
    let target = await Target.start("hog.ts", [`--group=${group}`]);
    const count = (scrape: Scrape, reason: string) =>
      scrape.value("leakwatch_group_restarts_total", { group, reason }) ?? 0;
    let scheduled = 0;
    // three equal intervals lie between four starts; a machine that is busy may miss a beat
    for (let restarts = 1; restarts <= 8 && scheduled === 0; restarts++) {
      await exporter.untilWatched(target.pid);
      await wait(first + restarts * beat - Date.now());
      await target.end();
      target = await Target.start("hog.ts", [`--group=${group}`]);
      const scrape = await exporter.until(`restart ${restarts}`, (found) => {
        return count(found, "scheduled") + count(found, "exit") === restarts && found;
      });
      scheduled = count(scrape, "scheduled");
      if (restarts < 3) expect(scheduled).toBe(0);
      expect(count(scrape, "oom") + count(scrape, "suspected_oom")).toBe(0);
    }
    expect(scheduled).toBe(1);
  });
});
