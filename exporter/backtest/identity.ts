// Which process a series is of. Exporters put into one set of labels what names a service, what names one of its processes, what
// changes with each restart or deploy, and the way by which the sample came; a history can only be judged when these are apart.

import { describedByEngine } from "../discovery/containers/engine-names.ts";
import { workloadName } from "../discovery/containers/workload.ts";
import { type LabelSet, signature } from "../prometheus/labels.ts";

export interface Identity {
  /** What a user calls the service, with its place: the same through restarts and deploys. */
  readonly service: LabelSet;
  /** One process of the service: two series with the same text are of the same process. */
  readonly process: string;
  /** What a user calls the process: a pod or a container; empty where the service says it all. */
  readonly called: string;
  /** The number that the process has among its like, where its name says one. */
  readonly ordinal: string | undefined;
  /** Changes with each life of the process. */
  readonly life: string;
  /** By which way the sample came: series that differ in nothing else are copies. */
  readonly copy: LabelSet;
}

/** Names by which exporters call the pod, its namespace and its container, the surest first. */
const podLabels = {
  pod: [
    "pod",
    "pod_name",
    "kubernetes_pod_name",
    "k8s_pod_name",
    "k8s.pod.name",
    "container_label_io_kubernetes_pod_name",
  ],
  namespace: [
    "namespace",
    "kubernetes_namespace",
    "k8s_namespace_name",
    "k8s.namespace.name",
    "container_label_io_kubernetes_pod_namespace",
  ],
  container: [
    "container",
    "container_name",
    "k8s_container_name",
    "k8s.container.name",
    "container_label_io_kubernetes_container_name",
  ],
} as const;
type PodLabel = keyof typeof podLabels;

/**
 * Prometheus puts `exported_` before a label of the target's own where it has one of that name itself: then the plain one
 * is the exporter's, and not the process'.
 */
const exported = (label: string) => `exported_${label}`;

const isOfPod = new Set(Object.values(podLabels).flatMap((names) => names.flatMap((name) => [name, exported(name)])));

/** Set by who scraped or stored: of copies of a series, each has another one. */
const replicaLabels = [
  "prometheus_replica",
  "__replica__",
  "replica",
  "thanos_replica",
  "receive_replica",
  "rule_replica",
  "prometheus",
  "prometheus_server",
  "monitor",
  "vmagent",
];
export const isReplicaLabel = (label: string): boolean => replicaLabels.includes(label);

/** Of the scrape: in a cluster, an exporter may be scraped in more than one way. */
const scrapeLabels = ["job", "instance", "endpoint", "service", "metrics_path", "target", "scrape_job"];
/** Of one life of a container, or of the version that it runs. */
const labelsOfALife = [
  "id",
  "container_id",
  "uid",
  "pod_uid",
  "pid",
  "image",
  "image_id",
  "image_spec",
  "image_tag",
  "config_hash",
  "restart_count",
  "pod_template_hash",
  "controller_revision_hash",
  "pod_template_generation",
  "version",
  "app_version",
  "app_kubernetes_io_version",
  "service_version",
  "service.version",
  "service.instance.id",
  "service_instance_id",
  "helm_sh_chart",
  "chart",
  "revision",
  "commit",
  "git_commit",
  "build",
];
/** Where a pod runs now; it may be made again elsewhere. */
const labelsOfAPodsPlace = [
  "node",
  "kubernetes_node",
  "kubernetes_io_hostname",
  "host_ip",
  "pod_ip",
  "ip",
  "host",
  "hostname",
  "nodename",
];

const containerLabel = "container_label_";
/** Labels of an engine that say what a container belongs to; cAdvisor replaces what is no letter by `_`. */
const engineLabels = [
  "com.docker.compose.project",
  "com.docker.compose.service",
  "com.docker.compose.oneoff",
  "com.docker.swarm.service.name",
  "com.amazonaws.ecs.task-definition-family",
  "com.amazonaws.ecs.container-name",
  "com.hashicorp.nomad.job_name",
  "com.hashicorp.nomad.task_name",
  "com.dokku.app-name",
  "com.dokku.process-type",
];
const numberLabel = "container_label_com_docker_compose_container_number";

