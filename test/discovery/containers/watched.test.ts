// Processes of pods and containers, from the cgroup to the name of the group.

import { describe, expect, onTestFinished, test, vi } from "vitest";
import { MiB } from "../../../catalog/defaults.ts";
import { type Config, defaultConfig } from "../../../exporter/config/config.ts";
import { loadConfig, parseConfig } from "../../../exporter/config/load.ts";
import { Pattern } from "../../../exporter/config/pattern.ts";
import { Exporter } from "../../../exporter/exporter.ts";
import { createLogger } from "../../../exporter/log.ts";
import { type FakeMachine, fakeMachine } from "../../support/machine.ts";
import { FakeEngine } from "./fake-engine.ts";
import { ids, podList } from "./pod-list.ts";

const apiGroup = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9c3f5e_7a41_4b62_9a53_3f1c2f6b8d10.slice/cri-containerd-${ids.api}.scope`;

function exporterOf(
  machine: FakeMachine,
  options: { list?: () => Promise<string>; dockerSocket?: string; config?: Partial<Config> } = {},
) {
  const exporter = new Exporter({
    roots: { root: machine.root, procfs: "/proc", cgroupfs: "/sys/fs/cgroup" },
    config: { ...defaultConfig, ...options.config },
    log: createLogger("error", "logfmt", () => {}),
    clock: machine.clock,
    listPods: options.list,
    dockerSocket: options.dockerSocket,
  });
  onTestFinished(() => exporter.stop());
  return exporter;
}
const scrape = async (exporter: Exporter) => (await exporter.scrape("text")).buffer.written().toString();
const groupsOf = (exporter: Exporter) => [...exporter.watcher.groups.keys()];

describe("with the Kubernetes API", () => {
  test("a group is called after namespace, workload, container and program", async () => {
    const machine = fakeMachine();
    machine.cgroup(apiGroup, { limit: 128 * MiB });
    machine.start({ cgroup: apiGroup });
    const exporter = exporterOf(machine, { list: async () => JSON.stringify(podList) });
    await exporter.start();
    expect(groupsOf(exporter)).toEqual(["shop/api/web/api"]);
    const text = await scrape(exporter);
    expect(text).toContain(
      `leakwatch_cgroup_container_info{cgroup="${apiGroup}",container_id="${ids.api}",pod_uid="0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",pod_namespace="shop",pod_name="api-7c9d8b6f5-x2x7k",container_name="web",workload="api",image="registry.example.org:5000/shop/api:1.4.2",app_version="1.4.2"} 1`,
    );
    expect(text).toContain(`leakwatch_pods_listed_timestamp_seconds ${machine.clock.unix()}`);
  });

  test("a pod that the list did not have yet gets its name later, which is no restart", async () => {
    const machine = fakeMachine();
    machine.cgroup(apiGroup, { limit: 128 * MiB });
    machine.start({ cgroup: apiGroup });
    let items: readonly object[] = [];
    const exporter = exporterOf(machine, { list: async () => JSON.stringify({ items }) });
    await exporter.start();
    expect(groupsOf(exporter)).toEqual(["api"]);
    items = podList.items;
    for (let i = 0; i < 3; i++) {
      machine.clock.advance(10);
      await scrape(exporter);
    }
    expect(groupsOf(exporter)).toEqual(["shop/api/web/api"]);
    expect(exporter.watcher.ledger.account("shop/api/web/api")).toMatchObject({ livesEnded: 0 });
  });

  test("without an answer from it, groups go by their programs, with the ids of pod and container", async () => {
    const machine = fakeMachine();
    machine.cgroup(apiGroup, { limit: 128 * MiB });
    machine.start({ cgroup: apiGroup });
    const exporter = exporterOf(machine, { list: () => Promise.reject(new Error("no route to host")) });
    await exporter.start();
    const text = await scrape(exporter);
    expect(groupsOf(exporter)).toEqual(["api"]);
    expect(text).toContain(`container_id="${ids.api}",pod_uid="0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10"} 1`);
    expect(text).not.toContain("leakwatch_cgroup_container_info{");
    // 0, and not absent: the alert that the list is old needs to know that it is wanted
    expect(text).toContain("\nleakwatch_pods_listed_timestamp_seconds 0\n");
    expect(text).toContain('leakwatch_read_errors_total{file="pods",reason="io"} 1');
  });
});

describe("with a container engine", () => {
  const container = "4f1e".repeat(16);
  const cgroup = `/system.slice/docker-${container}.scope`;

  async function machineWith(argv: string[], listed: object) {
    const machine = fakeMachine();
    const engine = await FakeEngine.start();
    engine.list = [{ Id: container, Status: "Up 3 hours", ...listed }];
    machine.cgroup(cgroup, { limit: 128 * MiB });
    machine.start({ argv, exe: argv[0] ?? "", cgroup });
    return { machine, engine };
  }

  async function started(machine: FakeMachine, engine: FakeEngine) {
    const exporter = exporterOf(machine, { dockerSocket: engine.socket });
    await exporter.start();
    return exporter;
  }

  test("a group is called after project, service and program, and its version is that of the image", async () => {
    const labels = { "com.docker.compose.project": "shop", "com.docker.compose.service": "orders" };
    const listed = { Names: ["/shop-orders-1"], Image: "shop/orders:1.4.2", Labels: labels };
    const { machine, engine } = await machineWith(["/usr/bin/api"], listed);
    const text = await scrape(await started(machine, engine));
    expect(text).toMatch(/^leakwatch_process_info\{group="shop\/orders\/api".*,version="1\.4\.2"\} 1$/m);
    expect(text).toContain(`container_name="orders",workload="shop",image="shop/orders:1.4.2",app_version="1.4.2"} 1`);
    expect(text).not.toMatch(/^leakwatch_pods_listed_timestamp_seconds /m);
  });

  test("the version in a program's name goes before that of its container, and is no part of the group", async () => {
    const { machine, engine } = await machineWith(["/usr/bin/api-2.0.0"], {
      Names: ["/orders"],
      Image: "orders:1.4.2",
    });
    const text = await scrape(await started(machine, engine));
    expect(text).toMatch(/^leakwatch_process_info\{group="orders\/api".*,version="2\.0\.0"\} 1$/m);
  });

  test("a new container of the same service takes its slot, which is a restart", async () => {
    const Labels = { "com.docker.swarm.service.name": "shop_api" };
    const { machine, engine } = await machineWith(["/usr/bin/api"], { Names: ["/shop_api.1.u0rukjtc"], Labels });
    const exporter = await started(machine, engine);
    await scrape(exporter);
    const next = "77aa".repeat(16);
    engine.list = [{ Id: next, Names: ["/shop_api.1.prqu3gez"], Labels, Status: "Up 3 hours" }];
    const [pid] = exporter.watcher.watched.keys();
    machine.stop(pid as number);
    machine.cgroup(`/system.slice/docker-${next}.scope`, { limit: 128 * MiB });
    machine.clock.advance(30);
    await scrape(exporter);
    await expect.poll(() => exporter.watcher.containers?.peek(next)).toBeDefined();
    machine.start({ argv: ["/usr/bin/api"], cgroup: `/system.slice/docker-${next}.scope` });
    machine.clock.advance(5);
    await scrape(exporter);
    expect(groupsOf(exporter)).toEqual(["shop_api/api"]);
    const { restarts } = exporter.watcher.ledger.account("shop_api/api");
    expect(Object.values(restarts).reduce((sum, count) => sum + count, 0)).toBe(1);
  });

  test.each([
    ["of 4 kB", "x".repeat(4096)],
    ["with line ends and control characters", "shop\n\u001b[31m\u202e"],
    ["that would be a script", "</script><script>alert(1)</script>"],
    ["with quotes", 'a"} 1\nleakwatch_up 1'],
  ])("names %s are cut and written out", async (_, name) => {
    const { machine, engine } = await machineWith(["/usr/bin/api"], { Names: [`/${name}`], Labels: { [name]: name } });
    const exporter = await started(machine, engine);
    const text = await scrape(exporter);
    const [group = ""] = groupsOf(exporter);
    expect(Buffer.byteLength(group)).toBeLessThanOrEqual(128);
    expect(group).toMatch(/^\P{Cc}+$/u);
    expect(text).not.toMatch(/^leakwatch_up/m);
  });
});

describe("what a pod tells its sidecar", () => {
  const limit = (text: string) => ({
    bytes: /^leakwatch_process_memory_limit_bytes\{.*\} (\d+)$/m.exec(text)?.[1],
    source: /^leakwatch_process_memory_limit_info\{.*source="(\w+)"/m.exec(text)?.[1],
  });

  test("is the limit where the cgroup cannot be seen", async () => {
    const machine = fakeMachine({ cgroups: "not mounted" });
    machine.start({ cgroup: "/../cri-containerd-0.scope" });
    const text = await scrape(exporterOf(machine, { config: { unseenMemoryLimit: 128 * MiB } }));
    expect(limit(text)).toEqual({ bytes: String(128 * MiB), source: "config" });
  });

  test("gives way to what the cgroup says: a pod of several containers has several limits", async () => {
    const machine = fakeMachine();
    machine.cgroup(apiGroup, { limit: 96 * MiB });
    machine.start({ cgroup: apiGroup });
    const text = await scrape(exporterOf(machine, { config: { unseenMemoryLimit: 128 * MiB } }));
    expect(limit(text)).toEqual({ bytes: String(96 * MiB), source: "cgroup" });
  });

  test("is no limit of a container whose cgroup has none: Kubernetes then tells what the node can give", async () => {
    const machine = fakeMachine();
    machine.cgroup(apiGroup);
    machine.start({ cgroup: apiGroup });
    const text = await scrape(exporterOf(machine, { config: { unseenMemoryLimit: 128 * MiB } }));
    expect(limit(text).source).toBe("node");
  });

  test("goes before the name of a program, and not before a name that somebody chose", async () => {
    const machine = fakeMachine();
    machine.start({ argv: ["node", "/srv/server.js"], exe: "/usr/bin/node" });
    machine.start({ argv: ["nginx"], exe: "/usr/sbin/nginx", comm: "nginx" });
    const groups = [{ name: "proxy", match: { name: new Pattern("nginx") }, memoryLimit: undefined }];
    const exporter = exporterOf(machine, { config: { groupPrefix: "shop", groups } });
    await scrape(exporter);
    expect(groupsOf(exporter).sort()).toEqual(["proxy", "shop/server.js"]);
  });
});

describe("loadConfig", () => {
  test("takes what the environment says, and nothing from empty variables", async () => {
    expect(
      await loadConfig(undefined, { LEAKWATCH_MEMORY_LIMIT: "134217728", LEAKWATCH_GROUP_PREFIX: "shop" }),
    ).toEqual({
      ...defaultConfig,
      unseenMemoryLimit: 128 * MiB,
      groupPrefix: "shop",
    });
    expect(await loadConfig(undefined, { LEAKWATCH_MEMORY_LIMIT: "", LEAKWATCH_GROUP_PREFIX: "" })).toEqual(
      defaultConfig,
    );
  });

  test("refuses a limit that is none", async () => {
    await expect(loadConfig(undefined, { LEAKWATCH_MEMORY_LIMIT: "much" })).rejects.toThrow(
      'LEAKWATCH_MEMORY_LIMIT: expected a size such as 512MiB or 1GB, got "much"',
    );
  });

  test("puts a variable where a size names one", async () => {
    vi.stubEnv("API_LIMIT", "64Mi");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await parseConfig("memory_limit: $(API_LIMIT)", "f.yml")).memoryLimit).toBe(64 * MiB);
    await expect(parseConfig("memory_limit: $(NO_SUCH_LIMIT)", "f.yml")).rejects.toThrow(
      "f.yml:1: memory_limit: expected the environment variable NO_SUCH_LIMIT to hold a size, got nothing",
    );
  });
});
