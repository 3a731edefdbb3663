import { describe, expect, test } from "vitest";
import { isOfJob, type PodMetadata, workloadName } from "../../../exporter/discovery/containers/workload.ts";

const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, controller: true }] });

// Names as the controllers of these projects make them, by their sources or documentation.
describe("workloadName", () => {
  test.each<[string, PodMetadata, string]>([
    ["a Deployment", { ...owned("ReplicaSet", "api-7c9d8b6f5"), labels: { "pod-template-hash": "7c9d8b6f5" } }, "api"],
    [
      "an Argo Rollout",
      { ...owned("ReplicaSet", "api-6f7d9c4b5"), labels: { "rollouts-pod-template-hash": "6f7d9c4b5" } },
      "api",
    ],
    ["a ReplicaSet whose label was taken away", owned("ReplicaSet", "api-7c9d8b6f5c"), "api"],
    ["a ReplicaSet that somebody made", owned("ReplicaSet", "api-backend"), "api-backend"],
    [
      "a DeploymentConfig of OpenShift",
      {
        ...owned("ReplicationController", "api-3"),
        labels: { deployment: "api-3", deploymentconfig: "api" },
      },
      "api",
    ],
    [
      "a DeploymentConfig, by its annotation",
      {
        ...owned("ReplicationController", "api-3"),
        annotations: { "openshift.io/deployment-config.name": "api" },
      },
      "api",
    ],
    ["a ReplicationController that somebody made", owned("ReplicationController", "zone-3"), "zone-3"],
    [
      "a Knative service",
      {
        ...owned("ReplicaSet", "api-00042-deployment-7c9d8b6f5"),
        labels: { "serving.knative.dev/service": "api", "pod-template-hash": "7c9d8b6f5" },
      },
      "api",
    ],
    [
      "a Knative revision without its label",
      { ...owned("ReplicaSet", "api-00042-deployment-7c9d8b6f5"), labels: { "pod-template-hash": "7c9d8b6f5" } },
      "api",
    ],
    ["a StatefulSet", owned("StatefulSet", "db"), "db"],
    ["a StatefulSet with a number", owned("StatefulSet", "db-2"), "db-2"],
    ["a DaemonSet", owned("DaemonSet", "node-agent"), "node-agent"],
    ["a CronJob", owned("Job", "report-29388960"), "report"],
    ["a Job with a generated name", owned("Job", "migrate-x2x7k"), "migrate"],
    ["a Job of a Helm release's revision", owned("Job", "shop-migrate-14"), "shop-migrate"],
    ["a Job of a commit", owned("Job", "shop-migrate-3f9c2d1"), "shop-migrate"],
    ["a Job of a version", owned("Job", "shop-migrate-v1.4.2"), "shop-migrate"],
    ["a Job with a plain name", owned("Job", "shop-migrate"), "shop-migrate"],
    ["a Job that is all number", owned("Job", "20261128"), "20261128"],
    ["a static pod", { name: "kube-apiserver-node-3", ...owned("Node", "node-3") }, "kube-apiserver"],
    ["a pod that somebody made", { name: "toolbox" }, "toolbox"],
    ["a pod of a generated name", { name: "toolbox-x2x7k" }, "toolbox"],
    ["an owner that is no controller", { ownerReferences: [{ kind: "DaemonSet", name: "agent" }] }, "agent"],
    ["an OpenKruise CloneSet", owned("CloneSet", "api"), "api"],
    ["a Strimzi pod set", owned("StrimziPodSet", "shop-kafka"), "shop-kafka"],
    [
      "an Agones fleet",
      { ...owned("GameServer", "arena-x2x7k-b4c6d"), labels: { "agones.dev/fleet": "arena" } },
      "arena",
    ],
    ["an owner of a generated name", owned("GameServer", "arena-x2x7k-b4c6d"), "arena"],
    ["an owner whose last word has no vowel", owned("Cluster", "shop-grpcs"), "shop-grpcs"],
    [
      "an Argo CronWorkflow",
      { ...owned("Workflow", "nightly-1790000000"), labels: { "workflows.argoproj.io/cron-workflow": "nightly" } },
      "nightly",
    ],
    ["a pod without anything", {}, ""],
  ])("of %s", (_, metadata, name) => {
    expect(workloadName(metadata)).toBe(name);
  });
});

test.each([
  ["Job", true],
  ["Workflow", true],
  ["ReplicaSet", false],
  ["StatefulSet", false],
])("a %s is a job: %s", (kind, expected) => {
  expect(isOfJob(owned(kind, "x"))).toBe(expected);
});
