// What made a pod, without what changes at each rollout or run. Kubernetes and what is built on it name things by appending: a hash
// for each version of a pod template, a number for each deployment or revision, five random letters for each pod, a time for each run.

import { withoutVersion } from "../versions.ts";

export interface PodMetadata {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly ownerReferences?: readonly { kind?: string; name?: string; controller?: boolean }[];
}

/** Labels and annotations that say what the owner's name only hints at: those of Knative, OpenShift, Argo, JobSet, Agones, Tekton. */
const ownerKeys = [
  "serving.knative.dev/service",
  "deploymentconfig",
  "openshift.io/deployment-config.name",
  "workflows.argoproj.io/cron-workflow",
  "jobset.sigs.k8s.io/jobset-name",
  "agones.dev/fleet",
  "tekton.dev/pipeline",
  "tekton.dev/task",
] as const;

/** What runs to its end. */
const jobs = new Set(["Job", "Workflow", "TaskRun"]);

/** The letters and digits that Kubernetes takes for hashes and random names: no vowels, so that no words come out. */
const made = "[bcdfghjklmnpqrstvwxz2456789]";
/** Of a ReplicaSet: a number of 32 bits. */
const hashEnding = new RegExp(`-${made}{8,10}$`);
/** Of what has a generated name. */
const randomEnding = new RegExp(`-${made}{5}$`);
/** The same where a name may also have been given: a word such as `html` is none. */
const surelyRandomEnding = new RegExp(`(?:-(?=[a-z]*\\d)${made}{5})+$`);

const ownerOf = ({ ownerReferences = [] }: PodMetadata) =>
  ownerReferences.find(({ controller }) => controller) ?? ownerReferences[0];

export const isOfJob = (metadata: PodMetadata): boolean => jobs.has(ownerOf(metadata)?.kind ?? "");

/** `api` of the pod `api-7c9d8b6f5-x2x7k`. */
export function workloadName(metadata: PodMetadata): string {
  const { name = "", labels = {}, annotations = {} } = metadata;
  const label = ownerKeys.map((key) => labels[key] || annotations[key]).find(Boolean);
  if (label !== undefined) return label;
  const owner = ownerOf(metadata);
  const ownerName = owner?.name ?? name;
  switch (owner?.kind) {
    case "ReplicaSet":
      return ofReplicaSet(ownerName, labels).replace(/-\d{5}-deployment$/, ""); // a revision of Knative's
    case "Job":
      return ofJob(ownerName);
    case "Node": // a static pod: the kubelet appends the node's name
      return name.endsWith(`-${ownerName}`) ? name.slice(0, -ownerName.length - 1) : name;
    case undefined:
      return name.replace(randomEnding, "");
    case "StatefulSet":
    case "DaemonSet":
    case "ReplicationController":
      return ownerName;
    default: // somebody's own kind, whose objects may be made by something above it
      return ownerName.replace(surelyRandomEnding, "") || ownerName;
  }
}

/** The hash stands in a label whose name depends on who made the ReplicaSet: `pod-template-hash`, `rollouts-pod-template-hash`. */
function ofReplicaSet(name: string, labels: Record<string, string>): string {
  for (const [key, hash] of Object.entries(labels)) {
    if (key.endsWith("pod-template-hash") && hash !== "" && name.endsWith(`-${hash}`)) {
      return name.slice(0, -hash.length - 1);
    }
  }
  return name.replace(hashEnding, "");
}

/** A job cannot be changed, so each run has a name of its own: a CronJob's minute since 1970, a revision, a commit. */
function ofJob(name: string): string {
  const stable = withoutVersion(name.replace(randomEnding, "").replace(/-\d{1,10}$/, "")).name;
  return stable || name;
}
