// Every folder under k8s/ as kubectl renders it.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { dump, load } from "js-yaml";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { promtool } from "../alerts/promtool.ts";
import { ensureKubectl, kustomize, type Rendered } from "../support/kubectl.ts";
import { podTemplate, referenceComplaints, restrictedComplaints, schemaComplaints, typeComplaints } from "./checks.ts";
import { foldersOf, k8s } from "./overlays.ts";

beforeAll(() => void ensureKubectl(), 300_000);

const folders = foldersOf("Kustomization");
const rendered = new Map<string, Rendered[]>();
beforeAll(async () => {
  for (const folder of folders) rendered.set(folder, await kustomize(path.join(k8s, folder)));
});

const objectsOf = (folder: string) => rendered.get(folder) as Rendered[];
const find = (objects: readonly Rendered[], kind: string, name?: string) =>
  objects.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name)) as Rendered;

test("there are overlays", () => {
  expect(folders).toEqual(
    expect.arrayContaining(["daemonset", "monitoring/operator", "monitoring/plain", "examples/with-operator"]),
  );
});

describe.each(folders)("%s", (folder) => {
  test("has values that the API accepts", async () => {
    expect(await schemaComplaints(objectsOf(folder))).toEqual([]);
  });

  test("has selectors that select and names that exist", () => {
    expect(referenceComplaints(objectsOf(folder))).toEqual([]);
  });

  test("runs on Linux nodes only", () => {
    for (const object of objectsOf(folder)) {
      const pod = podTemplate(object);
      if (pod !== undefined) expect(pod["spec"].nodeSelector).toEqual({ "kubernetes.io/os": "linux" });
    }
  });

  test("puts only what a restricted namespace accepts into one", () => {
    const restricted = objectsOf(folder)
      .filter(
        ({ kind, metadata }) =>
          kind === "Namespace" && metadata["labels"]["pod-security.kubernetes.io/enforce"] === "restricted",
      )
      .map(({ metadata }) => metadata.name);
    for (const object of objectsOf(folder)) {
      const pod = podTemplate(object);
      if (pod !== undefined && restricted.includes(object.metadata["namespace"])) {
        expect([object.metadata.name, restrictedComplaints(pod)]).toEqual([object.metadata.name, []]);
      }
    }
  });
});

test("every field of every object is one that its kind has", () => {
  expect(typeComplaints([...rendered.values()].flat())).toEqual([]);
});

describe("what is wrong is seen", () => {
  const broken = (change: (deployment: Rendered) => void): Rendered[] => {
    const objects = structuredClone(objectsOf("examples/without-operator"));
    change(find(objects, "Deployment"));
    return objects;
  };
  const monitor = (interval: string): Rendered => {
    const object = structuredClone(find(objectsOf("monitoring/operator"), "PodMonitor"));
    object["spec"].podMetricsEndpoints[0].interval = interval;
    return object;
  };

  test("a quantity that Kubernetes cannot read", async () => {
    const objects = broken(({ spec }) => (spec.template.spec.containers[0].resources.limits.memory = "128 MB"));
    expect(await schemaComplaints(objects)).toEqual([expect.stringMatching(/^Deployment shop: .*memory/)]);
  });

  test("a text where a number belongs", async () => {
    const objects = broken(({ spec }) => (spec.replicas = "two"));
    expect(await schemaComplaints(objects)).toEqual([expect.stringMatching(/^Deployment shop: .*replicas/)]);
  });

  test("a duration that the operator cannot read", async () => {
    expect(await schemaComplaints([monitor("15 sec")])).toEqual([expect.stringMatching(/^PodMonitor .*interval/)]);
    expect(await schemaComplaints([monitor("1m30s")])).toEqual([]);
  });

  test("a field that there is not", () => {
    const objects = broken(({ spec }) => (spec.template.spec.containers[0].resources.memoryLimitt = "128Mi"));
    expect(typeComplaints(objects)).toEqual([expect.stringMatching(/^Deployment shop: .*memoryLimitt/)]);
  });

  test("a selector of other pods, also of a budget", () => {
    const objects = broken(({ spec }) => (spec.template.metadata.labels["app.kubernetes.io/name"] = "shopp"));
    expect(referenceComplaints(objects)).toEqual([
      "Deployment shop: selects other pods",
      "PodDisruptionBudget shop: selects no pod",
    ]);
  });

  test("a limit of a container that there is not", () => {
    const objects = broken(({ spec }) => (spec.template.spec.containers[0].name = "renamed"));
    expect(referenceComplaints(objects)).toEqual(["Deployment shop: has no container web"]);
  });

  test("a right that a restricted namespace does not give", () => {
    const [, , deployment] = broken(({ spec }) => {
      spec.template.spec.initContainers[0].securityContext.capabilities = { drop: ["ALL"], add: ["SYS_PTRACE"] };
      spec.template.spec.hostPID = true;
    });
    expect(restrictedComplaints(podTemplate(deployment as Rendered) as Rendered)).toEqual([
      "hostPID",
      "leakwatch: capabilities.add",
    ]);
  });
});

