// From what Prometheus knows of a pod to the labels of its series; the same with and without the operator.

import { podLabel } from "./values.ts";

interface Relabeling {
  source_labels?: string[];
  separator?: string;
  regex?: string;
  target_label?: string;
  replacement?: string;
  action?: "replace" | "keep" | "drop";
}

const pod = (name: string) => `__meta_kubernetes_pod_${name}`;

/** A rollout shows as a change of this label. */
const version = { source_labels: [pod("label_app_kubernetes_io_version")], target_label: "app_version" };

const job: Relabeling = { target_label: "job", replacement: "leakwatch" };

/** A pod of a StatefulSet comes back under its name, and so do its series; one of a Deployment is new. */
export const sidecarRelabelings: Relabeling[] = [
  job,
  version,
  {
    source_labels: ["__meta_kubernetes_namespace", pod("name")],
    separator: "/",
    target_label: "instance",
  },
];

/** The node stays when its exporter is replaced. */
export const daemonsetRelabelings: Relabeling[] = [
  job,
  { source_labels: [pod("node_name")], target_label: "instance" },
  { source_labels: [pod("node_name")], target_label: "node" },
];

/** What the operator adds by itself. */
export const plainRelabelings = (label: string, others: readonly Relabeling[]): Relabeling[] => [
  { source_labels: [pod(`label_${podLabel.key}`)], regex: label, action: "keep" },
  { source_labels: [pod("container_port_name")], regex: "leakwatch", action: "keep" },
  { source_labels: [pod("phase")], regex: "Failed|Succeeded", action: "drop" },
  { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
  { source_labels: [pod("name")], target_label: "pod" },
  { source_labels: [pod("container_name")], target_label: "container" },
  ...others,
];

/** As the operator writes it. */
export const operatorRelabeling = ({ source_labels, target_label, ...rest }: Relabeling) => ({
  ...(source_labels === undefined ? {} : { sourceLabels: source_labels }),
  ...(target_label === undefined ? {} : { targetLabel: target_label }),
  ...rest,
});
