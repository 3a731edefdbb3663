// What a pod list of the Kubernetes API tells about containers. Fields that are not there are left out: pods that are
// being made have no containers yet.
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/

/** The container that a process runs in, as people know it. */
export interface ContainerName {
  readonly podUid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** What made the pod, without what changes at each rollout or run: `api` of `api-7c9d8b6f5-x2x7k`. */
  readonly workload: string;
  readonly image: string;
  /** The label app.kubernetes.io/version, else the tag of the image; empty where there is none. */
  readonly appVersion: string;
}

interface ContainerStatus {
  name?: string;
  containerID?: string;
  image?: string;
  lastState?: { terminated?: { containerID?: string } };
}

interface Pod {
  metadata?: {
    uid?: string;
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    ownerReferences?: { kind?: string; name?: string; controller?: boolean }[];
  };
  spec?: Partial<Record<"containers" | "initContainers" | "ephemeralContainers", { name?: string; image?: string }[]>>;
  status?: Partial<
    Record<"containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses", ContainerStatus[]>
  >;
}

/** Names by container id. Throws when it is not a pod list. */
export function parsePodList(text: string): Map<string, ContainerName> {
  const list = JSON.parse(text) as { kind?: string; items?: Pod[] };
  if (!Array.isArray(list?.items))
    throw new Error(`expected a PodList, got ${JSON.stringify(list?.kind) ?? "nothing"}`);
  const names = new Map<string, ContainerName>();
  for (const pod of list.items) {
    const images = new Map(
      [
        ...(pod.spec?.containers ?? []),
        ...(pod.spec?.initContainers ?? []),
        ...(pod.spec?.ephemeralContainers ?? []),
      ].map(({ name, image }) => [name, image]),
    );
    const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
    for (const status of [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses]) {
      // that of the specification: the status often has a digest in place of the tag
      const name = containerName(pod, status.name ?? "", images.get(status.name) ?? status.image ?? "");
      for (const id of [status.lastState?.terminated?.containerID, status.containerID]) {
        const plain = plainId(id);
        if (plain !== undefined) names.set(plain, name);
      }
    }
  }
  return names;
}

/** `containerd://1f0d…` is 1f0d…; a container that is being made has none. */
const plainId = (id: string | undefined) => /^[\w.-]+:\/\/([0-9a-f]{64})$/.exec(id ?? "")?.[1];

function containerName({ metadata = {} }: Pod, container: string, image: string): ContainerName {
  return {
    podUid: metadata.uid ?? "",
    namespace: metadata.namespace ?? "",
    pod: metadata.name ?? "",
    container,
    workload: workloadName(metadata),
    image,
    appVersion: metadata.labels?.["app.kubernetes.io/version"] ?? tagOf(image),
  };
}

/** The letters and digits that Kubernetes takes for hashes and random names: no vowels, lest words come out. */
const made = "[bcdfghjklmnpqrstvwxz2456789]";

function workloadName({ name = "", labels = {}, ownerReferences = [] }: NonNullable<Pod["metadata"]>): string {
  const owner = ownerReferences.find(({ controller }) => controller) ?? ownerReferences[0];
  const ownerName = owner?.name ?? name;
  switch (owner?.kind) {
    case "ReplicaSet": {
      const hash = labels["pod-template-hash"];
      return hash !== undefined && ownerName.endsWith(`-${hash}`) ? ownerName.slice(0, -hash.length - 1) : ownerName;
    }
    case "Job":
      // a CronJob appends the minute of the run, since 1970
      return ownerName.replace(/-\d{8,10}$/, "");
    case "Node": // a static pod: the kubelet appends the node's name
      return name.endsWith(`-${ownerName}`) ? name.slice(0, -ownerName.length - 1) : name;
    case undefined:
      return name.replace(new RegExp(`-${made}{5}$`), "");
    default:
      return ownerName;
  }
}

/** `registry:5000/shop/api:1.4.2@sha256:…` is 1.4.2. */
const tagOf = (image: string) => /:([\w][\w.-]*)$/.exec(image.split("@", 1)[0] ?? "")?.[1] ?? "";

/**
 * Name of a process group: stable over restarts of the container, of the pod, and over rollouts. Parts that repeat the
 * one before them are left out: `kube-system/coredns`, `shop/api/server.js`.
 */
export function groupName(
  { namespace, workload, container }: Pick<ContainerName, "namespace" | "workload" | "container">,
  program: string,
): string {
  const parts = [namespace, workload, container, program].filter((part) => part !== "");
  return parts.filter((part, i) => part !== parts[i - 1]).join("/");
}
