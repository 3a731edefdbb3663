// What a cgroup's path tells about the container, pod or unit that it belongs to. Seen in the wild:
//   /docker/<id>                                                        docker, cgroupfs driver
//   /system.slice/docker-<id>.scope                                     docker, systemd driver
//   /kubepods/burstable/pod<uid>/<id>                                   containerd or CRI-O, cgroupfs driver
//   /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid_>.slice/cri-containerd-<id>.scope
//   /kubepods.slice/kubepods-pod<uid_>.slice/crio-<id>.scope            CRI-O, systemd driver
//   /system.slice/containerd.service/kubepods-burstable-pod<uid_>.slice:cri-containerd:<id>
//                                                                       containerd and kubelet with different drivers
//   /machine.slice/libpod-<id>.scope/container, /libpod_parent/libpod-<id>   podman
//   /../<id>                                                            a sibling, from a private cgroup namespace

export interface CgroupIdentity {
  /** The container's 64-digit id. */
  containerId: string | undefined;
  /** The pod's uid as the Kubernetes API writes it, with dashes. */
  podUid: string | undefined;
  /** The systemd unit, for services outside containers. */
  unit: string | undefined;
}

const containerPart = /^(?:(?:docker|cri-containerd|crio|libpod|cri-o|nerdctl|podman)-)?([0-9a-f]{64})(?:\.scope)?$/;
const podPart = /(?:^|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})(?:\.slice)?$/;
/** Static pods, made from files on the node, have a hash in place of a uid. */
const staticPodPart = /(?:^|-)pod([0-9a-f]{32})(?:\.slice)?$/;

/** The innermost container, pod and unit that the path names. Never fails: what it does not name is undefined. */
export function identifyCgroup(path: string): CgroupIdentity {
  let containerId: string | undefined;
  let podUid: string | undefined;
  let unit: string | undefined;
  for (const part of path.split("/")) {
    for (const name of part.split(":")) {
      containerId = containerPart.exec(name)?.[1] ?? containerId;
      podUid = podPart.exec(name)?.[1]?.replaceAll("_", "-") ?? staticPodPart.exec(name)?.[1] ?? podUid;
    }
    if (part.endsWith(".service")) unit = part;
  }
  return { containerId, podUid, unit: containerId === undefined ? unit : undefined };
}