/** `k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`, as dockershim and cri-dockerd name containers. */
const kubernetesName = /^k8s_([^_]+)_([^_]+)_([^_]+)_([^_]+)_(\d+)$/;
const hexId = /[0-9a-f]{64}/;

/** What was learned about the labels of a server. */
export interface LabelKnowledge {
  /** Further labels that only tell copies apart. */
  readonly ignored: ReadonlySet<string>;
  /** Labels that usually tell copies apart, and here tell processes apart. */
  readonly kept: ReadonlySet<string>;
}

export const nothingLearned: LabelKnowledge = { ignored: new Set(), kept: new Set() };

/** The identity of a series. */
export function identityOf(given: LabelSet, { ignored, kept }: LabelKnowledge = nothingLearned): Identity {
  const labels = withKubernetesName(given);
  const taken = new Set(["__name__"]);
  const pick = (names: readonly string[]) => {
    const found: Record<string, string> = {};
    for (const name of names) {
      if (labels[name] === undefined || taken.has(name) || kept.has(name)) continue;
      taken.add(name);
      found[name] = labels[name];
    }
    return found;
  };
  const pod = podOf(labels);
  const copies = pick([...replicaLabels, ...ignored]);
  if (pod !== undefined) {
    const copy = { ...copies, ...pick(scrapeLabels) };
    const life = pick([...labelsOfALife, ...labelsOfAPodsPlace, ...ofEngine(labels), "name"]);
    for (const name of isOfPod) taken.add(name);
    const { workload, ordinal } = workloadOf(pod.pod);
    const container = pod.container === undefined ? {} : { container: pod.container };
    const namespace = pod.namespace === undefined ? {} : { namespace: pod.namespace };
    const service = { ...rest(labels, taken), ...namespace, workload, ...container };
    // labels that tell processes of one pod apart are no part of the service: a pod's address is another in each pod
    const own = partOf(service, [...kept, "slot"]);
    return {
      service: without(service, ...kept, "slot"),
      process: signature({ ...service, pod: pod.pod }),
      called: [pod.pod, ...Object.values(own)].join(" "),
      ordinal: Object.keys(own).length === 0 ? ordinal : undefined,
      life: lifeText({ ...life, pod: pod.pod }),
      copy,
    };
  }
  const container = containerOf(labels);
  const life = pick(labelsOfALife);
  if (container !== undefined) {
    for (const name of [...ofEngine(labels), "name"]) taken.add(name);
    const service = { ...rest(labels, taken), ...container.service };
    const process = signature({ ...service, name: container.process });
    return {
      service,
      process,
      called: container.process,
      ordinal: container.ordinal,
      life: lifeText(life),
      copy: copies,
    };
  }
  const all = rest(labels, taken);
  // without any other name, the cgroup is the only one
  const named = Object.keys(all).some((name) => !scrapeLabels.includes(name)) || labels["id"] === undefined;
  const service = named ? all : { ...all, id: labels["id"] as string };
  return {
    service: without(service, "slot"),
    process: signature(service),
    called: "",
    ordinal: service["slot"],
    life: named ? lifeText(life) : "",
    copy: copies,
  };
}

function withKubernetesName(labels: LabelSet): LabelSet {
  const [, container, pod, namespace] = kubernetesName.exec(labels["name"] ?? "") ?? [];
  if (container === undefined || labels["pod"]) return labels;
  return { ...labels, container, pod: pod as string, namespace: namespace as string };
}

/** Undefined for what is of no pod. */
function podOf(
  labels: LabelSet,
): { pod: string; namespace: string | undefined; container: string | undefined } | undefined {
  const of = (key: PodLabel) => {
    const names = podLabels[key];
    for (const name of [...names.map(exported), ...names]) if (labels[name]) return labels[name];
    return undefined;
  };
  const pod = of("pod");
  return pod === undefined ? undefined : { pod, namespace: of("namespace"), container: of("container") };
}

