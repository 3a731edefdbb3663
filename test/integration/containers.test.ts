// Containers, watched from the host.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { Container, targetCommand } from "../support/container.ts";
import { ExporterProcess } from "../support/exporter-process.ts";
import type { Sample, Scrape } from "../support/scrape.ts";
import { newGroup } from "../support/targets.ts";

/** Without swap, so that the limit is met. */
const memory = (limit: string) => [`--memory=${limit}`, `--memory-swap=${limit}`];

describe("an exporter on the host", () => {
  test("counts the OOM kills of a container that is restarted each time", async () => {
    const group = newGroup("leaky");
    const exporter = await ExporterProcess.start();
    const leaky = new Container(
      [...memory("64m"), "--restart=always"],
      targetCommand("hog.ts", "--grow=32", "--after=2", `--group=${group}`),
    );
    const scrape = await exporter.until("two restarts for lack of memory", (found) => {
      return oomRestarts(found, group) >= 2 && runs(found, group) && found;
    });

    const slot0 = { group, slot: "0" };
    expect(scrape.value("leakwatch_process_memory_limit_bytes", slot0)).toBe(64 * MiB);
    expect(scrape.all("leakwatch_process_memory_limit_info", slot0).map(({ labels }) => labels["source"])).toEqual([
      "cgroup",
    ]);
    expect(scrape.all("leakwatch_process_info", slot0)[0]?.labels["container_id"]).toBe(leaky.id);
    expect(scrape.value("leakwatch_group_restarts_total", { group, reason: "exit" })).toBe(0);
    expect(scrape.value("leakwatch_group_last_end_memory_limit_ratio", { group })).toBeGreaterThan(0.5);
    const [end] = scrape.all("leakwatch_group_last_end_info", { group });
    // on version 1 only the machine's counter outlives the container's cgroup
    expect([end?.labels["reason"], end?.labels["evidence"]]).toBeOneOf([
      ["suspected_oom", "node_oom_kill"],
      ["oom", "parent_oom_kill"],
      ["oom", "cgroup_oom_kill"],
    ]);
    const [cgroup] = scrape.all("leakwatch_cgroup_info", { container_id: leaky.id });
    expect(scrape.value("leakwatch_cgroup_memory_limit_bytes", { cgroup: cgroup?.labels["cgroup"] ?? "" })).toBe(
      64 * MiB,
    );
  });

  test("counts the OOM kill of a worker whose primary lives on", async () => {
    const group = newGroup("pool");
    const exporter = await ExporterProcess.start();
    const pool = new Container(
      memory("160m"),
      targetCommand("cluster.ts", "--workers=1", "--grow=8", `--group=${group}`),
    );
    const primary = String(pool.pid);
    const scrape = await exporter.until("a new worker after an OOM kill", (found) => {
      const kills = found.value("leakwatch_group_oom_kills_total", { group }) ?? 0;
      const ofWorkers = found.value("leakwatch_group_worker_exits_total", { group, reason: "oom" }) ?? 0;
      return kills >= 1 && ofWorkers >= 1 && found;
    });
    expect(scrape.sum("leakwatch_group_restarts_total", { group })).toBe(0);
    expect(scrape.all("leakwatch_process_info", { group, slot: "0" })[0]?.labels["pid"]).toBe(primary);
    expect(pool.inspect("{{.RestartCount}} {{.State.Pid}}")).toBe(`0 ${primary}`);
    expect(scrape.all("leakwatch_group_last_end_info", { group })[0]?.labels).toMatchObject({
      reason: "oom",
      evidence: "cgroup_oom_kill",
    });
    const [cgroup] = scrape.all("leakwatch_cgroup_info", { container_id: pool.id });
    const events = { cgroup: cgroup?.labels["cgroup"] ?? "", event: "oom_kill" };
    expect(scrape.value("leakwatch_cgroup_memory_events_total", events)).toBeGreaterThanOrEqual(1);
  });

  test("takes the machine's memory for the limit of a container that has none", async () => {
    const group = newGroup("api");
    const exporter = await ExporterProcess.start();
    const api = new Container([], targetCommand("hog.ts", `--group=${group}`));
    const { container_id } = await exporter.untilWatched(api.pid);
    expect(container_id).toBe(api.id);
    const scrape = await exporter.scrape();
    expect(scrape.value("leakwatch_process_memory_limit_info", { group, source: "node" })).toBe(1);
    expect(scrape.valueOf(api.pid, "memory_limit_bytes")).toBe(scrape.value("leakwatch_node_memory_bytes"));
  });
});

describe("an exporter that may ask the engine", () => {
  test("counts every restart of a container that ends 300 ms after each start, most of which no pass sees", async () => {
    const socket = new URL(process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").pathname;
    const name = `crashing-${process.pid}`;
    const exporter = await ExporterProcess.start({
      // scrapes take no pass of their own
      config: "sampling: { interval: 2s, max_age: 1m }",
      args: [`--docker.socket=${socket}`],
    });
    const crashing = new Container([`--name=${name}`, "--restart=always"], ["sh", "-c", "sleep 0.3; exit 1"]);
    const counted = await exporter.until(
      "as many restarts as the engine counts",
      (scrape) => {
        const all = scrape.all("leakwatch_group_restarts_total");
        const own = all.filter(({ labels }) => labels["group"]?.startsWith("crashing"));
        const restarts = own.reduce((sum, { value }) => sum + value, 0);
        const byEngine = Number(crashing.inspect("{{.RestartCount}}"));
        // it counts the one that it waits for; each wait is longer than the one before
        return restarts >= 5 && restarts >= byEngine - 1 && { restarts, byEngine, reasons: reasonsOf(own) };
      },
      100,
    );
    expect(counted.restarts).toBeLessThanOrEqual(counted.byEngine);
    expect(counted.reasons).toEqual(["exit"]);
  });
});

const reasonsOf = (samples: readonly Sample[]) => [
  ...new Set(samples.filter(({ value }) => value > 0).map(({ labels }) => labels["reason"])),
];

const oomRestarts = (scrape: Scrape, group: string) =>
  scrape.sum("leakwatch_group_restarts_total", { group, reason: "oom" }) +
  scrape.sum("leakwatch_group_restarts_total", { group, reason: "suspected_oom" });

const runs = (scrape: Scrape, group: string) => (scrape.value("leakwatch_group_processes", { group }) ?? 0) > 0;
