// The built exporter on a node with cgroup v2: groups as a kubelet makes them, limits at two levels, and three ways to be
// killed for lack of memory.

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { parseScrape, type Scrape } from "../support/scrape.ts";
import { boot } from "./vm.ts";

const mebibyte = `x=aaaaaaaaaaaaaaaa
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done
`;

/** Waits for a file, and then takes a mebibyte ten times a second until there is no more: some passes see it near its limit. */
const grows = (file: string) => `
while [ ! -e ${file} ]; do sleep 1; done
${mebibyte}i=0
while :; do i=$((i + 1)); eval "held$i=\\$x"; sleep 0.1; done
`;

const files = {
  init: fs.readFileSync(fileURLToPath(new URL("v2-node-init.sh", import.meta.url)), "utf8"),
  "srv/leakwatch.yml": "sampling: { interval: 1s }\n",
  // a worker that takes too much is killed, and its master lives
  "srv/web.sh": "sh /srv/worker/web.sh\nwhile :; do sleep 60; done\n",
  "srv/worker/web.sh": grows("/tmp/go-web"),
  "srv/cache.sh": "while :; do sleep 60; done\n",
  "srv/idle.sh": "while :; do sleep 60; done\n",
  "srv/swap.sh": `${mebibyte}for i in ${Array.from({ length: 32 }, (_, i) => i).join(" ")}; do eval "held$i=\\$x"; done\nwhile :; do sleep 60; done\n`,
  "srv/worker.sh": `[ -e /tmp/go-worker ] && sleep 100000\n${grows("/tmp/go-worker")}`,
  // a master and three workers; started again they take nothing
  "srv/batch.sh": `for _ in 1 2 3; do sh /srv/worker/batch.sh & done\n[ -e /tmp/go-batch ] && sleep 100000\n${grows("/tmp/go-batch")}`,
  "srv/worker/batch.sh": "while :; do sleep 60; done\n",
};

const scrapes = new Map<string, Scrape>();

beforeAll(async () => {
  const answers = await boot(files);
  for (const [, name = "", text = ""] of answers.matchAll(/=== (\S+)\n([^=]*(?:=(?!==)[^=]*)*)/g))
    scrapes.set(name, parseScrape(text));
}, 900_000); // emulated, on a machine that may be busy

const at = (moment: string) => scrapes.get(moment) as Scrape;
const limitOf = (scrape: Scrape, group: string) => ({
  bytes: scrape.value("leakwatch_process_memory_limit_bytes", { group, slot: "0" }),
  source: scrape.all("leakwatch_process_memory_limit_info", { group, slot: "0" })[0]?.labels["source"],
});

describe("before anything happens", () => {
  test("containers have the ids of container and pod", () => {
    expect(at("before").all("leakwatch_process_info", { group: "web.sh", slot: "0" })[0]?.labels).toMatchObject({
      container_id: "8c1e5d2f".repeat(8),
      pod_uid: "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",
    });
  });

  test.each([
    ["its own", "web.sh", 64 * MiB, "cgroup"],
    ["that of the pod", "cache.sh", 192 * MiB, "ancestor"],
  ])("the limit is %s", (_, group, bytes, source) => {
    expect(limitOf(at("before"), group)).toEqual({ bytes, source });
  });

  test("a container without any limit has that of the node", () => {
    const { bytes, source } = limitOf(at("before"), "idle.sh");
    expect(source).toBe("node");
    expect(bytes).toBe(at("before").value("leakwatch_node_memory_bytes"));
    expect(bytes).toBeGreaterThan(1 * GiB);
  });

  test("neither the pause process nor the exporter is watched", () => {
    const groups = at("before")
      .all("leakwatch_group_processes")
      .map(({ labels }) => labels["group"]);
    expect(groups).not.toContain("pause");
    expect(groups).not.toContain("main.js");
    expect(groups).toEqual(expect.arrayContaining(["batch.sh", "cache.sh", "idle.sh", "web.sh", "worker.sh"]));
  });

  test("without any right, memory and cgroups of other users are read", () => {
    const { cgroup = "" } = at("before").all("leakwatch_process_info", { group: "web.sh", slot: "0" })[0]?.labels ?? {};
    expect(at("before").value("leakwatch_cgroup_memory_limit_bytes", { cgroup })).toBe(64 * MiB);
    expect(at("before").value("leakwatch_cgroup_memory_usage_bytes", { cgroup })).toBeGreaterThan(0);
    expect(at("before").value("leakwatch_cgroup_memory_events_total", { cgroup, event: "oom_kill" })).toBe(0);
    expect(at("before").value("leakwatch_cgroup_info", { cgroup, version: "2" })).toBe(1);
  });
});

