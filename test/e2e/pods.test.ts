// The built image beside its targets, in a PID namespace that belongs to neither: what happens to the targets, the exporter sees
// and survives.

import { execFileSync } from "node:child_process";
import { type StartedTestContainer, Wait } from "testcontainers";
import { describe, expect, inject, test } from "vitest";
import { defaultPort, MiB } from "../../catalog/defaults.ts";
import { docker } from "../support/docker.ts";
import { temporaryFile } from "../support/exporter-process.ts";
import { PodContainer } from "../support/pod-container.ts";
import { PrometheusQueries, until } from "../support/prometheus-queries.ts";
import { parseScrape, type Scrape } from "../support/scrape.ts";

/** What owns the PID namespace, as in docker-compose.yml. */
const namespaceOwner = () =>
  new PodContainer(inject("images").BUSYBOX_IMAGE.name).withCommand(["sleep", "infinity"]).startForTest();

const target = (owner: StartedTestContainer, program: string, environment: Record<string, string> = {}) =>
  new PodContainer(inject("builtImages").DEMO_IMAGE)
    .withCommand(["node", program])
    .withEnvironment(environment)
    .withWaitStrategy(Wait.forLogMessage(/./)) // sooner than its health check
    .withPidOf(owner);

/** As docker-compose.yml starts it: 96 MiB, no rights, the host's cgroups read-only. `config` is YAML. */
async function exporterBeside(owner: StartedTestContainer, config?: string): Promise<StartedTestContainer> {
  const file = "/etc/leakwatch.yml";
  const mounts = [{ source: "/sys/fs/cgroup", target: "/host/sys/fs/cgroup", mode: "ro" as const }];
  const configFile =
    config === undefined ? [] : [{ source: temporaryFile("leakwatch.yml", config), target: file, mode: "ro" as const }];
  return new PodContainer(inject("builtImages").EXPORTER_IMAGE)
    .withCommand([
      "serve",
      "--web.listen-address=:9847",
      "--path.cgroupfs=/host/sys/fs/cgroup",
      ...(config === undefined ? [] : [`--config.file=${file}`]),
    ])
    .withBindMounts([...mounts, ...configFile])
    .withPidOf(owner)
    .withMemory(96 * MiB)
    .withoutRights()
    .withExposedPorts(defaultPort)
    .withWaitStrategy(Wait.forHttp("/-/ready", defaultPort))
    .startForTest();
}

const urlOf = (exporter: StartedTestContainer) => `http://${exporter.getHost()}:${exporter.getMappedPort(defaultPort)}`;

async function scrape(exporter: StartedTestContainer): Promise<Scrape> {
  return parseScrape(await (await fetch(`${urlOf(exporter)}/metrics`)).text());
}

/** Scrapes until the condition gives something. */
const seen = <T>(exporter: StartedTestContainer, what: string, condition: (scrape: Scrape) => T | undefined | false) =>
  until(what, 60, async () => condition(await scrape(exporter)) || undefined);

const stateOf = (container: StartedTestContainer) =>
  docker(
    "inspect",
    "--format={{.State.Running}} {{.RestartCount}} {{.State.OOMKilled}} {{.State.Pid}}",
    container.getId(),
  );

const oomRestarts = (found: Scrape, group: string) =>
  found.sum("leakwatch_group_restarts_total", { group, reason: "oom" }) +
  found.sum("leakwatch_group_restarts_total", { group, reason: "suspected_oom" });

const allRestarts = (found: Scrape, group: string) => found.sum("leakwatch_group_restarts_total", { group });

