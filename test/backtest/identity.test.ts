// Which process a series is of, by the labels that exporters really set.

import { describe, expect, test } from "vitest";
import { identityOf } from "../../exporter/backtest/identity.ts";
import { judgedContainers } from "../../exporter/backtest/judged-containers.ts";
import type { LabelSet } from "../../exporter/prometheus/labels.ts";

const hex = (n: number) => n.toString(16).padStart(64, "0");
const kubelet = { instance: "10.0.0.4:10250", job: "kubelet", node: "n1", metrics_path: "/metrics/cadvisor" };
const compose = {
  container_label_com_docker_compose_project: "shop",
  container_label_com_docker_compose_service: "api",
};

/** Two series of the same process: another life of it, or a copy. */
const sameProcess: [string, LabelSet, LabelSet][] = [
  [
    "a container that was restarted",
    { ...kubelet, namespace: "shop", pod: "api-0", container: "api", id: `/kubepods/${hex(1)}`, name: hex(1) },
    { ...kubelet, namespace: "shop", pod: "api-0", container: "api", id: `/kubepods/${hex(2)}`, name: hex(2) },
  ],
  [
    "a pod that was made again on another node, with another image",
    { ...kubelet, namespace: "shop", pod: "api-0", container: "api", image: "shop/api:1.4" },
    {
      ...kubelet,
      namespace: "shop",
      pod: "api-0",
      container: "api",
      image: "shop/api:1.5",
      node: "n2",
      instance: "10.0.0.5:10250",
    },
  ],
  [
    "a container of dockershim, by its name alone",
    { instance: "n1:8080", id: `/kubepods/${hex(1)}`, name: "k8s_api_api-7d9c6b5f4-x2x7k_shop_11111111-2222_0" },
    { instance: "n1:8080", id: `/kubepods/${hex(2)}`, name: "k8s_api_api-7d9c6b5f4-x2x7k_shop_11111111-2222_1" },
  ],
  [
    "a restart count in a label",
    {
      instance: "n1:8080",
      container_label_io_kubernetes_container_name: "api",
      container_label_io_kubernetes_pod_name: "api-0",
      container_label_annotation_io_kubernetes_container_restartCount: "3",
    },
    {
      instance: "n1:8080",
      container_label_io_kubernetes_container_name: "api",
      container_label_io_kubernetes_pod_name: "api-0",
      container_label_annotation_io_kubernetes_container_restartCount: "4",
    },
  ],
  [
    "a service of Compose, after a deploy",
    {
      ...compose,
      instance: "h:8080",
      name: "shop-api-1",
      id: `/docker/${hex(1)}`,
      image: "shop/api:1.4",
      container_label_com_docker_compose_config_hash: hex(7),
    },
    {
      ...compose,
      instance: "h:8080",
      name: "shop-api-1",
      id: `/docker/${hex(2)}`,
      image: "shop/api:1.5",
      container_label_com_docker_compose_config_hash: hex(8),
    },
  ],
  [
    "Compose's old container, while it makes the new one",
    { ...compose, instance: "h:8080", name: "shop-api-1", id: `/docker/${hex(1)}` },
    { ...compose, instance: "h:8080", name: "0123456789ab_shop-api-1", id: `/docker/${hex(1)}` },
  ],
  [
    "a task of Swarm that follows another",
    {
      instance: "h:8080",
      id: `/docker/${hex(1)}`,
      name: "shop_api.1.0m8k6f3v1x5q9w2e7r4t6y8u1",
      container_label_com_docker_swarm_service_name: "shop_api",
    },
    {
      instance: "h:8080",
      id: `/docker/${hex(2)}`,
      name: "shop_api.1.a1b2c3d4e5f6g7h8i9j0k1l2m",
      container_label_com_docker_swarm_service_name: "shop_api",
    },
  ],
  [
    "replicas of a Prometheus operator",
    { job: "api", instance: "a:80", prometheus: "monitoring/k8s", prometheus_replica: "prometheus-k8s-0" },
    { job: "api", instance: "a:80", prometheus: "monitoring/k8s", prometheus_replica: "prometheus-k8s-1" },
  ],
  [
    "replicas for Cortex and Mimir",
    { job: "api", instance: "a:80", __replica__: "a" },
    { job: "api", instance: "a:80", __replica__: "b" },
  ],
  [
    "a kubelet that two services find",
    { ...kubelet, namespace: "shop", pod: "api-0", container: "api", service: "kubelet" },
    { ...kubelet, namespace: "shop", pod: "api-0", container: "api", service: "kps-kubelet" },
  ],
  [
    "a version of the program in a label",
    { job: "api", instance: "a:80", version: "1.4" },
    { job: "api", instance: "a:80", version: "1.5" },
  ],
  [
    "labels of OpenTelemetry, with dots",
    { "service.name": "api", "host.name": "h1", "service.instance.id": "6f1c" },
    { "service.name": "api", "host.name": "h1", "service.instance.id": "7a2b" },
  ],
];

