// Containers, watched from the host.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { Container, targetCommand } from "../support/container.ts";
import { ExporterProcess } from "../support/exporter-process.ts";
import type { Scrape } from "../support/scrape.ts";
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
      return kills >= 1 && (found.value("leakwatch_group_restarts_total", { group, reason: "oom" }) ?? 0) >= 1 && found;
    });
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

const oomRestarts = (scrape: Scrape, group: string) =>
  scrape.sum("leakwatch_group_restarts_total", { group, reason: "oom" }) +
  scrape.sum("leakwatch_group_restarts_total", { group, reason: "suspected_oom" });

const runs = (scrape: Scrape, group: string) => (scrape.value("leakwatch_group_processes", { group }) ?? 0) > 0;
