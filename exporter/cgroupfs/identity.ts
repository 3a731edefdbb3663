// What a cgroup's path tells about the container, pod or unit that it belongs to. Engines agree on little but this: the innermost
// part of the path that has the shape of an id is the container. Seen in the wild:
//   /docker/<id>, /system.slice/docker-<id>.scope                       docker, by driver: cgroupfs, systemd
//   /kubepods/burstable/pod<uid>/<id>                                   containerd or CRI-O, cgroupfs driver
//   /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid_>.slice/cri-containerd-<id>.scope
//   /system.slice/containerd.service/kubepods-burstable-pod<uid_>.slice:cri-containerd:<id>
//                                                                       containerd and kubelet with different drivers
//   /machine.slice/libpod-<id>.scope/container, /system.slice/web.service/libpod-payload-<id>   podman, Quadlet
//   /ecs/<task>/<id>, /ecs/<task>/<task>-<number>                       Amazon ECS, on EC2 and on Fargate
//   /nomad.slice/share.slice/<allocation>.<task>.scope                  Nomad
//   /system.slice/garden.service/garden/<uuid>, /mesos/<uuid>           Cloud Foundry, Mesos
//   /docker/buildkit/<id of 25>                                         BuildKit
//   /lxc.payload.<name>/…, /lxc/<name>/…                                LXC, LXD, Proxmox
//   /machine.slice/systemd-nspawn@<name>.service/payload, /machine.slice/machine-<name>.scope   systemd-nspawn
//   /../<id>                                                            a sibling, from a private cgroup namespace

export interface CgroupIdentity {
  /** The container's id as its engine writes it: mostly 64 digits, of some engines a name. */
  containerId: string | undefined;
  /** The pod's uid as the Kubernetes API writes it, with dashes. */
  podUid: string | undefined;
  /** The systemd unit, for services outside containers. */
  unit: string | undefined;
}

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4,12}";

/** Whatever an engine puts before it, `cri-containerd-` or `libpod-payload-`, and a scope's ending. */
const hexPart = /^(?:([\w.-]{1,64})[-_])?([0-9a-f]{64}|[0-9a-f]{32}-\d{1,10})(?:\.scope)?$/;
/** Bare, or followed by Nomad's task. With something before it, it is a pod's uid or a terminal's. */
const uuidPart = new RegExp(String.raw`^(${uuid}(?:[.-][\w.-]{1,128}?)?)(?:\.scope)?$`);
/** Processes that watch over a container from outside of it. */
const watchesOnly = /(?:^|[-_])(?:conmon|monitor|supervisor)$/;

/** Ids that have their meaning from the part before them. */
const named: readonly { parent: RegExp; part: RegExp }[] = [
  { parent: /^buildkit$/, part: /^([0-9a-z]{25})$/ },
  { parent: /^(?:lxc|lxc\.payload)$/, part: /^([\w.-]{1,128})$/ },
  { parent: /^/, part: /^lxc\.payload\.([\w.-]{1,128})$/ },
  { parent: /^machine\.slice$/, part: /^machine-((?!qemu\\x2d|qemu-)[\w.\\-]{1,128})\.scope$/ },
];
/** Of the folders inside, only this one is the container. */
const nspawnUnit = /^systemd-nspawn@([\w.\\-]{1,128})\.service$/;

const podPart = /(?:^|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})(?:\.slice)?$/;
/** Static pods, made from files on the node, have a hash in place of a uid. */
const staticPodPart = /(?:^|-)pod([0-9a-f]{32})(?:\.slice)?$/;

/** The innermost container, pod and unit that the path names. Never fails: what it does not name is undefined. */
export function identifyCgroup(path: string): CgroupIdentity {
  let containerId: string | undefined;
  let podUid: string | undefined;
  let unit: string | undefined;
  let parent = "";
  // the kernel says so of a cgroup that was removed with a process in it
  for (const part of path.replace(/ \(deleted\)$/, "").split("/")) {
    for (const name of part.split(":")) {
      containerId = containerIn(name, parent) ?? containerId;
      podUid = podPart.exec(name)?.[1]?.replaceAll("_", "-") ?? staticPodPart.exec(name)?.[1] ?? podUid;
    }
    if (part.endsWith(".service")) unit = part;
    parent = part;
  }
  return { containerId, podUid, unit: containerId === undefined ? unit : undefined };
}

function containerIn(part: string, parent: string): string | undefined {
  const [, before = "", id] = hexPart.exec(part) ?? [];
  if (id !== undefined) return watchesOnly.test(before) ? undefined : id;
  const nspawn = part === "payload" ? nspawnUnit.exec(parent)?.[1] : undefined;
  const name = nspawn ?? named.find((one) => one.parent.test(parent) && one.part.test(part))?.part.exec(part)?.[1];
  return name === undefined ? uuidPart.exec(part)?.[1] : unescaped(name);
}

/** systemd writes a hyphen that is no separator as `\x2d`. */
const unescaped = (name: string) => name.replace(/\\x2d/g, "-");