/** `api-7d9c6b5f4-x2x7k` is of `api`, and `db-0` the first of `db`. */
export function workloadOf(pod: string): { workload: string; ordinal: string | undefined } {
  const ofSet = /^(.+)-(\d{1,4})$/.exec(pod);
  if (ofSet !== null) return { workload: ofSet[1] as string, ordinal: ofSet[2] };
  const deployed = /^(.+)-(?=[a-z]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}$/.exec(pod);
  if (deployed !== null) return { workload: deployed[1] as string, ordinal: undefined };
  const run = /^(.+)-\d{8,10}-[a-z0-9]{5}$/.exec(pod); // a CronJob's
  return { workload: run?.[1] ?? workloadName({ name: pod }), ordinal: undefined };
}

interface NamedContainer {
  readonly service: LabelSet;
  readonly process: string;
  readonly ordinal: string | undefined;
}

/** A container of an engine, by the labels of who made it, or by its name. Undefined for what has no name. */
function containerOf(labels: LabelSet): NamedContainer | undefined {
  const name = labels["name"];
  if (!name || (labels["id"] === undefined && labels["image"] === undefined)) return undefined;
  const given = Object.fromEntries(
    engineLabels.flatMap((label) => {
      const value = labels[containerLabel + label.replace(/\W/g, "_")];
      return value === undefined ? [] : [[label, value]];
    }),
  );
  const image = labels["image"];
  const described = describedByEngine({
    Id: "",
    Names: [`/${name}`],
    Labels: given,
    ...(image === undefined ? {} : { Image: image }),
  });
  if (described === undefined) return undefined;
  const isNamed = Object.keys(given).length > 0;
  // Compose calls the old container so while it makes the new one; Swarm appends the task, Nomad the allocation
  const process = name
    .replace(/^[0-9a-f]{12}_/, "")
    .replace(/(?<=\.\d{1,6})\.[a-z0-9]{25}$/, "")
    .replace(/-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "");
  const number = labels[numberLabel] ?? /[-_.](\d{1,6})$/.exec(process)?.[1];
  const service = isNamed
    ? { ...(described.workload === "" ? {} : { workload: described.workload }), container: described.container }
    : { container: described.container };
  return {
    service,
    process: isNamed && number !== undefined ? number : process,
    ordinal: isNamed ? number : undefined,
  };
}

const ofEngine = (labels: LabelSet) => Object.keys(labels).filter((name) => name.startsWith(containerLabel));

/** The container's id, wherever it stands: exporters of the same container write the cgroup in different ways. */
function lifeText(life: LabelSet): string {
  const id = ["id", "container_id"].map((name) => hexId.exec(life[name] ?? "")?.[0]).find(Boolean);
  if (id !== undefined) return [id, life["pod"] ?? ""].join("\n");
  return signature(life);
}

const partOf = (labels: LabelSet, names: readonly string[]): LabelSet =>
  Object.fromEntries(names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name] as string]])));

const rest = (labels: LabelSet, taken: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).filter(([name, value]) => !taken.has(name) && value !== ""));

const without = (labels: LabelSet, ...names: readonly string[]): LabelSet =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));

/** Labels by which series of different exporters can be of the same process. */
export interface Place {
  /** Undefined for what is of no pod. */
  readonly pod:
    | { readonly pod: string; readonly namespace: string | undefined; readonly container: string | undefined }
    | undefined;
  /** All others that say where something is, or what it is. */
  readonly others: LabelSet;
}

export function placeOf(given: LabelSet, { ignored }: LabelKnowledge): Place {
  const labels = withKubernetesName(given);
  const pod = podOf(labels);
  const left = [
    ...replicaLabels,
    ...ignored,
    ...labelsOfALife,
    ...ofEngine(labels),
    "__name__",
    "metrics_path",
    "endpoint",
  ];
  const ofPod = [...isOfPod, ...labelsOfAPodsPlace, ...scrapeLabels, "name"];
  return { pod, others: rest(labels, new Set(pod === undefined ? left : [...left, ...ofPod])) };
}
