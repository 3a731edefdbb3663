// Which series of a gauge are of something that can leak by itself. cAdvisor also has sums: of a pod, of all pods, of the machine;
// and the container that only holds a pod's network.

import type { LabelSet } from "../prometheus/labels.ts";
import { counted } from "../text/words.ts";

export interface JudgedContainers {
  readonly judged: readonly LabelSet[];
  /** What was left out, in words. */
  readonly notes: readonly string[];
}

const containerNames = ["container", "container_name", "container_label_io_kubernetes_container_name", "name"];

/** `gauge` is the name of the metric: only what is said of containers has such sums. */
export function judgedContainers(gauge: string, found: readonly LabelSet[]): JudgedContainers {
  if (!gauge.includes("container")) return { judged: found, notes: [] };
  const named = found.filter((labels) => isNamed(labels) && !isPause(labels));
  if (named.length > 0) {
    const others = found.filter((labels) => !isNamed(labels) && !isPause(labels)).length;
    const note = `${counted(others, "cgroup")} without a container's name not judged: sums, and services of the system`;
    return { judged: named, notes: others > 0 ? [note] : [] };
  }
  // only cgroups: one that has others in it is their sum
  const parents = new Set(found.flatMap((labels) => parentsOf(labels["id"]).map((id) => keyOf(labels, id))));
  const leaves = found.filter(
    (labels) => labels["id"] !== "/" && !parents.has(keyOf(labels, labels["id"] ?? "")) && !isPause(labels),
  );
  const note = `${counted(found.length - leaves.length, "cgroup")} that hold others not judged`;
  const unnamed = `${counted(leaves.length, "cgroup")} known by id only: a container that is made again counts as another process`;
  return { judged: leaves, notes: [...(leaves.length < found.length ? [note] : []), unnamed] };
}

const isNamed = (labels: LabelSet) => containerNames.some((label) => (labels[label] ?? "") !== "");

const isPause = (labels: LabelSet) =>
  containerNames.some((label) => labels[label] === "POD") || (labels["name"] ?? "").startsWith("k8s_POD_");

const keyOf = (labels: LabelSet, id: string) => `${labels["instance"] ?? ""} ${labels["node"] ?? ""} ${id}`;

function parentsOf(id: string | undefined): string[] {
  const parts = (id ?? "").split("/").slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`);
}