/** Removed when the test is over. */
function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-k8s-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

describe("monitoring/operator", () => {
  const labelled = ["PodMonitor", "PrometheusRule", "AlertmanagerConfig"];

  test("gives every object of the operator the label that kube-prometheus-stack selects by", () => {
    const objects = objectsOf("monitoring/operator").filter(({ kind }) => labelled.includes(kind));
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(labelled));
    for (const { metadata } of objects) expect(metadata["labels"].release).toBe("kube-prometheus-stack");
  });

  test("takes its value from one line", async () => {
    const copy = fs.mkdtempSync(path.join(k8s, ".test-"));
    try {
      // as a user would: a copy of the folder beside the other one
      fs.cpSync(path.join(k8s, "monitoring/operator"), path.join(copy, "operator"), { recursive: true });
      const file = path.join(copy, "operator/parameters.yaml");
      fs.writeFileSync(
        file,
        fs.readFileSync(file, "utf8").replace("release: kube-prometheus-stack", "release: observability"),
      );
      const objects = await kustomize(path.join(copy, "operator"));
      const releases = objects
        .filter(({ kind }) => labelled.includes(kind))
        .map(({ metadata }) => metadata["labels"].release);
      expect(new Set(releases)).toEqual(new Set(["observability"]));
    } finally {
      fs.rmSync(copy, { recursive: true });
    }
  });

  test("sends no parameters to the cluster", () => {
    expect(find(objectsOf("monitoring/operator"), "ConfigMap", "leakwatch-parameters")).toBeUndefined();
  });

  test.each(["leakwatch", "leakwatch-kubernetes"])("has rules %s that promtool accepts", async (name) => {
    const rule = find(objectsOf("monitoring/operator"), "PrometheusRule", name);
    const file = path.join(temporaryFolder(), "rules.yml");
    fs.writeFileSync(file, dump(rule["spec"]));
    expect(await promtool("check", "rules", file)).toMatchObject({ ok: true });
    fs.writeFileSync(file, dump(rule["spec"]).replace(/expr: .*/, "expr: sum by ("));
    expect(await promtool("check", "rules", file)).toMatchObject({ ok: false });
  });

  test("has the same rules as the plain file", () => {
    const plain = load(fs.readFileSync(path.join(k8s, "../alerts/generated/leakwatch.rules.yml"), "utf8"));
    expect(find(objectsOf("monitoring/operator"), "PrometheusRule", "leakwatch")["spec"]).toEqual(plain);
  });

  test("records what the kubelet counted in watched pods, and in no others", async () => {
    const folder = temporaryFolder();
    const rule = find(objectsOf("monitoring/operator"), "PrometheusRule", "leakwatch-kubernetes");
    fs.writeFileSync(path.join(folder, "rules.yml"), dump(rule["spec"]));
    const restarts = "kube_pod_container_status_restarts_total";
    const oomKilled = "kube_pod_container_status_last_terminated_reason";
    const [web, other] = [
      'namespace="shop",pod="web-0",container="app"',
      'namespace="shop",pod="other-0",container="app"',
    ];
    const cases = {
      rule_files: ["rules.yml"],
      tests: [
        {
          interval: "1m",
          input_series: [
            {
              series: 'leakwatch_build_info{namespace="shop",pod="web-0",container="leakwatch",version="0.1.0"}',
              values: "1x120",
            },
            { series: `${restarts}{${web},uid="1",job="kube-state-metrics"}`, values: "0+1x120" },
            { series: `${restarts}{${other},uid="2",job="kube-state-metrics"}`, values: "0+1x120" },
            { series: `${oomKilled}{${web},reason="OOMKilled"}`, values: "1x120" },
            { series: `${oomKilled}{${other},reason="OOMKilled"}`, values: "1x120" },
          ],
          promql_expr_test: [
            {
              expr: "round(namespace_pod_container:leakwatch_kubelet_restarts:increase1h)",
              eval_time: "2h",
              exp_samples: [{ labels: `{${web}}`, value: 60 }],
            },
            {
              expr: "namespace_pod_container:leakwatch_kubelet_oom_killed:max",
              eval_time: "2h",
              exp_samples: [{ labels: `namespace_pod_container:leakwatch_kubelet_oom_killed:max{${web}}`, value: 1 }],
            },
          ],
        },
      ],
    };
    fs.writeFileSync(path.join(folder, "tests.yml"), dump(cases));
    expect(await promtool("test", "rules", path.join(folder, "tests.yml"))).toMatchObject({ ok: true });
  });

  test("scrapes the port and the pods that the other folders have", () => {
    for (const [monitor, folder, kind] of [
      ["leakwatch-sidecar", "examples/without-operator", "Deployment"],
      ["leakwatch-daemonset", "daemonset", "DaemonSet"],
    ] as const) {
      const { spec } = find(objectsOf("monitoring/operator"), "PodMonitor", monitor);
      const pod = podTemplate(find(objectsOf(folder), kind)) as Rendered;
      expect(pod.metadata["labels"]).toMatchObject(spec.selector.matchLabels);
      const ports = [...pod["spec"].containers, ...(pod["spec"].initContainers ?? [])].flatMap(
        ({ ports = [] }) => ports,
      );
      expect(ports).toContainEqual({ name: spec.podMetricsEndpoints[0].port, containerPort: 9847 });
    }
  });
});

