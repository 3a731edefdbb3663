// One exporter per node that watches every pod of it.

import type { IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { IClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import type { IClusterRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding";
import type { IPriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { INamespace } from "kubernetes-models/v1/Namespace";
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { component, type JsonPatch, kustomization, type Part } from "./kustomize.ts";
import {
  container,
  image,
  labelsOf,
  name,
  namespaces,
  podLabel,
  podSecurity,
  port,
  restricted,
  selectorOf,
  stateFolder,
  unprivilegedUid,
} from "./values.ts";

const labels = labelsOf("node");
const metadata = { name, labels };

const namespace: INamespace = {
  apiVersion: "v1",
  kind: "Namespace",
  // to see the processes of a node is a privilege, whatever else is given up
  metadata: { name: namespaces.node, labels: podSecurity("privileged") },
};

const serviceAccount: IServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata,
  automountServiceAccountToken: false, // the pod asks for it
};

/** To list pods is all. A role cannot be confined to the pods of one node. */
const role: IClusterRole = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata,
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }],
};

const roleBinding: IClusterRoleBinding = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata,
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  subjects: [{ kind: "ServiceAccount", name, namespace: namespaces.node }],
};

const priorityClass: IPriorityClass = {
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata,
  value: 1_000_000,
  globalDefault: false,
  description: "Of the watcher of memory leaks on each node: before apps, after what runs the node.",
};

const hostCgroups = "/host/sys/fs/cgroup";

/** The last argument; components take it away or put others behind it. */
const args = [
  "serve",
  `--web.listen-address=:${port.number}`,
  `--path.cgroupfs=${hostCgroups}`,
  `--storage.path=${stateFolder}`,
  "--config.file=/etc/leakwatch/leakwatch.yml",
  "--kubernetes.pods",
];

/**
 * Makes the folder on the node, which the kubelet creates for root alone, writable for the exporter's group. Its owner may do that without
 * any capability, and so may root in the component daemonset-smaps write there. Where it fails the exporter says so, and runs without.
 */
const prepareState: IContainer = {
  name: "state",
  image,
  command: ["sh", "-c", `chgrp ${unprivilegedUid} ${stateFolder} && chmod 0770 ${stateFolder} || true`],
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "32Mi" } },
  securityContext: { ...restricted, runAsUser: 0, runAsGroup: unprivilegedUid, runAsNonRoot: false },
  volumeMounts: [{ name: "state", mountPath: stateFolder }],
};

const daemonSet: IDaemonSet = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata,
  spec: {
    selector: { matchLabels: selectorOf("node") },
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
    template: {
      metadata: { labels: { ...labels, [podLabel.key]: podLabel.daemonset } },
      spec: {
        serviceAccountName: name,
        automountServiceAccountToken: true,
        hostPID: true,
        priorityClassName: name,
        nodeSelector: { "kubernetes.io/os": "linux" },
        tolerations: [{ operator: "Exists" }],
        terminationGracePeriodSeconds: 10,
        securityContext: { runAsUser: unprivilegedUid, runAsGroup: unprivilegedUid },
        initContainers: [prepareState],
        containers: [
          {
            name: container,
            image,
            args,
            env: [{ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
            ports: [{ name: port.name, containerPort: port.number }],
            resources: { requests: { cpu: "25m", memory: "64Mi" }, limits: { memory: "192Mi" } },
            startupProbe: { httpGet: { path: "/-/ready", port: port.name }, periodSeconds: 1, failureThreshold: 60 },
            livenessProbe: { httpGet: { path: "/-/healthy", port: port.name }, periodSeconds: 30, timeoutSeconds: 5 },
            readinessProbe: { httpGet: { path: "/-/ready", port: port.name }, periodSeconds: 15, timeoutSeconds: 5 },
            securityContext: restricted,
            volumeMounts: [
              { name: "cgroups", mountPath: hostCgroups, readOnly: true },
              { name: "config", mountPath: "/etc/leakwatch", readOnly: true },
              { name: "state", mountPath: stateFolder },
            ],
          },
        ],
        volumes: [
          { name: "cgroups", hostPath: { path: "/sys/fs/cgroup", type: "Directory" } },
          { name: "config", configMap: { name: "leakwatch-config" } },
          // on the node and not in the pod: days of evidence must survive an update of the exporter
          { name: "state", hostPath: { path: stateFolder, type: "DirectoryOrCreate" } },
        ],
      },
    },
  },
};

/** In: scrapes by Prometheus. Out: the API server, whose address no policy can name. */
const networkPolicy: INetworkPolicy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata,
  spec: {
    podSelector: { matchLabels: selectorOf("node") },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      {
        from: [{ namespaceSelector: {}, podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } } }],
        ports: [{ protocol: "TCP", port: port.number }],
      },
    ],
    egress: [
      { ports: [443, 6443].map((number) => ({ protocol: "TCP" as const, port: number })) },
      { ports: (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port: 53 })) },
    ],
  },
};

