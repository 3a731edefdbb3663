// What a pod list of the Kubernetes API tells about containers. Fields that are not there are left out: pods that are
// being created have no containers yet.
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/

import {
  type Container,
  type ContainerEnd,
  type ContainerList,
  type ContainerSource,
  imageTag,
  signalOf,
  unixSeconds,
} from "./container.ts";
import { isOfJob, type PodMetadata, workloadName } from "./workload.ts";

interface Terminated {
  containerID?: string;
  exitCode?: number;
  signal?: number;
  reason?: string;
  finishedAt?: string;
}

interface ContainerStatus {
  name?: string;
  containerID?: string;
  image?: string;
  restartCount?: number;
  state?: { terminated?: Terminated };
  lastState?: { terminated?: Terminated };
}

interface Pod {
  metadata?: PodMetadata & { uid?: string; namespace?: string };
  spec?: Partial<Record<"containers" | "initContainers" | "ephemeralContainers", { name?: string; image?: string }[]>>;
  status?: Partial<
    Record<"containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses", ContainerStatus[]>
  >;
}

/** The containers of one node. `listPods` asks the API for its pods, as JSON. */
export class KubernetesSource implements ContainerSource {
  readonly file = "pods";
  readonly description = "the Kubernetes API";
  readonly interval = { usual: 60, soonest: 10 };
  private readonly listPods: () => Promise<string>;

  constructor(listPods: () => Promise<string>) {
    this.listPods = listPods;
  }

  async list(): Promise<ContainerList> {
    return parsePodList(await this.listPods());
  }
}

/** Throws when it is not a pod list. */
export function parsePodList(text: string): ContainerList {
  const list = JSON.parse(text) as { kind?: string; items?: Pod[] };
  if (!Array.isArray(list?.items))
    throw new Error(`expected a PodList, got ${JSON.stringify(list?.kind) ?? "nothing"}`);
  const containers = new Map<string, Container>();
  const ends = new Map<string, ContainerEnd>();
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
      const described = describedByPod(pod, status, images.get(status.name) ?? status.image ?? "");
      const ended = [status.lastState?.terminated, status.state?.terminated];
      for (const id of [...ended.map((state) => state?.containerID), status.containerID].map(plainId)) {
        if (id !== undefined) containers.set(id, { ...described, id });
      }
      for (const state of ended) {
        const id = plainId(state?.containerID);
        if (state !== undefined && id !== undefined) ends.set(id, endOf(state));
      }
    }
  }
  return { containers, ends };
}

/** `containerd://1f0d…` is 1f0d…; a container that is being created has none. */
const plainId = (id: string | undefined) => /^[\w.-]+:\/\/([0-9a-f]{64})$/.exec(id ?? "")?.[1];

function describedByPod({ metadata = {} }: Pod, status: ContainerStatus, image: string): Omit<Container, "id"> {
  return {
    podUid: metadata.uid ?? "",
    namespace: metadata.namespace ?? "",
    pod: metadata.name ?? "",
    container: status.name ?? "",
    workload: workloadName(metadata),
    image,
    version: metadata.labels?.["app.kubernetes.io/version"] ?? imageTag(image),
    isJob: isOfJob(metadata),
    restarts: status.restartCount,
  };
}

/** The API leaves out a signal of 0, and most runtimes say the signal by the exit code. */
const endOf = ({ exitCode, signal, reason, finishedAt }: Terminated): ContainerEnd => ({
  oomKilled: reason === "OOMKilled",
  exitCode,
  signal: signal || signalOf(exitCode),
  finishedAt: unixSeconds(finishedAt),
});