describe("monitoring/plain", () => {
  const file = (configMap: string, name: string) => {
    const found = objectsOf("monitoring/plain").find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith(configMap),
    );
    return (found as Rendered)["data"][name] as string;
  };

  /** Debian's Prometheus has no discovery in Kubernetes, so the pods come from a file with the labels that it would find. */
  const withPods = (pods: readonly object[], folder: string) => {
    fs.writeFileSync(path.join(folder, "rules.yml"), file("leakwatch-rules", "leakwatch.rules.yml"));
    fs.writeFileSync(path.join(folder, "pods.json"), JSON.stringify(pods));
    const config = load(file("prometheus-config", "prometheus.yml")) as Rendered;
    config["rule_files"] = [path.join(folder, "rules.yml")];
    for (const job of config["scrape_configs"]) {
      if (job.kubernetes_sd_configs === undefined) continue;
      expect(job.kubernetes_sd_configs).toEqual([{ role: "pod" }]);
      delete job.kubernetes_sd_configs;
      job.file_sd_configs = [{ files: [path.join(folder, "pods.json")] }];
    }
    fs.writeFileSync(path.join(folder, "prometheus.yml"), dump(config));
    return path.join(folder, "prometheus.yml");
  };

  const pod = (labels: Record<string, string>) => ({
    targets: ["10.0.0.7:9847"],
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [`__meta_kubernetes_${name}`, value])),
  });
  const shop = {
    namespace: "shops",
    pod_name: "shop-0",
    pod_phase: "Running",
    pod_node_name: "node-3",
    pod_container_name: "leakwatch",
    pod_container_port_name: "leakwatch",
    pod_label_leakwatch: "sidecar",
    pod_label_app_kubernetes_io_version: "1.4.2",
  };

  test("has a configuration that promtool accepts", async () => {
    const config = withPods([pod(shop)], temporaryFolder());
    expect(await promtool("check", "config", config)).toMatchObject({ ok: true });
  });

  test.each([
    [
      "a pod with the sidecar, under its name",
      "leakwatch-sidecar",
      shop,
      {
        job: "leakwatch",
        instance: "shops/shop-0",
        namespace: "shops",
        pod: "shop-0",
        container: "leakwatch",
        app_version: "1.4.2",
      },
    ],
    [
      "a pod of the DaemonSet, under that of its node",
      "leakwatch-daemonset",
      { ...shop, namespace: "leakwatch", pod_name: "leakwatch-x2x7k", pod_label_leakwatch: "daemonset" },
      {
        job: "leakwatch",
        instance: "node-3",
        node: "node-3",
        namespace: "leakwatch",
        pod: "leakwatch-x2x7k",
        container: "leakwatch",
      },
    ],
    ["no other port of that pod", "leakwatch-sidecar", { ...shop, pod_container_port_name: "http" }, undefined],
    ["no pod that has ended", "leakwatch-sidecar", { ...shop, pod_phase: "Succeeded" }, undefined],
    ["no pod without the label", "leakwatch-sidecar", { ...shop, pod_label_leakwatch: "" }, undefined],
  ])("scrapes %s", async (_, job, labels, expected) => {
    const config = withPods([pod(labels)], temporaryFolder());
    const { said } = await promtool("check", "service-discovery", "--timeout=700ms", config, job);
    const found = JSON.parse(/^\[.*?^\]/ms.exec(said)?.[0] ?? "[]") as { labels: Record<string, string> }[];
    const kept = Object.entries(found[0]?.labels ?? {}).filter(([name]) => !name.startsWith("__"));
    expect(kept).toEqual(expect.arrayContaining(Object.entries(expected ?? {})));
    expect(kept).toHaveLength(Object.keys(expected ?? {}).length);
  });

  test("mounts every ConfigMap with dashboards", () => {
    const made = objectsOf("monitoring/plain").filter(({ metadata }) => metadata["labels"]?.grafana_dashboard === "1");
    const pod = podTemplate(find(objectsOf("monitoring/plain"), "Deployment", "grafana")) as Rendered;
    const { sources } = pod["spec"].volumes.find(({ name }: Rendered["metadata"]) => name === "dashboards").projected;
    expect(sources.map(({ configMap }: Rendered) => configMap.name)).toEqual(made.map(({ metadata }) => metadata.name));
  });
});