/** Root of the node, but without its rights except to look into processes: for PSS, USS, and descriptors before Linux 6.2. */
const ptrace: Part<IDaemonSet> = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name },
  spec: {
    template: {
      spec: {
        securityContext: { runAsUser: 0, runAsGroup: 0 },
        containers: [
          {
            name: container,
            securityContext: {
              runAsNonRoot: false,
              capabilities: { drop: ["ALL"], add: ["SYS_PTRACE", "DAC_READ_SEARCH"] },
            },
          },
        ],
      },
    },
  },
};

const withoutApi: JsonPatch[] = [
  { op: "test", path: `/spec/template/spec/containers/0/args/${args.length - 1}`, value: "--kubernetes.pods" },
  { op: "remove", path: `/spec/template/spec/containers/0/args/${args.length - 1}` },
  { op: "replace", path: "/spec/template/spec/automountServiceAccountToken", value: false },
];

const merge = { behavior: "merge" as const };

const remove = (kind: string) => ({
  target: { kind, name },
  patch: `$patch: delete\napiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`,
});

/** The exporter's own configuration. */
const config = { unmatched: "watch", smaps: { enabled: false } };
const configWithSmaps = {
  unmatched: "watch",
  // what one round may take of the processes that it looks into, in kernel time
  smaps: { enabled: true, interval: "60s", max_resident: "4GiB", budget: "250ms" },
};

export const daemonsetFiles = {
  "daemonset/kustomization.yaml": kustomization({
    namespace: namespaces.node,
    resources: [
      "namespace.yaml",
      "serviceaccount.yaml",
      "clusterrole.yaml",
      "clusterrolebinding.yaml",
      "priorityclass.yaml",
      "daemonset.yaml",
      "networkpolicy.yaml",
    ],
    configMapGenerator: [{ name: "leakwatch-config", files: ["leakwatch.yml"] }],
  }),
  "daemonset/leakwatch.yml": config,
  "daemonset/namespace.yaml": namespace,
  "daemonset/serviceaccount.yaml": serviceAccount,
  "daemonset/clusterrole.yaml": role,
  "daemonset/clusterrolebinding.yaml": roleBinding,
  "daemonset/priorityclass.yaml": priorityClass,
  "daemonset/daemonset.yaml": daemonSet,
  "daemonset/networkpolicy.yaml": networkPolicy,

  "components/daemonset-smaps/kustomization.yaml": component({
    patches: [{ target: { kind: "DaemonSet", name }, path: "ptrace.yaml" }],
    configMapGenerator: [{ name: "leakwatch-config", files: ["leakwatch.yml"], ...merge }],
  }),
  "components/daemonset-smaps/ptrace.yaml": ptrace,
  "components/daemonset-smaps/leakwatch.yml": configWithSmaps,

  "components/daemonset-without-api/kustomization.yaml": component({
    patches: [
      { target: { kind: "DaemonSet", name }, path: "arguments.yaml" },
      remove("ClusterRole"),
      remove("ClusterRoleBinding"),
    ],
  }),
  "components/daemonset-without-api/arguments.yaml": withoutApi,
};
