// For clusters with the Prometheus operator.

import type { IPodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import type { IPrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import type { IAlertmanagerConfig } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1/AlertmanagerConfig";
import { load } from "js-yaml";
import type { IConfigMap } from "kubernetes-models/v1/ConfigMap";
import { inhibitions } from "../../alerts/alertmanager.ts";
import { ruleGroups } from "../../alerts/index.ts";
import { renderPrometheusRule } from "../../alerts/render.ts";
import { scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import { kustomization } from "./kustomize.ts";
import { daemonsetRelabelings, operatorRelabeling, sidecarRelabelings } from "./relabeling.ts";
import { labelsOf, name, podLabel, port } from "./values.ts";

const labels = { ...labelsOf("monitoring"), release: "" }; // filled in from parameters.yaml

/** kube-prometheus-stack looks only at objects with the label `release: <name of the Helm release>`. */
const parameters: IConfigMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: "leakwatch-parameters",
    annotations: { "config.kubernetes.io/local-config": "true" }, // not sent to the cluster
  },
  data: { release: "kube-prometheus-stack" },
};

const podMonitor = (watched: string, relabelings: typeof sidecarRelabelings): IPodMonitor => ({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PodMonitor",
  metadata: { name: `${name}-${watched}`, labels },
  spec: {
    namespaceSelector: { any: true },
    selector: { matchLabels: { [podLabel.key]: watched } },
    podMetricsEndpoints: [
      {
        port: port.name,
        interval: `${scrapeIntervalSeconds}s`,
        relabelings: relabelings.map(operatorRelabeling),
      },
    ],
  },
});

/** The shipped rules; their text is made where that of the plain file is made. */
const prometheusRule = load(renderPrometheusRule(ruleGroups(), labels)) as IPrometheusRule;

/** Pods that a sidecar watches; kube-state-metrics has the same two labels. */
const watched = "and on (namespace, pod) leakwatch_build_info";

/** What the kubelet counted in the same pods, through kube-state-metrics. Where there is none, nothing is recorded. */
const kubeletRule: IPrometheusRule = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: { name: "leakwatch-kubernetes", labels },
  spec: {
    groups: [
      {
        name: "leakwatch-kubernetes",
        interval: "1m",
        rules: [
          {
            record: "namespace_pod_container:leakwatch_kubelet_restarts:increase1h",
            expr: `sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[1h]))\n${watched}`,
          },
          {
            record: "namespace_pod_container:leakwatch_kubelet_oom_killed:max",
            expr: `max by (namespace, pod, container) (kube_pod_container_status_last_terminated_reason{reason="OOMKilled"})\n${watched}`,
          },
        ],
      },
    ],
  },
};

/** `severity = critical`, `alertname =~ "A|B"` */
function matcher(text: string) {
  const [, label = "", matchType = "", value = ""] = /^(\w+) (=~|!~|!=|=) "?([^"]*)"?$/.exec(text) ?? [];
  return { name: label, matchType: matchType as "=" | "=~" | "!=" | "!~", value };
}

/** One message for each group of processes, and none for what follows from another. */
const alertmanagerConfig: IAlertmanagerConfig = {
  apiVersion: "monitoring.coreos.com/v1alpha1",
  kind: "AlertmanagerConfig",
  metadata: { name, labels },
  spec: {
    route: {
      receiver: "ticket",
      matchers: [matcher('alertname =~ "Leakwatch.*"')],
      groupBy: ["cluster", "namespace", "group"],
      groupWait: "5m",
      groupInterval: "1h",
      repeatInterval: "4d",
      routes: [
        {
          receiver: "page",
          matchers: [matcher("severity = critical")],
          groupBy: ["cluster", "namespace", "group"],
          groupWait: "30s",
          groupInterval: "5m",
          repeatInterval: "4h",
        },
      ],
    },
    receivers: ["page", "ticket"].map((receiver) => ({
      name: receiver,
      webhookConfigs: [{ sendResolved: true, urlSecret: { name: "leakwatch-alertmanager", key: `${receiver}-url` } }],
    })),
    inhibitRules: inhibitions().map(({ by, mute, of }) => ({
      sourceMatch: by.map(matcher),
      targetMatch: mute.map(matcher),
      equal: [...of],
    })),
  },
};

const releaseTargets = ["PodMonitor", "PrometheusRule", "AlertmanagerConfig"].map((kind) => ({
  select: { kind },
  fieldPaths: ["metadata.labels.release"],
}));

export const operatorFiles = (withDashboards: boolean) => ({
  "monitoring/operator/kustomization.yaml": kustomization({
    namespace: "monitoring",
    resources: [
      "parameters.yaml",
      "podmonitor-sidecar.yaml",
      "podmonitor-daemonset.yaml",
      "prometheusrule.yaml",
      "prometheusrule-kubernetes.yaml",
      "alertmanagerconfig.yaml",
      ...(withDashboards ? ["../../../dashboards/generated"] : []),
    ],
    replacements: [
      {
        source: { kind: "ConfigMap", name: "leakwatch-parameters", fieldPath: "data.release" },
        targets: releaseTargets,
      },
    ],
  }),
  "monitoring/operator/parameters.yaml": parameters,
  "monitoring/operator/podmonitor-sidecar.yaml": podMonitor(podLabel.sidecar, sidecarRelabelings),
  "monitoring/operator/podmonitor-daemonset.yaml": podMonitor(podLabel.daemonset, daemonsetRelabelings),
  "monitoring/operator/prometheusrule.yaml": prometheusRule,
  "monitoring/operator/prometheusrule-kubernetes.yaml": kubeletRule,
  "monitoring/operator/alertmanagerconfig.yaml": alertmanagerConfig,
});
