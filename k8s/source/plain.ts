// For clusters without an operator: a small Prometheus, Alertmanager and Grafana of our own.

import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { IClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import type { IClusterRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding";
import type { INamespace } from "kubernetes-models/v1/Namespace";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { IService } from "kubernetes-models/v1/Service";
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { inhibitions } from "../../alerts/alertmanager.ts";
import { scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import { images } from "../../catalog/images.ts";
import { kustomization } from "./kustomize.ts";
import { daemonsetRelabelings, plainRelabelings, sidecarRelabelings } from "./relabeling.ts";
import { labelsOf, namespaces, podLabel, podSecurity, restricted } from "./values.ts";

interface Server {
  readonly name: "prometheus" | "alertmanager" | "grafana";
  readonly image: string;
  readonly port: number;
  readonly ready: string;
  /** That of the image. */
  readonly uid: number;
}

const prometheus: Server = {
  name: "prometheus",
  image: images.prometheus,
  port: 9090,
  ready: "/-/ready",
  uid: 65_534,
};
const alertmanager: Server = {
  name: "alertmanager",
  image: images.alertmanager,
  port: 9093,
  ready: "/-/ready",
  uid: 65_534,
};
const grafana: Server = {
  name: "grafana",
  image: images.grafana,
  port: 3000,
  ready: "/api/health",
  uid: 472,
};

const metadata = ({ name }: Server) => ({ name, labels: labels(name) });
const labels = (name: string) => ({ ...labelsOf("monitoring"), "app.kubernetes.io/name": name });
const selector = ({ name }: Server) => ({ "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "leakwatch" });

const namespace: INamespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: namespaces.monitoring, labels: podSecurity("restricted") },
};

function podSpec(
  server: Server,
  container: Partial<IPodSpec["containers"][number]>,
  volumes: IPodSpec["volumes"],
): IPodSpec {
  const { name, image, port, ready, uid } = server;
  return {
    automountServiceAccountToken: name === "prometheus",
    ...(name === "prometheus" ? { serviceAccountName: name } : {}),
    nodeSelector: { "kubernetes.io/os": "linux" },
    securityContext: { runAsUser: uid, runAsGroup: uid, fsGroup: uid },
    containers: [
      {
        name,
        image,
        ports: [{ name: "http", containerPort: port }],
        readinessProbe: { httpGet: { path: ready, port: "http" }, periodSeconds: 10, timeoutSeconds: 5 },
        securityContext: restricted,
        ...container,
      },
    ],
    ...(volumes === undefined ? {} : { volumes }),
  };
}

const service = (server: Server): IService => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(server),
  spec: { selector: selector(server), ports: [{ name: "http", port: server.port, targetPort: "http" }] },
});

/** Days of samples that are kept: the longest window of the rules is a week, and it is compared with the week before. */
const retentionDays = 15;

const prometheusSet: IStatefulSet = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: metadata(prometheus),
  spec: {
    serviceName: prometheus.name,
    replicas: 1,
    selector: { matchLabels: selector(prometheus) },
    template: {
      metadata: { labels: labels(prometheus.name) },
      spec: podSpec(
        prometheus,
        {
          args: [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            `--storage.tsdb.retention.time=${retentionDays}d`,
          ],
          resources: { requests: { cpu: "100m", memory: "512Mi" }, limits: { memory: "2Gi" } },
          volumeMounts: [
            { name: "config", mountPath: "/etc/prometheus", readOnly: true },
            { name: "rules", mountPath: "/etc/prometheus-rules", readOnly: true },
            { name: "data", mountPath: "/prometheus" },
          ],
        },
        [
          { name: "config", configMap: { name: "prometheus-config" } },
          { name: "rules", configMap: { name: "leakwatch-rules" } },
        ],
      ),
    },
    volumeClaimTemplates: [
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Gi" } } },
      },
    ],
  },
};