describe("a target that the kernel kills at its limit", () => {
  test("is counted again and again by an exporter that lives on", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner);
    await seen(exporter, "an exporter", () => true);
    const before = stateOf(exporter);
    // 8 MiB a second: some six seconds from start to limit
    const loop = target(owner, "oom-loop.js", { DEMO_SPEED: "120" });
    await loop
      .withMemory(80 * MiB)
      .withRestart()
      .startForTest();
    // beside it one that ends by itself every six seconds
    const timed = target(owner, "timed-restart.js", { DEMO_SPEED: "600", RESTART_MINUTES: "60" });
    await timed
      .withMemory(512 * MiB)
      .withRestart()
      .startForTest();
    const group = "oom-loop.js";
    const neighbour = "timed-restart.js";
    const found = await seen(
      exporter,
      "two restarts for lack of memory, and two by the clock",
      (scrape) => oomRestarts(scrape, group) >= 2 && allRestarts(scrape, neighbour) >= 2 && scrape,
    );
    expect(oomRestarts(found, neighbour)).toBe(0);

    expect(stateOf(exporter)).toBe(before);
    expect(found.sum("leakwatch_group_restarts_total", { group, reason: "exit" })).toBe(0);
    expect(found.value("leakwatch_group_last_end_memory_limit_ratio", { group })).toBeGreaterThan(0.5);
    const { reason, evidence } = found.all("leakwatch_group_last_end_info", { group })[0]?.labels ?? {};
    // only version 2 has a cgroup above that remembers
    expect([reason, evidence]).toBeOneOf([
      ["suspected_oom", "node_oom_kill"],
      ["oom", "parent_oom_kill"],
      ["oom", "cgroup_oom_kill"],
    ]);
    const limits = found.all("leakwatch_process_memory_limit_bytes", { group });
    expect(limits.every(({ value }) => value === 80 * MiB)).toBe(true);
  });
});

describe("ten restarts of a target", () => {
  test("are ten in the ledger, in one slot, with one exporter", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner);
    const app = await target(owner, "bounded-cache.js").startForTest();
    const group = "bounded-cache.js";
    const pidNow = (scrape: Scrape) => scrape.all("leakwatch_process_info", { group })[0]?.labels["pid"];
    let pid = await seen(exporter, "the app", pidNow);
    const before = stateOf(exporter);
    for (let i = 0; i < 10; i++) {
      docker("restart", "--time=5", app.getId());
      const last = pid;
      pid = await seen(
        exporter,
        `the app after restart ${i + 1}`,
        (scrape) => pidNow(scrape) !== last && pidNow(scrape),
      );
    }
    const found = await scrape(exporter);
    expect(found.value("leakwatch_group_lives_ended_total", { group })).toBe(10);
    expect(allRestarts(found, group)).toBe(10);
    expect(oomRestarts(found, group)).toBe(0);
    expect(found.all("leakwatch_process_resident_memory_bytes", { group }).map(({ labels }) => labels["slot"])).toEqual(
      ["0"],
    );
    expect(stateOf(exporter)).toBe(before);
  });
});