describe("when memory is swapped out", () => {
  const ofProcess = (moment: string, metric: string) =>
    at(moment).value(`leakwatch_process_${metric}_bytes`, { group: "swap.sh", slot: "0" }) as number;
  const unreclaimable = (moment: string) => {
    const { cgroup = "" } = at(moment).all("leakwatch_process_info", { group: "swap.sh", slot: "0" })[0]?.labels ?? {};
    return at(moment).value("leakwatch_cgroup_memory_unreclaimable_bytes", { cgroup }) as number;
  };

  test("it counts as before: swap hides no leak", () => {
    expect(ofProcess("before", "swap")).toBe(0);
    const swapped = ofProcess("swapped-out", "swap");
    expect(swapped).toBeGreaterThan(16 * MiB);
    const left = ofProcess("swapped-out", "anonymous_memory");
    expect(left).toBeLessThan(24 * MiB);
    expect((left + swapped) / ofProcess("before", "anonymous_memory")).toBeCloseTo(1, 1);
    expect(unreclaimable("swapped-out") / unreclaimable("before")).toBeCloseTo(1, 1);
  });
});

describe("when a worker is killed", () => {
  test("the kill is its group's, whose master lives on", () => {
    const scrape = at("worker-killed");
    const group = "web.sh";
    expect(scrape.value("leakwatch_group_oom_kills_total", { group })).toBe(1);
    expect(scrape.value("leakwatch_group_processes", { group })).toBe(1);
    expect(at("before").value("leakwatch_group_processes", { group })).toBe(2);
    expect(scrape.value("leakwatch_group_worker_exits_total", { group, reason: "oom" })).toBe(1);
    expect(scrape.sum("leakwatch_group_restarts_total", { group })).toBe(0);
    const started = "leakwatch_process_start_time_seconds";
    expect(scrape.value(started, { group, slot: "0" })).toBe(at("before").value(started, { group, slot: "0" }));
  });
});

describe("when the main process of a container is killed", () => {
  const group = "worker.sh";

  test("the restart has its reason, by the counter of the pod: that of the container is gone", () => {
    const scrape = at("main-process-killed");
    expect(scrape.value("leakwatch_group_restarts_total", { group, reason: "oom" })).toBe(1);
    expect(scrape.all("leakwatch_group_last_end_info", { group })[0]?.labels).toMatchObject({ reason: "oom" });
    expect(["parent_oom_kill", "cgroup_oom_kill"]).toContain(
      scrape.all("leakwatch_group_last_end_info", { group })[0]?.labels["evidence"],
    );
  });

  test("the new container goes on in the same slot, under its new id", () => {
    const [info, ...others] = at("main-process-killed").all("leakwatch_process_info", { group });
    expect(info?.labels).toMatchObject({ slot: "0", container_id: "c47b19e7".repeat(8) });
    expect(others).toEqual([]);
    expect(limitOf(at("main-process-killed"), group)).toEqual({ bytes: 48 * MiB, source: "cgroup" });
  });
});

describe("when a container is killed as a group", () => {
  const group = "batch.sh";

  test("a master and its three workers are one kill, one end and one restart", () => {
    const scrape = at("group-killed");
    expect(at("before").value("leakwatch_group_processes", { group })).toBe(4);
    expect(scrape.value("leakwatch_group_processes", { group })).toBe(4);
    expect(scrape.value("leakwatch_group_oom_kills_total", { group })).toBe(1);
    expect(scrape.value("leakwatch_group_lives_ended_total", { group })).toBe(1);
    expect(scrape.value("leakwatch_group_restarts_total", { group, reason: "oom" })).toBe(1);
    expect(scrape.sum("leakwatch_group_restarts_total", { group })).toBe(1);
    expect(scrape.sum("leakwatch_group_worker_exits_total", { group })).toBe(0);
  });

  test("the machine's counter saw all of them", () => {
    const before = at("main-process-killed").value("leakwatch_node_oom_kills_total") ?? Number.NaN;
    expect((at("group-killed").value("leakwatch_node_oom_kills_total") ?? 0) - before).toBeGreaterThanOrEqual(4);
  });
});