const deployment = (server: Server, spec: IPodSpec): IDeployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: metadata(server),
  spec: {
    replicas: 1,
    selector: { matchLabels: selector(server) },
    template: { metadata: { labels: labels(server.name) }, spec },
  },
});

const alertmanagerDeployment = deployment(
  alertmanager,
  podSpec(
    alertmanager,
    {
      args: [
        "--config.file=/etc/alertmanager/alertmanager.yml",
        "--storage.path=/alertmanager",
        "--cluster.listen-address=", // it is alone
      ],
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
      volumeMounts: [
        { name: "config", mountPath: "/etc/alertmanager", readOnly: true },
        { name: "data", mountPath: "/alertmanager" },
      ],
    },
    [
      { name: "config", configMap: { name: "alertmanager-config" } },
      { name: "data", emptyDir: {} },
    ],
  ),
);

/** `dashboards` are the names of the ConfigMaps with one dashboard each. */
const grafanaDeployment = (dashboards: readonly string[]) =>
  deployment(
    grafana,
    podSpec(
      grafana,
      {
        env: [
          // everybody may look and nobody can change anything: dashboards are files
          { name: "GF_AUTH_ANONYMOUS_ENABLED", value: "true" },
          { name: "GF_AUTH_ANONYMOUS_ORG_ROLE", value: "Viewer" },
          { name: "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION", value: "true" },
          { name: "GF_ANALYTICS_REPORTING_ENABLED", value: "false" },
          { name: "GF_ANALYTICS_CHECK_FOR_UPDATES", value: "false" },
        ],
        resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
        volumeMounts: [
          { name: "datasources", mountPath: "/etc/grafana/provisioning/datasources", readOnly: true },
          { name: "providers", mountPath: "/etc/grafana/provisioning/dashboards", readOnly: true },
          { name: "dashboards", mountPath: "/etc/leakwatch/dashboards", readOnly: true },
          { name: "data", mountPath: "/var/lib/grafana" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
      [
        { name: "datasources", configMap: { name: "grafana-datasources" } },
        { name: "providers", configMap: { name: "grafana-dashboard-providers" } },
        { name: "dashboards", projected: { sources: dashboards.map((name) => ({ configMap: { name } })) } },
        { name: "data", emptyDir: {} },
        { name: "tmp", emptyDir: {} },
      ],
    ),
  );

const serviceAccount: IServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: metadata(prometheus),
  automountServiceAccountToken: false,
};

const clusterRoleName = "leakwatch-prometheus";

const role: IClusterRole = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: clusterRoleName, labels: labels(prometheus.name) },
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
};

const roleBinding: IClusterRoleBinding = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: clusterRoleName, labels: labels(prometheus.name) },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: clusterRoleName },
  subjects: [{ kind: "ServiceAccount", name: prometheus.name, namespace: namespaces.monitoring }],
};

/** Who may talk to whom inside; people come through `kubectl port-forward`, which policies do not see. */
const allow = (to: Server, from: readonly Server[]): INetworkPolicy => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: metadata(to),
  spec: {
    podSelector: { matchLabels: selector(to) },
    policyTypes: ["Ingress"],
    ingress: from.map((server) => ({
      from: [{ podSelector: { matchLabels: selector(server) } }],
      ports: [{ protocol: "TCP" as const, port: to.port }],
    })),
  },
});

const prometheusConfig = {
  global: { scrape_interval: `${scrapeIntervalSeconds}s`, evaluation_interval: `${scrapeIntervalSeconds}s` },
  rule_files: ["/etc/prometheus-rules/*.yml"],
  alerting: {
    alertmanagers: [{ static_configs: [{ targets: [`${alertmanager.name}:${alertmanager.port}`] }] }],
  },
  scrape_configs: [
    { job_name: "prometheus", static_configs: [{ targets: [`localhost:${prometheus.port}`] }] },
    {
      job_name: "leakwatch-sidecar",
      kubernetes_sd_configs: [{ role: "pod" }],
      relabel_configs: plainRelabelings(podLabel.sidecar, sidecarRelabelings),
    },
    {
      job_name: "leakwatch-daemonset",
      kubernetes_sd_configs: [{ role: "pod" }],
      relabel_configs: plainRelabelings(podLabel.daemonset, daemonsetRelabelings),
    },
  ],
};