describe("a target", () => {
  test("that does not exist yet is seen when it comes", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner);
    const empty = await seen(exporter, "a scrape", (scrape) => scrape);
    expect(empty.all("leakwatch_process_info")).toEqual([]);
    expect((await fetch(`${urlOf(exporter)}/-/ready`)).status).toBe(200);
    await target(owner, "warm-up.js").startForTest();
    await seen(
      exporter,
      "the target",
      (scrape) => scrape.value("leakwatch_group_processes", { group: "warm-up.js" }) === 1,
    );
  });

  test("that ends at once, over and over, is no trouble", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner);
    const broken = target(owner, "warm-up.js", { WARM_UP_MIB: "many" }).withRestart();
    const started = await broken.startForTest();
    await until(
      "three tries",
      60,
      async () => Number(docker("inspect", "--format={{.RestartCount}}", started.getId())) >= 3 || undefined,
    );
    expect((await fetch(`${urlOf(exporter)}/-/ready`)).status).toBe(200);
    expect(
      (await scrape(exporter)).value("leakwatch_group_processes", { group: "warm-up.js" }) ?? 0,
    ).toBeLessThanOrEqual(1);
  });

  test("of another user and without capabilities is read as far as it can be, and the rest is named", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner, "smaps: { enabled: true, interval: 1s }\n");
    const other = target(owner, "bounded-cache.js").withUser("1000:1000").withoutRights();
    await other.withMemory(128 * MiB).startForTest();
    const slot = { group: "bounded-cache.js", slot: "0" };
    const denied = { file: "smaps_rollup", reason: "permission" };
    const found = await seen(
      exporter,
      "what is denied",
      (scrape) => scrape.value("leakwatch_unreadable_processes", denied) === 1 && scrape,
    );
    expect(found.value("leakwatch_process_resident_memory_bytes", slot)).toBeGreaterThan(10 * MiB);
    expect(found.value("leakwatch_process_threads", slot)).toBeGreaterThan(1);
    expect(found.value("leakwatch_process_memory_limit_bytes", slot)).toBe(128 * MiB);
    expect(found.value("leakwatch_process_proportional_memory_bytes", slot)).toBeUndefined();
    const ready = await fetch(`${urlOf(exporter)}/-/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.text()).toContain("Cannot be read: smaps_rollup of 1 processes (permission).");
  });

  test("without a limit has the machine's memory for one, and that is said", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner);
    await target(owner, "warm-up.js").startForTest();
    const slot = { group: "warm-up.js", slot: "0" };
    const found = await seen(
      exporter,
      "its limit",
      (scrape) => scrape.value("leakwatch_process_memory_limit_info", { ...slot, source: "node" }) === 1 && scrape,
    );
    expect(found.value("leakwatch_process_memory_limit_bytes", slot)).toBe(found.value("leakwatch_node_memory_bytes"));
  });
});

describe("twenty processes", () => {
  // what they cost of a core is measured by npm run bench
  test("cost the exporter less than 96 MiB", async () => {
    const owner = await namespaceOwner();
    const exporter = await exporterBeside(owner);
    await new PodContainer(inject("images").BUSYBOX_IMAGE.name)
      .withCommand(["sh", "-c", "for i in $(seq 19); do sleep 1000 & done; wait"])
      .withPidOf(owner)
      .startForTest();
    const found = await seen(
      exporter,
      "all of them, after some passes",
      (scrape) =>
        scrape.value("leakwatch_watched_processes") === 20 &&
        (scrape.value("leakwatch_samples_total") ?? 0) >= 5 &&
        scrape,
    );
    expect(found.value("process_resident_memory_bytes")).toBeLessThan(96 * MiB);
    console.log(docker("stats", "--no-stream", "--format={{.MemUsage}}", exporter.getId()));
    expect(stateOf(exporter)).toMatch(/^true 0 false /);
  });
});

describe("a Prometheus whose disk is full", () => {
  test("is no concern of the exporter", async () => {
    const exporter = await exporterBeside(await namespaceOwner());
    const address = docker(
      "inspect",
      "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
      exporter.getId(),
    );
    const config = temporaryFile(
      "prometheus.yml",
      `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: leakwatch, static_configs: [{ targets: ["${address}:${defaultPort}"] }] }]
`,
    );
    const started = await new PodContainer(inject("images").PROMETHEUS_IMAGE.name)
      .withCommand(["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data"])
      .withBindMounts([{ source: config, target: "/etc/prometheus/prometheus.yml", mode: "ro" }])
      .withTmpFs({ "/data": "rw,size=4m,mode=1777" })
      .withExposedPorts(9090)
      .startForTest();
    const prometheus = new PrometheusQueries(`http://${started.getHost()}:${started.getMappedPort(9090)}`);
    await prometheus.until("leakwatch_build_info");

    await started.exec(["sh", "-c", "cat /dev/zero > /data/ballast"]);
    await until(
      "a complaint about the disk",
      60,
      async () => logOf(started).includes("no space left on device") || undefined,
    );
    const found = await scrape(exporter);
    expect(found.value("leakwatch_build_info")).toBe(1);
    expect((await fetch(`${urlOf(exporter)}/-/ready`)).status).toBe(200);
    expect(stateOf(exporter)).toMatch(/^true 0 false /);

    // and when there is room again, the samples come again
    await started.exec(["rm", "/data/ballast"]);
    await prometheus.until(`timestamp(leakwatch_build_info) > ${Math.floor(Date.now() / 1000)}`);
  });
});

/** Both its outputs. */
const logOf = (container: StartedTestContainer) =>
  execFileSync("sh", ["-c", 'docker logs "$1" 2>&1', "sh", container.getId()], { encoding: "utf8" });