describe("one process", () => {
  test.each(sameProcess)("%s", (_, one, other) => {
    const [a, b] = [identityOf(one), identityOf(other)];
    expect(b.process).toBe(a.process);
    expect(b.service).toEqual(a.service);
  });
});

describe("two processes", () => {
  test.each<[string, LabelSet, LabelSet]>([
    ["pods of a set", { namespace: "shop", pod: "api-0" }, { namespace: "shop", pod: "api-1" }],
    ["containers of a pod", { pod: "api-0", container: "api" }, { pod: "api-0", container: "proxy" }],
    ["pods of the same name in two clusters", { cluster: "a", pod: "api-0" }, { cluster: "b", pod: "api-0" }],
    ["targets of a job", { job: "api", instance: "a:80" }, { job: "api", instance: "b:80" }],
    [
      "the same service on two hosts",
      { ...compose, name: "shop-api-1", id: "/x", instance: "h:1" },
      { ...compose, name: "shop-api-1", id: "/x", instance: "i:1" },
    ],
    [
      "groups of process-exporter",
      { instance: "h:9256", groupname: "nginx" },
      { instance: "h:9256", groupname: "java" },
    ],
    [
      "what has an id only",
      { instance: "h:1", id: "/system.slice/a.service" },
      { instance: "h:1", id: "/system.slice/b.service" },
    ],
  ])("%s", (_, one, other) => {
    expect(identityOf(other).process).not.toBe(identityOf(one).process);
  });
});

describe("one service", () => {
  test.each<[string, LabelSet[], LabelSet]>([
    [
      "pods of a Deployment, over a rollout",
      [{ pod: "api-7d9c6b5f4-x2x7k" }, { pod: "api-5b8f9c7d6-9zq4w" }],
      { workload: "api" },
    ],
    ["pods of a set", [{ pod: "db-0" }, { pod: "db-1" }], { workload: "db" }],
    ["runs of a CronJob", [{ pod: "backup-28391220-x2x7k" }, { pod: "backup-28392660-9zq4w" }], { workload: "backup" }],
    [
      "containers that Compose scales",
      [
        { ...compose, name: "shop-api-1", id: "/x" },
        { ...compose, name: "shop-api-2", id: "/y" },
      ],
      { workload: "shop", container: "api" },
    ],
    [
      "an allocation of Nomad that follows another",
      [
        { name: "web-0b3e1c7a-1111-2222-3333-444455556666", id: "/x", image: "web:1" },
        { name: "web-9f3e1c7a-1111-2222-3333-444455556666", id: "/y", image: "web:2" },
      ],
      { container: "web" },
    ],
  ])("%s", (_, series, service) => {
    for (const labels of series) expect(identityOf(labels).service).toEqual(service);
  });

  test("the numbers of pods and containers are the slots", () => {
    expect(identityOf({ pod: "db-3" }).ordinal).toBe("3");
    expect(identityOf({ ...compose, name: "shop-api-2", id: "/x" }).ordinal).toBe("2");
    expect(identityOf({ group: "api", slot: "4" }).ordinal).toBe("4");
  });
});

test("exported_ labels are the process' own, the plain ones its exporter's", () => {
  const plain = { namespace: "monitoring", pod: "ksm-1", container: "kube-state-metrics" };
  const own = { exported_namespace: "shop", exported_pod: "api-0", exported_container: "api" };
  expect(identityOf({ ...plain, ...own }).process).toBe(
    identityOf({ namespace: "shop", pod: "api-0", container: "api" }).process,
  );
});

describe("what is judged of a container's gauge", () => {
  const judged = (found: LabelSet[]) => judgedContainers("container_memory_rss", found);

  test("with ids only: what holds no others, and not the machine", () => {
    const { judged: left, notes } = judged(
      [
        "/",
        "/system.slice",
        "/system.slice/nginx.service",
        "/kubepods",
        "/kubepods/pod1",
        `/kubepods/pod1/${hex(1)}`,
      ].map((id) => ({ id, instance: "h" })),
    );
    expect(left.map(({ id }) => id)).toEqual(["/system.slice/nginx.service", `/kubepods/pod1/${hex(1)}`]);
    expect(notes.join("; ")).toMatch(/^4 cgroups that hold others not judged; 2 cgroups known by id only/);
  });

  test("the same id on another machine holds nothing", () => {
    expect(
      judged([
        { id: "/a", instance: "h" },
        { id: "/a/b", instance: "i" },
      ]).judged,
    ).toHaveLength(2);
  });

  test("a gauge of processes has no sums: all are judged", () => {
    const found = [{ job: "a", name: "x" }, { job: "b" }];
    expect(judgedContainers("process_resident_memory_bytes", found).judged).toEqual(found);
  });
});
