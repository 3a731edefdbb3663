// The limit of a container is its own, or none.

import { describe, expect, test } from "vitest";
import { nothingLearned } from "../../exporter/backtest/identity.ts";
import { Joiner } from "../../exporter/backtest/join.ts";
import type { LabelSet } from "../../exporter/prometheus/labels.ts";

const api = { namespace: "shop", pod: "api-0", container: "api", instance: "10.0.0.4:10250", job: "kubelet" };
const ksm = {
  instance: "10.0.0.9:8080",
  job: "kube-state-metrics",
  resource: "memory",
  unit: "byte",
  node: "n1",
  uid: "u",
};
const ofKsm = { namespace: "monitoring", pod: "ksm-1", container: "kube-state-metrics" };
const exportedOf = (namespace: string, pod: string, container: string) => ({
  ...ksm,
  ...ofKsm,
  exported_namespace: namespace,
  exported_pod: pod,
  exported_container: container,
});

const joined = (labels: LabelSet, ...found: LabelSet[]) => new Joiner(found, nothingLearned).of(labels);

describe("is joined", () => {
  const other = exportedOf("shop", "db-0", "db");
  test.each<[string, LabelSet, LabelSet]>([
    ["with the same labels", api, api],
    ["by exported_ labels", api, exportedOf("shop", "api-0", "api")],
    ["with honor_labels", api, { ...ksm, namespace: "shop", pod: "api-0", container: "api" }],
    [
      "by the names of an old kubelet",
      { namespace: "shop", pod_name: "api-0", container_name: "api", id: "/x" },
      exportedOf("shop", "api-0", "api"),
    ],
    [
      "by the labels that standalone cAdvisor has",
      {
        instance: "n1:8080",
        container_label_io_kubernetes_container_name: "api",
        container_label_io_kubernetes_pod_name: "api-0",
        container_label_io_kubernetes_pod_namespace: "shop",
      },
      exportedOf("shop", "api-0", "api"),
    ],
    [
      "of a process that does not name its container, where the pod has one",
      { namespace: "shop", pod: "api-0", job: "api", instance: "10.1.1.1:80" },
      exportedOf("shop", "api-0", "api"),
    ],
    ["by the target", { job: "api", instance: "a:80" }, { job: "api", instance: "a:80", kind: "rss" }],
    ["by a job that has one limit", { job: "api" }, { job: "api", env: "live" }],
  ])("%s", (_, labels, limit) => {
    expect(joined(labels, other, limit)).toEqual([limit]);
  });

  test("through the lives and copies of the container", () => {
    const copies = [
      { ...exportedOf("shop", "api-0", "api"), prometheus_replica: "a" },
      { ...exportedOf("shop", "api-0", "api"), prometheus_replica: "b", uid: "v" },
    ];
    expect(joined(api, ...copies)).toEqual(copies);
  });
});

describe("is not joined", () => {
  test.each<[string, LabelSet, LabelSet[], string]>([
    ["with another container of the pod", api, [exportedOf("shop", "api-0", "proxy")], "none fits"],
    ["with the same names elsewhere", api, [exportedOf("other", "api-0", "api")], "none fits"],
    [
      "with another cluster's",
      { ...api, cluster: "a" },
      [{ ...exportedOf("shop", "api-0", "api"), cluster: "b" }],
      "none fits",
    ],
    ["with what is said of a whole pod", api, [{ ...ksm, namespace: "shop", pod: "api-0" }], "none fits"],
    [
      "with one of two containers, when nothing says which",
      { namespace: "shop", pod: "api-0" },
      [exportedOf("shop", "api-0", "api"), exportedOf("shop", "api-0", "proxy")],
      "several fit",
    ],
    [
      "with another target of the job",
      { job: "api", instance: "a:80" },
      [{ job: "api", instance: "b:80" }],
      "none fits",
    ],
    ["with nothing in common", { job: "api" }, [{ zone: "1" }], "none fits"],
  ])("%s", (_, labels, limits, why) => {
    expect(joined(labels, ...limits)).toBe(why);
  });
});