/** Its page shows what fires; to be told, give the receivers a configuration, as in alerts/alertmanager.yml. */
const alertmanagerConfig = {
  route: {
    receiver: "ticket",
    group_by: ["cluster", "namespace", "group"],
    group_wait: "5m",
    group_interval: "1h",
    repeat_interval: "4d",
    routes: [
      {
        receiver: "page",
        matchers: ["severity = critical"],
        group_wait: "30s",
        group_interval: "5m",
        repeat_interval: "4h",
      },
    ],
  },
  receivers: [{ name: "page" }, { name: "ticket" }],
  inhibit_rules: inhibitions().map(({ by, mute, of }) => ({ source_matchers: by, target_matchers: mute, equal: of })),
};

const datasources = {
  apiVersion: 1,
  datasources: [
    {
      name: "Prometheus",
      uid: "prometheus",
      type: "prometheus",
      url: `http://${prometheus.name}:${prometheus.port}`,
      isDefault: true,
    },
  ],
};

const providers = {
  apiVersion: 1,
  providers: [{ name: "leakwatch", folder: "leakwatch", type: "file", options: { path: "/etc/leakwatch/dashboards" } }],
};

export const plainFiles = (dashboards: readonly string[]) => ({
  "monitoring/plain/kustomization.yaml": kustomization({
    namespace: namespaces.monitoring,
    resources: [
      "namespace.yaml",
      "serviceaccount.yaml",
      "clusterrole.yaml",
      "clusterrolebinding.yaml",
      "prometheus.yaml",
      "prometheus-service.yaml",
      "alertmanager.yaml",
      "alertmanager-service.yaml",
      "grafana.yaml",
      "grafana-service.yaml",
      "prometheus-networkpolicy.yaml",
      "alertmanager-networkpolicy.yaml",
      "grafana-networkpolicy.yaml",
      "../../../alerts/generated",
      ...(dashboards.length > 0 ? ["../../../dashboards/generated"] : []),
    ],
    configMapGenerator: [
      { name: "prometheus-config", files: ["prometheus.yml"] },
      { name: "alertmanager-config", files: ["alertmanager.yml"] },
      { name: "grafana-datasources", files: ["datasources.yaml"] },
      { name: "grafana-dashboard-providers", files: ["providers.yaml"] },
    ],
  }),
  "monitoring/plain/namespace.yaml": namespace,
  "monitoring/plain/serviceaccount.yaml": serviceAccount,
  "monitoring/plain/clusterrole.yaml": role,
  "monitoring/plain/clusterrolebinding.yaml": roleBinding,
  "monitoring/plain/prometheus.yaml": prometheusSet,
  "monitoring/plain/prometheus-service.yaml": service(prometheus),
  "monitoring/plain/prometheus-networkpolicy.yaml": allow(prometheus, [grafana]),
  "monitoring/plain/prometheus.yml": prometheusConfig,
  "monitoring/plain/alertmanager.yaml": alertmanagerDeployment,
  "monitoring/plain/alertmanager-service.yaml": service(alertmanager),
  "monitoring/plain/alertmanager-networkpolicy.yaml": allow(alertmanager, [prometheus]),
  "monitoring/plain/alertmanager.yml": alertmanagerConfig,
  "monitoring/plain/grafana.yaml": grafanaDeployment(dashboards),
  "monitoring/plain/grafana-service.yaml": service(grafana),
  "monitoring/plain/grafana-networkpolicy.yaml": allow(grafana, []),
  "monitoring/plain/datasources.yaml": datasources,
  "monitoring/plain/providers.yaml": providers,
});
