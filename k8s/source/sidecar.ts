// The exporter beside an app: components that patch workloads.

import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import { component, type JsonPatch, type Part } from "./kustomize.ts";
import { container, image, podLabel, port, restricted, stateFolder } from "./values.ts";

/** An empty volume where the token would be: then the API server mounts none here, and the app keeps its own. */
const noToken = { name: "leakwatch-no-token", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };

/**
 * What the exporter knows of the pod's processes, over restarts of its container. It goes with the pod, as they do. The kubelet evicts a
 * pod whose volume outgrows its size: a file has some 6 KiB for each process, and no sidecar of 96 MiB watches thousands.
 */
const state = { name: "leakwatch-state", mountPath: stateFolder };

/** Stands where the name of the app's container goes; limit.yaml replaces it by the name of the first one. */
const firstContainer = "FIRST-CONTAINER";

/** Place of the limit in `env`. */
const limitIndex = 0;

export const sidecarContainer: IContainer = {
  name: container,
  image,
  args: ["serve", `--web.listen-address=:${port.number}`, `--storage.path=${stateFolder}`],
  env: [
    {
      name: "LEAKWATCH_MEMORY_LIMIT",
      valueFrom: { resourceFieldRef: { containerName: firstContainer, resource: "limits.memory" } },
    },
    {
      name: "LEAKWATCH_GROUP_PREFIX",
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/name']" } },
    },
  ],
  ports: [{ name: port.name, containerPort: port.number }],
  resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "96Mi" } },
  startupProbe: { httpGet: { path: "/-/ready", port: port.name }, periodSeconds: 1, failureThreshold: 60 },
  livenessProbe: { httpGet: { path: "/-/healthy", port: port.name }, periodSeconds: 30, timeoutSeconds: 5 },
  securityContext: restricted,
  volumeMounts: [{ ...noToken, readOnly: true }, state],
};

const podTemplate = (spec: Part<IPodTemplateSpec["spec"]>): Part<IPodTemplateSpec> => ({
  metadata: { labels: { [podLabel.key]: podLabel.sidecar } },
  spec: {
    shareProcessNamespace: true,
    ...spec,
    volumes: [
      { name: noToken.name, emptyDir: { sizeLimit: "1Mi" } },
      { name: state.name, emptyDir: { sizeLimit: "128Mi" } },
    ],
  },
});

/** Outlives the app's containers, starts before them, and does not keep a Job from ending. */
const native = podTemplate({ initContainers: [{ ...sidecarContainer, restartPolicy: "Always" }] });
const plain = podTemplate({ containers: [sidecarContainer] });

const workload = (template: Part<IPodTemplateSpec>): Part<IDeployment> => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "any" },
  spec: { template },
});

const cronJob: Part<ICronJob> = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "any" },
  spec: { jobTemplate: { spec: { template: native } } },
};

/** Puts the name of the app's first container where its limit is asked for. kustomize puts the sidecar first. */
function limitPatch(template: string, list: "initContainers" | "containers"): JsonPatch[] {
  const sidecar = `${template}/spec/${list}/0`;
  const appIndex = list === "containers" ? 1 : 0;
  return [
    { op: "test", path: `${sidecar}/name`, value: container },
    {
      op: "copy",
      from: `${template}/spec/containers/${appIndex}/name`,
      path: `${sidecar}/env/${limitIndex}/valueFrom/resourceFieldRef/containerName`,
    },
  ];
}

const chosen = (kind: string) => ({ kind, labelSelector: `${podLabel.key}!=${podLabel.off}` });
const servers = chosen("Deployment|StatefulSet|DaemonSet");
const jobs = chosen("Job");
const cronJobs = chosen("CronJob");

/** What Prometheus' own examples for Kubernetes look at. Only for pods that have no such annotations for themselves. */
const annotations = {
  "prometheus.io/scrape": "true",
  "prometheus.io/port": String(port.number),
  "prometheus.io/path": "/metrics",
};

const annotated: Part<IDeployment> = workload({ metadata: { annotations } });

/** For namespaces that deny what is not allowed. Alone it would close every other port of the pods that it selects. */
const networkPolicy: INetworkPolicy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "leakwatch-scrape" },
  spec: {
    podSelector: { matchLabels: { [podLabel.key]: podLabel.sidecar } },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [{ namespaceSelector: {}, podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } } }],
        ports: [{ protocol: "TCP", port: port.number }],
      },
    ],
  },
};

export const sidecarFiles = {
  "components/sidecar/kustomization.yaml": component({
    patches: [
      { target: servers, path: "workload.yaml" },
      { target: servers, path: "limit.yaml" },
      { target: jobs, path: "workload.yaml" },
      { target: jobs, path: "limit.yaml" },
      { target: cronJobs, path: "cronjob.yaml" },
      { target: cronJobs, path: "cronjob-limit.yaml" },
    ],
  }),
  "components/sidecar/workload.yaml": workload(native),
  "components/sidecar/limit.yaml": limitPatch("/spec/template", "initContainers"),
  "components/sidecar/cronjob.yaml": cronJob,
  "components/sidecar/cronjob-limit.yaml": limitPatch("/spec/jobTemplate/spec/template", "initContainers"),

  "components/sidecar-container/kustomization.yaml": component({
    patches: [
      { target: servers, path: "workload.yaml" },
      { target: servers, path: "limit.yaml" },
    ],
  }),
  "components/sidecar-container/workload.yaml": workload(plain),
  "components/sidecar-container/limit.yaml": limitPatch("/spec/template", "containers"),

  "components/scrape-annotations/kustomization.yaml": component({
    patches: [{ target: servers, path: "annotations.yaml" }],
  }),
  "components/scrape-annotations/annotations.yaml": annotated,

  "components/network-policy/kustomization.yaml": component({ resources: ["networkpolicy.yaml"] }),
  "components/network-policy/networkpolicy.yaml": networkPolicy,
};