describe("daemonset", () => {
  test("may list pods, and nothing else", () => {
    expect(find(objectsOf("daemonset"), "ClusterRole")["rules"]).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
    ]);
  });

  test("sees the node's processes and cgroups without any capability", () => {
    const { spec } = podTemplate(find(objectsOf("daemonset"), "DaemonSet")) as Rendered;
    expect(spec.hostPID).toBe(true);
    expect(spec.volumes).toContainEqual({ name: "cgroups", hostPath: { path: "/sys/fs/cgroup", type: "Directory" } });
    expect(spec.containers[0].volumeMounts).toContainEqual(
      expect.objectContaining({ name: "cgroups", readOnly: true }),
    );
    expect(spec.containers[0].securityContext.capabilities).toEqual({ drop: ["ALL"] });
    expect(spec.tolerations).toEqual([{ operator: "Exists" }]);
  });

  test("keeps what it knows on the node, in a folder that is made writable without a capability", () => {
    const { spec } = podTemplate(find(objectsOf("daemonset"), "DaemonSet")) as Rendered;
    const { hostPath } = spec.volumes.find(({ name }: Rendered["metadata"]) => name === "state");
    const [folder] = spec.containers[0].args.flatMap(
      (argument: string) => /^--storage\.path=(.*)/.exec(argument)?.[1] ?? [],
    );
    expect(hostPath).toEqual({ path: folder, type: "DirectoryOrCreate" });
    const [prepares] = spec.initContainers;
    for (const { volumeMounts } of [prepares, spec.containers[0]])
      expect(volumeMounts).toContainEqual({ name: "state", mountPath: folder });
    expect(prepares.securityContext).toMatchObject({
      runAsUser: 0,
      capabilities: { drop: ["ALL"] },
      allowPrivilegeEscalation: false,
    });
    expect(prepares.securityContext.runAsGroup).toBe(spec.securityContext.runAsGroup); // else root could not give it away
  });
});
