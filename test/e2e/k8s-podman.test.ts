// The rendered manifests in real pods: one PID namespace, real limits, real security settings, real OOM kills.
// podman has no probes here, no native sidecars (so the sidecar runs as a plain container), and takes the limit of the
// container itself for that of another (`resourceFieldRef.containerName`).

import fs from "node:fs";
import type { AddressInfo } from "node:net";
import net from "node:net";
import path from "node:path";
import { beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { k8s } from "../k8s/overlays.ts";
import { docker } from "../support/docker.ts";
import { RunningExporter } from "../support/exporter-process.ts";
import { kustomize, type Rendered } from "../support/kubectl.ts";
import { startTime, statusField } from "../support/targets.ts";
import { type Pod, play, podmanObstacle, takeImage } from "./podman.ts";

let exporterImage = "";
let nodeImage = "";

beforeAll(() => {
  const obstacle = podmanObstacle();
  if (obstacle !== undefined) throw new Error(`no pods can be run here: ${obstacle}`);
  exporterImage = takeImage(inject("builtImages").EXPORTER_IMAGE);
  nodeImage = takeImage(inject("images").NODE_IMAGE.name);
});

/** A folder as kubectl renders it, with images of this machine and a port on loopback. */
async function rendered(folder: string): Promise<{ objects: Rendered[]; port: number }> {
  const port = await freePort();
  const all = await kustomize(path.join(k8s, folder));
  const objects = all.filter(({ kind }) => kind === "Deployment" || kind === "ConfigMap");
  for (const { kind, spec } of objects) {
    if (kind !== "Deployment") continue;
    spec.replicas = 1;
    const pod = spec.template.spec;
    // podman would run a native sidecar to its end before the app
    const native = (pod.initContainers ?? []).filter((c: Rendered) => c["restartPolicy"] === "Always");
    for (const container of native) delete container.restartPolicy;
    pod.containers.unshift(...native);
    // nor does it get on with init containers: it removes them before it sees that they have ended
    delete pod.initContainers;
    for (const container of pod.containers) {
      container.image = container.image.startsWith("node:") ? nodeImage : exporterImage;
      for (const published of container.ports ?? []) Object.assign(published, { hostPort: port, hostIP: "127.0.0.1" });
    }
  }
  return { objects, port };
}

const podSpec = (objects: readonly Rendered[]) =>
  objects.find(({ kind }) => kind === "Deployment")?.["spec"].template.spec;
const sidecarOf = (objects: readonly Rendered[]) =>
  podSpec(objects).containers.find((c: Rendered) => c["name"] === "leakwatch");

function tell(container: Rendered, name: string, value: string): void {
  container["env"] = [...container["env"].filter((entry: Rendered) => entry["name"] !== name), { name, value }];
}

const exporterOf = (pod: Pod, port: number) =>
  new RunningExporter(`http://127.0.0.1:${port}`, () => pod.container("leakwatch").log());

/** The same leak, faster. */
function hurry(objects: readonly Rendered[], mib: number): void {
  for (const { kind, data } of objects) {
    if (kind !== "ConfigMap") continue;
    for (const name of Object.keys(data)) data[name] = data[name].replace("512 * 1024", `${mib} * 1024 * 1024`);
  }
}

describe("a pod with the sidecar", () => {
  test("shows the app through three OOM kills, and itself lives on", async () => {
    const { objects, port } = await rendered("examples/before-1.29");
    hurry(objects, 24);
    const pod = play(objects, "shop-pod-0");
    const exporter = exporterOf(pod, port);
    const group = "shop/server.js";
    const [app, sidecar] = [pod.container("web"), pod.container("leakwatch")];
    const first = sidecar.pid;

    const scrape = await exporter.until("three kills", (found) => {
      return found.sum("leakwatch_group_restarts_total", { group }) >= 3 && found;
    });
    const killed = ["oom", "suspected_oom"].map(
      (reason) => scrape.value("leakwatch_group_restarts_total", { group, reason }) ?? 0,
    );
    expect(killed.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(3);
    expect(app.restarts).toBeGreaterThanOrEqual(3);
    expect([sidecar.restarts, sidecar.pid]).toEqual([0, first]);
    expect(scrape.value("leakwatch_process_memory_limit_bytes", { group })).toBe(128 * MiB);
    expect(scrape.value("leakwatch_process_memory_limit_info", { group, source: "cgroup" })).toBe(1);
    // neither the pause process nor itself
    expect(scrape.all("leakwatch_group_processes").map(({ labels }) => labels["group"])).toEqual([group]);
  });

  test("is held to what its manifest says", async () => {
    const { objects, port } = await rendered("examples/before-1.29");
    const pod = play(objects, "shop-pod-0");
    const exporter = exporterOf(pod, port);
    const [app, sidecar] = [pod.container("web").pid, pod.container("leakwatch").pid];
    const scrape = await exporter.until(
      "the app",
      (found) => found.all("leakwatch_process_info").length === 1 && found,
    );

    const namespace = (pid: number) => fs.readlinkSync(`/proc/${pid}/ns/pid`);
    expect(namespace(sidecar)).toBe(namespace(app));
    expect(namespace(sidecar)).not.toBe(namespace(process.pid));
    for (const [field, value] of Object.entries({ Uid: 1000, CapEff: 0, CapBnd: 0, NoNewPrivs: 1, Seccomp: 2 })) {
      expect([field, statusField(sidecar, field)]).toEqual([field, value]);
    }
    expect(fs.readFileSync(`/proc/${sidecar}/mountinfo`, "utf8")).toMatch(/^\S+ \S+ \S+ \S+ \/ ro/m);
    expect(fs.readdirSync(`/proc/${sidecar}/root/var/run/secrets/kubernetes.io/serviceaccount`)).toEqual([]);
    // the app's uid shows what others may not see
    expect(scrape.all("leakwatch_process_info")[0]?.labels).toMatchObject({
      exe: "/usr/local/bin/node",
      container_id: pod.container("web").id,
    });
    expect(scrape.value("leakwatch_process_start_time_seconds", { group: "shop/server.js" })).toBe(startTime(app));
  });

  test("without any right shows memory, and the limit that the pod told it", async () => {
    const { objects, port } = await rendered("examples/before-1.29");
    const sidecar = sidecarOf(objects);
    sidecar.securityContext.runAsUser = 65_532;
    tell(sidecar, "LEAKWATCH_MEMORY_LIMIT", String(128 * MiB));
    const pod = play(objects, "shop-pod-0");
    const group = "shop/server.js";
    const scrape = await exporterOf(pod, port).until("the app", (found) => {
      return found.value("leakwatch_process_resident_memory_bytes", { group }) !== undefined && found;
    });
    expect(statusField(pod.container("leakwatch").pid, "Uid")).toBe(65_532);
    expect(scrape.value("leakwatch_process_memory_limit_bytes", { group })).toBe(128 * MiB);
    expect(scrape.value("leakwatch_process_memory_limit_info", { group, source: "config" })).toBe(1);
    expect(scrape.all("leakwatch_process_info")[0]?.labels["exe"]).toBe("");
    expect(scrape.all("leakwatch_cgroup_memory_usage_bytes")).toEqual([]);
  });

  test("without limits says that the node is the limit", async () => {
    const { objects, port } = await rendered("examples/before-1.29");
    for (const container of podSpec(objects).containers) delete container.resources;
    const pod = play(objects, "shop-pod-0");
    const group = "shop/server.js";
    const scrape = await exporterOf(pod, port).until(
      "the app",
      (found) => found.all("leakwatch_process_info").length === 1 && found,
    );
    expect(scrape.value("leakwatch_process_memory_limit_info", { group, source: "node" })).toBe(1);
  });

  test("of several containers, under users of their own, knows the limit of each", async () => {
    const { objects, port } = await rendered("examples/multi-container");
    const sidecar = sidecarOf(objects);
    tell(sidecar, "API_MEMORY_LIMIT", String(128 * MiB));
    tell(sidecar, "WORKER_MEMORY_LIMIT", String(192 * MiB));
    const pod = play(objects, "orders-pod-0");
    const scrape = await exporterOf(pod, port).until(
      "both",
      (found) => found.all("leakwatch_process_info").length === 2 && found,
    );
    const limits = scrape
      .all("leakwatch_process_memory_limit_bytes")
      .map(({ labels, value }) => [labels["group"], value / MiB]);
    expect(limits).toEqual([
      ["orders/api", 128],
      ["orders/worker", 192],
    ]);
  });

  test("given twice by mistake: the second finds the port taken, and the first goes on", async () => {
    const { objects, port } = await rendered("examples/before-1.29");
    const second = structuredClone(sidecarOf(objects));
    second.name = "leakwatch-2";
    delete second.ports;
    podSpec(objects).containers.push(second);
    const pod = play(objects, "shop-pod-0");
    await exporterOf(pod, port).until("the app", (found) =>
      found.value("leakwatch_group_processes", { group: "shop/server.js" }),
    );
    const log = await until(
      () => /.*(?:port is in use).*/.exec(pod.container("leakwatch").log() + pod.container("leakwatch-2").log())?.[0],
    );
    expect(log).toContain("cannot listen on :9847: the port is in use");
  });
});

describe("the DaemonSet's container", () => {
  test("sees the containers of several pods with their limits, without any capability", async () => {
    const shop = await rendered("examples/before-1.29");
    const orders = await rendered("examples/multi-container");
    for (const { objects } of [shop, orders]) {
      // the node's exporter is alone: no sidecars
      podSpec(objects).containers = podSpec(objects).containers.filter((c: Rendered) => c["name"] !== "leakwatch");
    }
    const pods = [play(shop.objects, "shop-pod-0"), play(orders.objects, "orders-pod-0")];
    const [web, api, worker] = [pods[0]?.container("web"), pods[1]?.container("api"), pods[1]?.container("worker")];

    const objects = await kustomize(path.join(k8s, "daemonset"));
    const daemonset = objects.find(({ kind }) => kind === "DaemonSet") as Rendered;
    const { containers, securityContext } = daemonset["spec"].template.spec;
    const args = containers[0].args.filter((arg: string) => !/^--(kubernetes|config)/.test(arg));
    const id = docker(
      ...["run", "--detach", "--pid=host", "--publish=127.0.0.1::9847", "--read-only", "--cap-drop=ALL"],
      ...["--security-opt=no-new-privileges", `--user=${securityContext.runAsUser}`, "--memory=192m"],
      ...["--volume=/sys/fs/cgroup:/host/sys/fs/cgroup:ro", inject("builtImages").EXPORTER_IMAGE, ...args],
    );
    onTestFinished(() => void docker("rm", "--force", id));
    const exporter = new RunningExporter(`http://${docker("port", id, "9847/tcp").split("\n")[0]}`, () =>
      docker("logs", id),
    );

    const ids = [web, api, worker].map((container) => container?.id);
    const found = await exporter.until("all three", (scrape) => {
      const seen = scrape.all("leakwatch_process_info").filter(({ labels }) => ids.includes(labels["container_id"]));
      return seen.length === 3 && { scrape, seen };
    });
    const limits = found.seen.map(({ labels }) => {
      const { group, slot } = labels as { group: string; slot: string };
      return [group, (found.scrape.value("leakwatch_process_memory_limit_bytes", { group, slot }) ?? 0) / MiB];
    });
    expect(limits.sort()).toEqual([
      ["api.js", 128],
      ["server.js", 128],
      ["worker.js", 192],
    ]);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until<T>(look: () => T | undefined, seconds = 30): Promise<T> {
  for (let i = 0; i < seconds * 5; i++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("never seen");
}
